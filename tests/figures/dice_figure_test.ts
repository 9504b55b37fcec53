import assert from "node:assert/strict";
import { diceFigure } from "../../src/figures/dice_figure.ts";
import { COLOR, SERIES } from "../../src/figures/svg.ts";
import { decodePNG, distance, rgb } from "../helpers/pixels.ts";

const VALUES = [0.8, 0.85, NaN, 0.9];

/** Pixel positions of a trace's markers in a plotly SVG, in order. */
function markers(svg: string, trace: number): [number, number][] {
  const group = svg.split('<g class="trace scatter')[trace + 1];
  const points = group.slice(group.indexOf('<g class="points"'));
  return [
    ...points.slice(0, points.indexOf("</g>"))
      .matchAll(/<path class="point"[^>]*translate\(([\d.]+),([\d.]+)\)/g),
  ]
    .map(([, x, y]) => [Number(x), Number(y)]);
}

Deno.test(
  "diceFigure() places a mark for every value, evenly and by height",
  async () => {
    const figure = diceFigure({
      title: 'Dice & <b>"rater 2"',
      series: [
        { name: "recommendation", values: VALUES },
        { name: "best candidate", values: [0.85, 0.9] },
      ],
    });
    const svg = await figure.toSVG();
    const [a, b, c] = markers(svg, 0); // the gap has no mark
    assert.equal(markers(svg, 0).length, 3);
    assert.equal(markers(svg, 1).length, 2);
    const close = (x: number, y: number) => assert(Math.abs(x - y) < 0.5);
    close(c[0] - b[0], 2 * (b[0] - a[0])); // iterations 1, 2, 4
    close(a[1] - b[1], b[1] - c[1]); // 0.80, 0.85, 0.90
    assert.deepEqual(markers(svg, 1), [[a[0], b[1]], [b[0], c[1]]]);
    for (const label of ["recommendation", "best candidate", "iteration"]) {
      assert(svg.includes(`>${label}</text>`), label);
    }
    assert(svg.includes('>Dice &amp; &#60;b&#62;"rater 2"</tspan>'));

    const { width, height, at } = await decodePNG(await figure.toPNG());
    assert.deepEqual([width, height], [1800, 880]);
    assert(distance(at(4, 4), rgb(COLOR.paper)) === 0);
    const [left, top] = [72, 92]; // the layout's margins
    const [x, y] = [2 * (left + a[0]), 2 * (top + a[1])];
    assert(distance(at(x, y), rgb(SERIES[0])) < 12, `${at(x, y)}`);
  },
);

Deno.test(
  "diceFigure() carries the interactive chart as plain JSON",
  async () => {
    const figure = diceFigure({ series: [{ name: "a", values: VALUES }] });
    // deno-lint-ignore no-explicit-any -- as the kernel calls it
    const bundle = await (figure as any)[Symbol.for("Jupyter.display")]();
    const spec = bundle["application/vnd.plotly.v1+json"];
    assert.deepEqual(JSON.parse(JSON.stringify(spec)), spec);
    assert.deepEqual(spec.data[0].x, [1, 2, 3, 4]);
    assert.deepEqual(spec.data[0].y, [0.8, 0.85, null, 0.9]);
    assert.match(
      bundle["text/plain"],
      /4 iterations, the last a 0.900/,
    );
    assert(bundle["image/png"].length < 200_000);
  },
);

Deno.test("diceFigure() says in its legend what the bands are", async () => {
  const intervals = [[0.4, 0.6], [0.5, 0.7]] as const;
  const series = [
    { name: "a", values: [0.5, 0.6], intervals },
    { name: "b", values: [0.4, 0.5], intervals },
  ];
  const svg = await diceFigure({ series }).toSVG();
  assert.equal(svg.match(/>95 % interval<\/text>/g)?.length, 1);
  const own = await diceFigure({ series, band: "quartiles" }).toSVG();
  assert(own.includes(">quartiles</text>"));
  const none = await diceFigure({
    series: [{ name: "a", values: [0.5, 0.6] }],
  }).toSVG();
  assert(!none.includes("interval"));
});

Deno.test("diceFigure() shows names as plain text", async () => {
  const figure = diceFigure({
    series: [{ name: "a <b>", values: [0.5, 0.6] }],
    title: "In <training>",
  });
  const svg = await figure.toSVG();
  assert(svg.includes("In &#60;training&#62;"));
  assert.equal(figure.alt, "In <training>: 2 iterations, the last a <b> 0.600");
});

Deno.test("diceFigure() leaves the globals as they were", async () => {
  await diceFigure({ series: [{ name: "a", values: [0.5] }] }).toSVG();
  for (const name of ["document", "Plotly", "HTMLElement", "SVGElement"]) {
    assert(!(name in globalThis), name);
  }
});

Deno.test("diceFigure() keeps near-equal values from filling the height", () => {
  const figure = diceFigure({ series: [{ name: "a", values: [0.9, 0.901] }] });
  assert.equal(figure.height, 440);
  assert.throws(() => diceFigure({ series: [] }), {
    name: "RangeError",
    message: /series must have values/,
  });
});

Deno.test("plotly and jsdom are loaded at the versions that deno.json pins", async () => {
  const root = new URL("../../", import.meta.url);
  const read = (path: string) => Deno.readTextFile(new URL(path, root));
  const { imports } = JSON.parse(await read("deno.json"));
  const source = await read("src/figures/chart.ts");
  for (const name of ["jsdom", "plotly.js-dist-min"]) {
    assert(source.includes(`"${imports[name]}"`), imports[name]);
  }
});
