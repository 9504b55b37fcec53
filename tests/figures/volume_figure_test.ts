import assert from "node:assert/strict";
import ndarray from "ndarray";
import { figureOf } from "../../src/figures/figure_of.ts";
import { volumeFigure } from "../../src/figures/volume_figure.ts";
import { phantomVolume } from "../../src/phantoms/phantom_volume.ts";

const { volume, masks } = phantomVolume({ kind: "kidney", seed: 3 });

Deno.test("a volume is shown in three planes, in its proportions in millimeters", async () => {
  const svg = await figureOf(volume).toSVG();
  assert.equal(svg.match(/preserveAspectRatio="none" overflow/g)?.length, 3);
  // 20 slices of 5 mm, 96 columns of 1.5 mm
  const [, width, height] =
    /<svg x="[\d.]+" y="54" width="([\d.]+)" height="([\d.]+)" viewBox="0 0 96 20"/
      .exec(svg)!.map(Number);
  assert.ok(Math.abs(width / height - 144 / 100) < 0.01);
  assert.match(svg, /slice 10 of 20/);
});

Deno.test("the last slice is at the top of the planes across slices", async () => {
  const mask = ndarray(new Uint8Array(20 * 96 * 96), [20, 96, 96]);
  mask.set(18, 40, 50, 1);
  const svg = await volumeFigure({ volume, masks: [{ mask }] }).toSVG();
  // slice 18 of 0..19 is row 1; the cut through it runs in its middle
  assert.match(svg, /d="M0 1.5H96"/);
  assert.match(svg, /d="M50 1[hHL]/);
});

Deno.test("objects of a volume are outlined in every plane through them", async () => {
  const figure = volumeFigure({
    volume,
    masks: [
      { mask: masks.strict, name: "kidney", color: "#56b4e9" },
      { mask: masks.with_part, name: "with cyst" },
    ],
  });
  const svg = await figure.toSVG();
  assert.equal(svg.match(/stroke="#56b4e9" stroke-width="1.8"/g)?.length, 3);
  assert.match(svg, />kidney</);
  assert.match(figure.alt, /with 2 outlines/);
});

Deno.test("a volume's figure refuses masks and planes that do not fit", () => {
  const mask = ndarray(new Uint8Array(8), [2, 2, 2]);
  assert.throws(
    () => volumeFigure({ volume, masks: [{ mask }] }),
    /\[20,96,96\]: current value is \[2,2,2\]/,
  );
  assert.throws(
    () => volumeFigure({ volume, at: [20, 0, 0] }),
    /current value is \[20,0,0\]/,
  );
});
