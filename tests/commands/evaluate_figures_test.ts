/** The figures of evaluations: what they show is what the tables say. */
import assert from "node:assert/strict";
import { diceFigure } from "../../src/figures/dice_figure.ts";
import {
  barsFigure,
  componentsFigure,
  differencesFigure,
  ratersFigure,
  targetsFigure,
  variantsFigure,
} from "../../src/figures/evaluation_figures.ts";
import { type Figure, stackFigures } from "../../src/figures/figure.ts";
import { COLOR, SERIES } from "../../src/figures/svg.ts";
import { targetOf, targetOfRaters } from "../helpers/evaluation_results.ts";
import { decodePNG, distance, rgb } from "../helpers/pixels.ts";

// deno-lint-ignore no-explicit-any -- plotly's JSON
async function specOf(figure: Figure): Promise<any> {
  return (await figure.toBundle())["application/vnd.plotly.v1+json"];
}

function close(actual: readonly number[], expected: number[]) {
  assert.equal(actual.length, expected.length, `${actual}`);
  expected.forEach((value, i) =>
    assert.ok(Math.abs(actual[i] - value) < 1e-9, `${actual}`)
  );
}

const runs = {
  none: [targetOf("a", [0.5, 0.7]), targetOf("b", [0.6, 0.7])],
  both: [targetOf("a", [0.5, 0.9]), targetOf("b", [0.6, 0.8])],
};

Deno.test("diceFigure() draws a series' interval as a band behind the lines", async () => {
  const figure = diceFigure({
    series: [
      { name: "a", values: [0.6, 0.8], intervals: [[0.5, 0.7], [0.7, 0.95]] },
      { name: "b", values: [0.4, 0.5], like: 0, part: true },
    ],
  });
  const { data, layout } = await specOf(figure);
  const [band, a, b] = data;
  assert.deepEqual(band.x, [1, 2, 2, 1]);
  assert.deepEqual(band.y, [0.7, 0.95, 0.7, 0.5]);
  assert.equal(band.fill, "toself");
  assert.equal(band.showlegend, false);
  assert.deepEqual([a.name, b.name], ["a", "b"]);
  assert.equal(b.line.color, a.line.color);
  assert.ok(layout.yaxis.range[0] < 0.4 && layout.yaxis.range[1] > 0.95);
  // between the mean and the high end, half way: the color, made lighter
  const { at } = await decodePNG(await figure.toPNG());
  const [low, high] = layout.yaxis.range;
  const across = (x: number) => 2 * (72 + (900 - 72 - 24) * (x - 0.75) / 1.5);
  const down = (y: number) =>
    2 * (92 + (440 - 92 - 58) * (high - y) / (high - low));
  const [ground, inside] = [
    at(across(1.5), down(0.87)),
    at(across(1.5), down(0.76)),
  ];
  assert.equal(distance(ground, rgb(COLOR.paper)), 0);
  assert.ok(distance(inside, rgb(COLOR.paper)) > 20, `${inside}`);
  assert.ok(distance(inside, rgb(SERIES[0])) > 100, `${inside}`);
});

Deno.test("variantsFigure() has a line and a band for each variant", async () => {
  const { data } = await specOf(variantsFigure(runs));
  const lines = data.filter(({ fill }: { fill?: string }) => !fill);
  assert.deepEqual(lines.map(({ name }: { name: string }) => name), [
    ...["none", "both"],
  ]);
  assert.equal(data.length - lines.length, 2 + 1); // and the legend's
  close(lines[0].y, [0.55, 0.7]);
  close(lines[1].y, [0.55, 0.85]);
});

Deno.test("differencesFigure() has the paired differences from the first, by iteration", async () => {
  const { data, layout } = await specOf(differencesFigure(runs));
  assert.equal(data[0].name, "both");
  assert.deepEqual(data[1].text, ["", ""]); // two patients prove nothing
  close(data[0].y, [0, 15]);
  assert.equal(data[0].marker.color, SERIES[1]); // as in the curves
  assert.ok(data[0].error_y.arrayminus[1] > 0.01);
  assert.deepEqual(layout.xaxis.ticktext, ["1", "2"]);
  const six = Array.from({ length: 8 }, (_, i) => `${i}`);
  const gain = {
    a: six.map((patient) => targetOf(patient, [0.5])),
    b: six.map((patient, i) => targetOf(patient, [0.6 + i / 100])),
  };
  const starred = await specOf(differencesFigure(gain));
  assert.deepEqual(starred.data[1].text, ["*"]);
});

Deno.test("figures of no results are refused", () => {
  for (const b of [undefined, []]) {
    assert.throws(
      () => differencesFigure({ a: runs.none, ...(b && { b }) }),
      /^RangeError: Cannot draw differences as there must be two runs with/,
    );
  }
  assert.throws(
    () => targetsFigure({}, [0.5]),
    /^RangeError: Cannot draw bars as .* is 1 groups of 0 series$/,
  );
});

Deno.test("targetsFigure() has mean iterations, and the share that fails", async () => {
  const figure = targetsFigure(runs, [0.6, 0.75, 0.99]);
  const { data } = await specOf(figure);
  close(data[0].y.slice(0, 1), [1.5]); // a at 2, b at 1
  assert.deepEqual(data[0].y.slice(1), [null, null]);
  assert.deepEqual(data[1].y, [1.5, 2, null]);
  assert.deepEqual(data[2].text, ["0.0 %", "100 %", "100 %"]);
  assert.deepEqual(data[3].text, ["0.0 %", "0.0 %", "100 %"]);
  assert.match(
    figure.alt,
    /both 0\.6: 1\.5 \(0\.0 %\), .*0\.99: none \(100 %\)/,
  );
});

const raters = [
  targetOfRaters("a", "1", [{ 1: 0.6, 2: 0.5, 3: 0.3 }, {
    1: 0.8,
    2: 0.7,
    3: 0.1,
  }]),
  targetOfRaters("b", "2", [{ 1: 0.4, 2: 0.7 }, { 1: 0.2, 2: 0.9 }]),
];

Deno.test("ratersFigure() follows included and excluded raters", async () => {
  const { data } = await specOf(ratersFigure(raters, ["1", "2"]));
  const lines = data.slice(-6, -1); // before the bands' place in the legend
  assert.deepEqual(lines.map(({ name }: { name: string }) => name), [
    ...["all included", "all excluded", "rater 1", "rater 2", "rater 3"],
  ]);
  close(lines[0].y, [0.55, 0.65]);
  close(lines[1].y, [0.3, 0.1]);
  close(lines[2].y, [0.5, 0.5]);
  assert.equal(lines[3].line.color, lines[0].line.color);
  assert.equal(lines[4].line.color, lines[1].line.color);
});

Deno.test("ratersFigure() tells a user's own mask from the others'", async () => {
  const { data } = await specOf(ratersFigure(raters));
  const lines = data.slice(-6, -1);
  close(lines[0].y, [0.65, 0.85]);
  close(lines[1].y, [0.4, 0.3]);
  close(lines[2].y, [0.6, 0.8]); // rater 1's own
});

Deno.test("barsFigure() draws bars of their lengths, also below 0", async () => {
  const figure = barsFigure({
    title: "Bars",
    groups: ["a", "b"],
    series: [{
      name: "one",
      values: [1, -0.5],
      intervals: [[0.8, 1.2], [NaN, NaN]],
      labels: ["up", "down"],
    }],
    ...{ x: "x", y: "y", tickFormat: ".1f" },
  });
  const { data, layout } = await specOf(figure);
  close(data[0].error_y.array, [0.2, 0]);
  const [low, high] = layout.yaxis.range;
  const { at } = await decodePNG(await figure.toPNG());
  const across = (x: number) => 2 * (72 + (900 - 72 - 24) * (x + 0.5) / 2);
  const down = (y: number) =>
    2 * (92 + (440 - 92 - 58) * (high - y) / (high - low));
  const color = rgb(SERIES[0]);
  for (const [x, y] of [[-0.05, 0.5], [0.95, -0.25]]) {
    assert.ok(distance(at(across(x), down(y)), color) < 12);
    assert.ok(distance(at(across(x), down(-y)), color) > 100);
  }
});

Deno.test("stackFigures() puts one under the other", async () => {
  const one = variantsFigure(runs), other = targetsFigure(runs, [0.6]);
  const stacked = stackFigures([one, other]);
  assert.deepEqual([stacked.width, stacked.height], [900, 880]);
  const { at } = await decodePNG(await stacked.toPNG({ scale: 1 }));
  for (const [figure, top] of [[one, 0], [other, 440]] as const) {
    const own = await decodePNG(await figure.toPNG({ scale: 1 }));
    for (let y = 20; y < 440; y += 7) {
      for (let x = 0; x < 900; x += 11) {
        assert.ok(distance(at(x, y + top), own.at(x, y)) < 12, `${x} ${y}`);
      }
    }
  }
  assert.throws(() => stackFigures([]), /RangeError: Cannot stack figures/);
});

Deno.test("componentsFigure() has a bar for each rater at each component", async () => {
  const components = { part: [0.75, 0.25], whole: [0.5, null] };
  const { data } = await specOf(
    componentsFigure([targetOf("a", [0.5], { components })]),
  );
  assert.deepEqual(
    data.filter(({ type }: { type: string }) => type === "bar")
      .map(({ name, y }: { name: string; y: number[] }) => [name, y]),
    [["rater part", [0.75, 0.25]], ["rater whole", [0.5, null]]],
  );
});
