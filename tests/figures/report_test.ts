import assert from "node:assert/strict";
import { Figure } from "../../src/figures/figure.ts";
import { reportHTML } from "../../src/figures/report.ts";
import { svgDocument } from "../../src/figures/svg.ts";

const figure = new Figure({
  width: 300,
  height: 200,
  alt: "a figure",
  draw: () => svgDocument(300, 200, "", '<circle r="9"/>'),
});

const html = await reportHTML({
  title: "A & B",
  lead: "First.\n\nSecond <i>.",
  sections: [
    {
      heading: "Results",
      figures: [{ figure, caption: "It's a <figure>" }, { figure }],
      table: {
        columns: [{ heading: "iteration" }, { heading: "Dice", digits: 2 }],
        rows: [[1, 0.844]],
      },
    },
    { heading: "Empty" },
  ],
  footer: "made by a test",
});

Deno.test("reportHTML() holds every part in order, as text", () => {
  const parts = [
    "<title>A &amp; B</title>",
    "<h1>A &amp; B</h1>",
    "<p>First.</p><p>Second &lt;i&gt;.</p>",
    "<h2>Results</h2>",
    "<figcaption>It's a &lt;figure&gt;</figcaption>",
    '<td class="number">1</td><td class="number">0.84</td>',
    "<h2>Empty</h2>",
    "<footer><p>made by a test</p></footer>",
  ];
  const places = parts.map((part) => html.indexOf(part));
  assert(places.every((place) => place > 0), `${places}`);
  assert.deepEqual(places, places.toSorted((a, b) => a - b));
});

Deno.test("reportHTML() holds its figures and asks for nothing from outside", () => {
  const sources = [...html.matchAll(/(?:src|href)="([^"]*)"/g)];
  assert.equal(sources.length, 2);
  for (const [, source] of sources) {
    const [prefix, data] = source.split(",");
    assert.equal(prefix, "data:image/svg+xml;base64");
    const svg = new TextDecoder().decode(Uint8Array.fromBase64(data));
    assert.match(svg, /<circle r="9"\/>/);
  }
  assert.match(html, /Content-Security-Policy" content="default-src 'none'/);
  assert.doesNotMatch(html, /<script|@import|url\(|https?:/);
});

Deno.test("reportHTML() breaks long names, and scrolls a wide table by itself", () => {
  assert.match(html, /h1, h2, p, figcaption { overflow-wrap: anywhere; }/);
  assert.match(html, /\.wide { overflow-x: auto; }/);
  assert.match(html, /<div class="wide"><table>.*<\/table><\/div>/);
});

Deno.test("reportHTML() has styles for dark screens and for paper", () => {
  assert.match(html, /@media \(prefers-color-scheme: dark\)/);
  assert.match(html, /@media print/);
});
