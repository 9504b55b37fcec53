import assert from "node:assert/strict";
import { Figure, renderSVG } from "../../src/figures/figure.ts";
import { loadFonts, widthBound } from "../../src/figures/fonts.ts";
import { svgDocument, text } from "../../src/figures/svg.ts";
import { decodePNG } from "../helpers/pixels.ts";

const SAMPLE = "Dice 0.87 · μσ → −1";

/** First and last dark column of a line that starts at x = 10, in pixels. */
async function inkOf(content: string, size: number, bold: boolean) {
  const line = text(10, 40, content, { size, bold });
  const png = await renderSVG(svgDocument(400, 60, "", line), { scale: 2 });
  const { at, width, height } = await decodePNG(png);
  const dark = Array.from({ length: width }, (_, x) => x).filter((x) =>
    Array.from({ length: height }, (_, y) => at(x, y)[0]).some((v) => v < 128)
  );
  return { first: dark[0] / 2, last: (dark[dark.length - 1] + 1) / 2 };
}

Deno.test("renderSVG() sets text in the shipped fonts, as wide as they measure", async () => {
  const fonts = await loadFonts();
  for (const bold of [false, true]) {
    const { first, last } = await inkOf(SAMPLE, 20, bold);
    const end = 10 + fonts.width(SAMPLE, 20, bold);
    assert(first >= 10 && first < 14, `${first}`);
    assert(last <= end && last > end - 4, `${last} of ${end}`);
  }
  // DejaVu Sans: M is 1767 of 2048 units wide, bold 2038; a missing one 1229.
  assert.equal(fonts.width("M", 2048), 1767);
  assert.equal(fonts.width("M", 2048, true), 2038);
  assert.equal(fonts.width("漢", 2048), 1229);
});

Deno.test("renderSVG() needs no fonts of the machine", async () => {
  const program = `
    import { renderSVG } from "${
    import.meta.resolve("../../src/figures/figure.ts")
  }";
    import { svgDocument, text } from "${
    import.meta.resolve("../../src/figures/svg.ts")
  }";
    const line = text(10, 40, ${JSON.stringify(SAMPLE)}, { bold: true });
    const png = await renderSVG(svgDocument(400, 60, "", line));
    console.log(png.toBase64(), Deno.env.get("FONTCONFIG_FILE"));`;
  const empty = await Deno.makeTempDir();
  try {
    const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["eval", program],
      cwd: new URL("../..", import.meta.url),
      env: {
        FONTCONFIG_PATH: empty,
        FONTCONFIG_FILE: `${empty}/none.conf`,
      },
    }).output();
    const [png, variable] = new TextDecoder().decode(stdout).trim().split(" ");
    assert(png, new TextDecoder().decode(stderr));
    const line = text(10, 40, SAMPLE, { bold: true });
    const here = await renderSVG(svgDocument(400, 60, "", line));
    assert.equal(png, here.toBase64());
    assert.equal(variable, `${empty}/none.conf`); // put back as it was
  } finally {
    await Deno.remove(empty, { recursive: true });
  }
});

Deno.test("renderSVG() scales, and refuses a scale out of range", async () => {
  const svg = svgDocument(30, 20, "", "");
  for (const scale of [0.5, 1, 3]) {
    const { width, height } = await decodePNG(await renderSVG(svg, { scale }));
    assert.deepEqual([width, height], [30 * scale, 20 * scale]);
  }
  for (const scale of [0, -1, 9, NaN]) {
    await assert.rejects(renderSVG(svg, { scale }), {
      name: "RangeError",
      message: /scale must be in \(0, 8\]/,
    });
  }
});

Deno.test("loadFonts() shortens a line to its space", async () => {
  const fonts = await loadFonts();
  assert.equal(fonts.fit("short", 100, 13), "short");
  const fitted = fonts.fit("a much longer line of text", 100, 13);
  assert.match(fitted, /^a much.*…$/);
  assert(fonts.width(fitted, 13) <= 100);
});

Deno.test("fitMiddle() keeps both ends of a line", async () => {
  const fonts = await loadFonts();
  assert.equal(fonts.fitMiddle("short", 100, 13), "short");
  const title = `${"patient_".repeat(20)}.nii.gz: proposal 3`;
  const fitted = fonts.fitMiddle(title, 300, 18, true);
  assert.match(fitted, /^patient_patien.*….*: proposal 3$/);
  const width = fonts.width(fitted, 18, true);
  assert(width <= 300 && width > 275, `${width}`);
  assert.equal(fonts.fitMiddle("a long line", 1, 13), "…");
});

Deno.test("widthBound() is never less than the width, and not much more", async () => {
  const fonts = await loadFonts();
  for (let code = 0x20; code < 0x3000; code++) {
    const character = String.fromCodePoint(code);
    const width = fonts.width(character, 100);
    assert(widthBound(character, 100) >= width, `${code}: ${character}`);
  }
  for (
    const text of ["recommendation", "candidate, 123456 px", "Dr. Élise M."]
  ) {
    const share = widthBound(text, 12) / fonts.width(text, 12);
    assert(share < 1.25, `${text}: ${share}`);
  }
});

Deno.test("Figure draws anew after it could not be drawn", async () => {
  let calls = 0;
  const figure = new Figure({
    ...{ width: 40, height: 30, alt: "a square" },
    draw: async () => {
      await Promise.resolve();
      if (++calls === 1) throw new Error("no network");
      return svgDocument(40, 30, "", "");
    },
  });
  await assert.rejects(async () => await figure.toSVG(), /no network/);
  assert.match(await figure.toSVG(), /^<svg /);
  await figure.toSVG();
  assert.equal(calls, 2);
});

Deno.test("Figure shows itself in a notebook as HTML, PNG and text", async () => {
  let drawn = 0;
  const figure = new Figure({
    width: 40,
    height: 30,
    alt: 'a "gray" square',
    draw: () => {
      drawn++;
      return svgDocument(40, 30, "", "");
    },
    extra: { "application/x-more": { a: 1 } },
  });
  const display = Symbol.for("Jupyter.display");
  // deno-lint-ignore no-explicit-any -- as the kernel calls it
  const bundle = await (figure as any)[display]();
  assert.deepEqual(Object.keys(bundle).sort(), [
    "application/x-more",
    "image/png",
    "text/html",
    "text/plain",
  ]);
  const png = await decodePNG(Uint8Array.fromBase64(bundle["image/png"]));
  assert.deepEqual([png.width, png.height], [40, 30]);
  assert.match(
    bundle["text/html"],
    /alt="a &quot;gray&quot; square" width="40"/,
  );
  assert.equal(bundle["text/plain"], 'Figure 40 x 30: a "gray" square');
  assert.equal(Deno.inspect(figure), bundle["text/plain"]);
  assert.match(bundle["text/html"], /^<img src="data:image\/svg\+xml;base64,/);
  assert.match(
    await figure.toHTML({ as: "png" }),
    /^<img src="data:image\/png;base64,/,
  );
  assert.equal(drawn, 1);
});
