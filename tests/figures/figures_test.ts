import assert from "node:assert/strict";
import { AREA_OPACITY, closeView } from "../../src/figures/panel.ts";
// @ts-types="@types/ndarray"
import ndarray from "ndarray";
// @ts-types="@types/ndarray"
import type { NdArray } from "ndarray";
import {
  candidatesFigure,
  layOutCandidates,
} from "../../src/figures/candidates_figure.ts";
import { compactCount } from "../../src/figures/describe.ts";
import { colormap } from "../../src/figures/raster.ts";
import {
  entropyFigure,
  imageFigure,
  maskFigure,
} from "../../src/figures/image_figure.ts";
import { loadFonts } from "../../src/figures/fonts.ts";
import { COLOR } from "../../src/figures/svg.ts";
import type { Candidate } from "../../src/spa/cluster.ts";
import { decodePNG, distance, rgb } from "../helpers/pixels.ts";

const SIDE = 40;
const GRAY = 102; // 0.4

const gray = () =>
  ndarray(new Float32Array(SIDE * SIDE).fill(0.4), [SIDE, SIDE, 1]);

/** A rectangle of ones, corners inclusive-exclusive. */
function box(left: number, top: number, right: number, bottom: number) {
  const mask = ndarray(new Uint8Array(SIDE * SIDE), [SIDE, SIDE]);
  for (let y = top; y < bottom; y++) {
    for (let x = left; x < right; x++) mask.set(y, x, 1);
  }
  return mask;
}

const minus = (a: NdArray<Uint8Array>, b: NdArray<Uint8Array>) =>
  ndarray(a.data.map((value, i) => value & (1 - b.data[i])), [SIDE, SIDE]);

const RECOMMENDED = box(10, 10, 30, 30);

function candidate(mask: NdArray<Uint8Array>, share: number): Candidate {
  return {
    probability: ndarray(Float32Array.from(mask.data), [SIDE, SIDE]),
    mask,
    share,
    members: [],
    added: minus(mask, RECOMMENDED),
    removed: minus(RECOMMENDED, mask),
  };
}

function proposal(...candidates: Candidate[]) {
  const probability = ndarray(Float32Array.from(RECOMMENDED.data), [
    SIDE,
    SIDE,
  ]);
  return { recommended: { mask: RECOMMENDED, probability }, candidates };
}

const WIDER = candidate(box(10, 10, 36, 30), 0.75); // adds 6 x 20
const NARROWER = candidate(box(10, 10, 24, 30), 0.25); // removes 6 x 20

Deno.test("candidatesFigure() paints added pixels blue, removed ones hatched orange", async () => {
  const figure = candidatesFigure({
    image: gray(),
    proposal: proposal(WIDER, NARROWER),
    zoom: false,
  });
  const { at } = await decodePNG(await figure.toPNG());
  const layout = layOutCandidates(2, 1, 20);
  const pixel = (k: number | "main", x: number, y: number) => {
    const place = k === "main" ? layout.recommended : layout.candidates[k];
    const scale = place.width / SIDE;
    return at(2 * (place.x + x * scale), 2 * (place.y + y * scale));
  };
  const untouched = [GRAY, GRAY, GRAY];

  const blue = rgb(COLOR.added).map((c) =>
    AREA_OPACITY.added * c + (1 - AREA_OPACITY.added) * GRAY
  );
  assert(distance(pixel(0, 33, 20), blue) < 8, `${pixel(0, 33, 20)}`);
  assert(distance(pixel(0, 20, 20), untouched) < 4);
  assert(distance(pixel(0, 38, 20), untouched) < 4);

  // The hatch: full orange lines over see-through orange.
  const orange = rgb(COLOR.removed);
  const between = orange.map((c) => 0.42 * c + 0.58 * GRAY);
  const row = Array.from({ length: 60 }, (_, i) => pixel(1, 25 + i / 15, 20));
  assert(row.some((color) => distance(color, orange) < 12));
  assert(row.some((color) => distance(color, between) < 12));
  assert(distance(pixel(1, 15, 20), untouched) < 4);

  // The recommendation's outline, exactly on its pixels' edges.
  for (const [x, y] of [[10, 20], [30, 20], [20, 10], [20, 30]]) {
    assert(distance(pixel("main", x, y), rgb(COLOR.recommended)) < 12);
    const inward = pixel("main", x + (20 - x) / 4, y + (20 - y) / 4);
    assert(distance(inward, untouched) < 4);
  }
});

Deno.test("candidatesFigure() writes shares, pixels and Dice, and fills a bar by the share", async () => {
  const truth = box(10, 10, 36, 30);
  const figure = candidatesFigure({
    image: gray(),
    proposal: proposal(WIDER, NARROWER),
    truth,
    points: [{ x: 20, y: 20 }, { x: 2, y: 2, label: 0 }],
  });
  const svg = await figure.toSVG();
  const texts = [...svg.matchAll(/<text[^>]*>([^<]*)</g)].map(([, t]) => t);
  for (
    const expected of [
      "Recommendation",
      "75 % of samples",
      "25 % of samples",
      "+120",
      "−120",
      "Dice 0.870", // 2 * 400 / (400 + 520)
      "Dice 1.000",
      "Dice 0.700", // 2 * 280 / (280 + 520)
      "reference",
      "click inside",
      "click outside",
    ]
  ) assert(texts.includes(expected), `${expected} among ${texts}`);
  assert.match(svg, /<text[^>]*font-weight="700"[^>]*>Dice 1.000/);
  assert.doesNotMatch(svg, /<text[^>]*font-weight="700"[^>]*>Dice 0.700/);

  const { at } = await decodePNG(await figure.toPNG({ scale: 1 }));
  layOutCandidates(2, 1, 20).candidates.forEach((place, k) => {
    const y = place.y + place.height + 9;
    const share = [0.75, 0.25][k];
    const near = (part: number) => at(place.x + part * place.width, y);
    assert(distance(near(share - 0.02), rgb(COLOR.ink)) < 8);
    assert(distance(near(share + 0.02), rgb(COLOR.rule)) < 8);
  });
});

Deno.test("candidatesFigure() shows a click at its pixel's center", async () => {
  const figure = candidatesFigure({
    image: gray(),
    proposal: proposal(WIDER),
    points: [{ x: 5, y: 34 }, { x: 34, y: 5, label: 0 }],
  });
  const { at } = await decodePNG(await figure.toPNG());
  const { recommended: place } = layOutCandidates(1, 1, 20);
  const scale = place.width / SIDE;
  const near = (x: number, y: number) =>
    // between the sign's arms
    at(
      2 * (place.x + (x + 0.5) * scale + 3),
      2 * (place.y + (y + 0.5) * scale + 3),
    );
  assert(distance(near(5, 34), rgb(COLOR.positive)) < 12, `${near(5, 34)}`);
  assert(distance(near(34, 5), rgb(COLOR.negative)) < 12, `${near(34, 5)}`);
});

Deno.test("candidatesFigure() and maskFigure() draw a box from pixel center to pixel center", async () => {
  const box = { left: 4, top: 6, right: 34, bottom: 31 };
  const options = { image: gray(), box };
  const { recommended } = layOutCandidates(1, 1, 20);
  for (
    const [figure, place] of [
      [
        candidatesFigure({ ...options, proposal: proposal(WIDER) }),
        recommended,
      ],
      [
        maskFigure({ ...options, mask: RECOMMENDED }),
        { x: 20, y: 20, width: 480 },
      ],
    ] as const
  ) {
    const { at } = await decodePNG(await figure.toPNG());
    const scale = place.width / SIDE;
    const pixel = (x: number, y: number) =>
      at(2 * (place.x + (x + 0.5) * scale), 2 * (place.y + (y + 0.5) * scale));
    for (const [x, y] of [[4, 20], [34, 20], [20, 6], [20, 31]]) {
      assert(distance(pixel(x, y), rgb(COLOR.positive)) < 12, `${x} ${y}`);
    }
    assert.deepEqual(pixel(2, 20), [GRAY, GRAY, GRAY]);
    assert((await figure.toSVG()).includes(">box given</text>"));
  }
  const without = candidatesFigure({
    image: gray(),
    proposal: proposal(WIDER),
  });
  assert(!(await without.toSVG()).includes("box given"));
});

Deno.test("candidatesFigure() frames what was chosen", async () => {
  const layout = layOutCandidates(2, 1, 20);
  for (const chosen of [0, 1, "accept"] as const) {
    const figure = candidatesFigure({
      image: gray(),
      proposal: proposal(WIDER, NARROWER),
      chosen,
    });
    const { at } = await decodePNG(await figure.toPNG());
    const framed = [layout.recommended, ...layout.candidates].map((place) =>
      distance(
        at(2 * (place.x + place.width / 2), 2 * (place.y - 1)),
        rgb(COLOR.ink),
      ) < 8
    );
    const expected = ["accept", 0, 1].map((each) => each === chosen);
    assert.deepEqual(framed, expected);
    const word = chosen === "accept" ? "accepted" : "chosen";
    assert((await figure.toSVG()).includes(`>${word}</text>`));
  }
});

Deno.test("candidatesFigure() draws 0 to 16 candidates inside its frame", async () => {
  for (const count of [0, 1, 2, 3, 4, 5, 6, 9, 16]) {
    for (const aspect of [0.3, 0.75, 1, 1.4, 3]) {
      const layout = layOutCandidates(count, aspect, 20);
      for (const { x, y, width, height } of layout.candidates) {
        assert(width >= 60 && height >= 36, `${count} ${aspect}: ${width}`);
        assert(x >= 20 && x + width <= 880.5 && y >= 20);
        assert(y + height < layout.bottom);
      }
    }
    const candidates = Array.from({ length: count }, () => WIDER);
    const figure = candidatesFigure({
      image: gray(),
      proposal: proposal(...candidates),
      title: "Title",
    });
    const { width, height } = await decodePNG(await figure.toPNG({ scale: 1 }));
    assert.deepEqual([width, height], [figure.width, figure.height]);
    const svg = await figure.toSVG();
    assert.equal(svg.match(/>75 %/g)?.length ?? 0, count);
  }
});

/** The places of captions' texts and swatches, by baseline, from left to right. */
async function linesOf(svg: string): Promise<[number, number, string][][]> {
  const fonts = await loadFonts();
  const found: [y: number, left: number, right: number, what: string][] = [];
  const texts =
    /<text x="([\d.]+)" y="([\d.]+)" font-size="(\d+)"( font-weight="700")? text-anchor="(\w+)"[^>]*>([^<]*)</g;
  for (const [, x, y, size, bold, anchor, content] of svg.matchAll(texts)) {
    if (Number(y) < 20) continue; // in a legend, whose items are moved
    const width = fonts.width(content, Number(size), bold !== undefined);
    const left = Number(x) -
      (anchor === "end" ? width : anchor === "middle" ? width / 2 : 0);
    found.push([Number(y), left, left + width, content]);
  }
  const swatches = /translate\(([\d.]+) ([\d.]+)\)"><rect[^>]*width="12"/g;
  for (const [, x, y] of svg.matchAll(swatches)) {
    found.push([Number(y) + 9, Number(x), Number(x) + 12, "swatch"]);
  }
  return [...Map.groupBy(found, ([y]) => Math.round(y)).values()].map((line) =>
    line.map(([, left, right, what]): [number, number, string] => [
      ...[left, right] as const,
      what,
    ]).sort(([a], [b]) => a - b)
  );
}

Deno.test("candidatesFigure() keeps captions apart, however many and large", async () => {
  const side = 1200;
  const image = ndarray(new Float32Array(side * side), [side, side, 1]);
  const count = (pixels: number) => {
    const mask = ndarray(new Uint8Array(side * side), [side, side]);
    mask.data.fill(1, 0, pixels);
    return mask;
  };
  const mask = count(400_000);
  const probability = ndarray(new Float32Array(1), [1, 1]);
  const kinds = [[12, 999_000], [131_000, 188_888], [1_100_000, 8_888]].map(
    ([added, removed]): Candidate => ({
      ...{ mask, probability, members: [] },
      ...{ share: 1, added: count(added), removed: count(removed) },
    }),
  );
  for (const many of [3, 4, 5, 6, 7, 9, 12, 16]) {
    const figure = candidatesFigure({
      image,
      proposal: {
        recommended: { mask, probability },
        candidates: Array.from({ length: many }, (_, k) => kinds[k % 3]),
      },
      truth: mask,
      chosen: many - 1,
    });
    const svg = await figure.toSVG();
    for (const line of await linesOf(svg)) {
      line.forEach(([left, right, what], i) => {
        const before = line[i - 1]?.[1] ?? 0;
        assert(left > before + 1.5, `${many}: ${what} at ${left}, ${before}`);
        assert(right <= 881, `${many}: ${what} ends at ${right}`);
      });
    }
    assert.equal(svg.match(/>Dice 1.000</g)!.length, many + 1);
    assert(svg.includes(">−999k<") && svg.includes(">+131k<"));
  }
});

Deno.test("compactCount() takes four characters at most", () => {
  const counts = [0, 999, 1000, 1234, 9949, 9950, 12_649, 999_499, 1_300_000];
  assert.deepEqual(counts.map(compactCount), [
    ...["0", "999", "1.0k", "1.2k", "9.9k", "10k", "13k", "999k", "1.3M"],
  ]);
});

Deno.test("candidatesFigure() accepts color images, views, and text of any kind", async () => {
  const color = ndarray(new Float32Array(SIDE * SIDE * 3), [SIDE, SIDE, 3]);
  for (let i = 0; i < color.data.length; i += 3) color.data[i] = 1; // red
  const flipped = color.transpose(1, 0, 2).step(-1, 1, 1);
  const figure = candidatesFigure({
    image: flipped,
    proposal: proposal(WIDER),
    title: `<script>"&'\u0000 ${"long ".repeat(80)}`,
  });
  const svg = await figure.toSVG();
  assert.doesNotMatch(svg, /<script/);
  assert.match(
    svg,
    />&lt;script&gt;&quot;&amp;'\ufffd long .*….*long <\/text>/,
  );
  const { at } = await decodePNG(await figure.toPNG());
  assert(distance(at(60, 140), [255, 0, 0]) < 4);
});

Deno.test("candidatesFigure() refuses masks of another size than the image", () => {
  const image = ndarray(new Float32Array(30 * SIDE), [30, SIDE, 1]);
  assert.throws(
    () => candidatesFigure({ image, proposal: proposal(WIDER) }),
    { name: "RangeError", message: /\[30,40\]: current value is \[40,40\]/ },
  );
});

Deno.test("closeView() frames all masks, or the whole image where they fill it", () => {
  const view = closeView([box(4, 10, 12, 20), box(8, 12, 14, 18)]);
  assert.deepEqual(view, { x: 0, y: 3, width: 24, height: 24 });
  const whole = { x: 0, y: 0, width: SIDE, height: SIDE };
  assert.deepEqual(closeView([box(2, 2, 30, 30)]), whole);
  assert.deepEqual(closeView([box(0, 0, 0, 0)]), whole);
});

Deno.test("entropyFigure() colors the map by nats, on the scale beside it", async () => {
  const entropy = ndarray(new Float32Array(SIDE * SIDE), [SIDE, SIDE]);
  for (let y = 0; y < SIDE; y++) {
    for (let x = 20; x < SIDE; x++) entropy.set(y, x, Math.LN2);
  }
  const figure = entropyFigure({ image: gray(), entropy, mask: RECOMMENDED });
  const { at, width } = await decodePNG(await figure.toPNG());
  assert.equal(width, 1800);
  const side = (900 - 40 - 24 - 14 - 16 - 64) / 2;
  const map = (x: number, y: number) =>
    at(2 * (20 + side + 24 + x * side / SIDE), 2 * (20 + y * side / SIDE));
  assert(distance(map(4, 4), colormap(0)) < 6);
  assert(distance(map(36, 4), colormap(1)) < 6);
  assert(distance(at(100, 100), [GRAY, GRAY, GRAY]) < 4);
  const scale = (part: number) => at(2 * 808, 2 * (20 + side * (1 - part)));
  for (const part of [0.02, 0.25, 0.5, 0.75, 0.98]) {
    assert(distance(scale(part), colormap(part)) < 10, `at ${part}`);
  }
});

Deno.test("colormap() grows lighter all the way, and clips", () => {
  const luminance = ([r, g, b]: number[]) =>
    0.2126 * r + 0.7152 * g + 0.0722 * b;
  for (let i = 1; i <= 64; i++) {
    assert(luminance(colormap(i / 64)) > luminance(colormap((i - 1) / 64)));
  }
  assert.deepEqual(colormap(0), [0, 0, 4]);
  assert.deepEqual(colormap(1), [252, 253, 191]);
  assert.deepEqual(colormap(7), colormap(1));
  assert.deepEqual(colormap(NaN), colormap(0));
});

Deno.test("maskFigure() outlines the mask and gives Dice with a reference", async () => {
  const figure = maskFigure({
    image: gray(),
    mask: RECOMMENDED,
    truth: box(10, 10, 30, 20),
    points: [{ x: 1, y: 1 }, { x: 2, y: 30, label: 0 }],
  });
  const { at, width, height } = await decodePNG(await figure.toPNG());
  assert.deepEqual([width, height], [1040, 2 * figure.height]);
  const pixel = (x: number, y: number) =>
    at(2 * (20 + 12 * x), 2 * (20 + 12 * y));
  assert(distance(pixel(10, 25), rgb(COLOR.recommended)) < 12);
  assert(distance(pixel(20, 25), [GRAY, GRAY, GRAY]) < 4);
  assert.match(await figure.toSVG(), />reference, Dice 0.667</); // 2*200/600
  // Every legend entry stands inside the figure.
  const rows = [...(await figure.toSVG()).matchAll(/translate\(\d+ (\d+)\)/g)];
  assert(rows.every(([, y]) => Number(y) + 16 < figure.height));
});

Deno.test("maskFigure() embeds an image of any size at a bounded size", async () => {
  for (const [side, kept] of [[8, 280], [71, 284], [300, 300], [2000, 1024]]) {
    const image = ndarray(new Float32Array(side * side), [side, side, 1]);
    const mask = ndarray(new Uint8Array(side * side), [side, side]);
    const svg = await maskFigure({ image, mask }).toSVG();
    const [, png] = svg.match(/data:image\/(?:png|jpeg);base64,([^"]+)/)!;
    const { width } = await decodePNG(Uint8Array.fromBase64(png));
    assert.equal(width, kept);
  }
});

const textsOf = (svg: string) =>
  [...svg.matchAll(/<text[^>]*>([^<]*)</g)].map(([, text]) => text);

Deno.test("a region that is not the whole image is framed at its edges, named, and the rest darkened", async () => {
  const region = { left: 4.5, top: 9.5, right: 34.5, bottom: 39.5 }; // a pixel's edges
  const figures = [
    candidatesFigure({
      image: gray(),
      proposal: { ...proposal(WIDER), region },
      zoom: false,
    }),
    maskFigure({ image: gray(), mask: RECOMMENDED, region }),
    imageFigure({ image: gray(), region }),
  ];
  const { recommended } = layOutCandidates(1, 1, 20);
  const places = [recommended, { x: 20, y: 20, width: 480 }];
  for (const [i, figure] of figures.entries()) {
    const svg = await figure.toSVG();
    assert(textsOf(svg).includes("region the network sees"));
    const { at } = await decodePNG(await figure.toPNG());
    const place = places[i] ?? places[1];
    const scale = place.width / SIDE;
    const pixel = (x: number, y: number) =>
      at(2 * (place.x + x * scale), 2 * (place.y + y * scale));
    // the corner's arms, on the edges of pixels 5 and 34
    for (const [x, y] of [[5, 10.4], [5.4, 10], [35, 10.4], [34.6, 10]]) {
      assert(distance(pixel(x, y), [255, 255, 255]) < 12, `${i}: ${x} ${y}`);
    }
    assert(distance(pixel(8, 35), [GRAY, GRAY, GRAY]) < 4);
    const dark = 0.7 * GRAY;
    assert(distance(pixel(2, 35), [dark, dark, dark]) < 4);
  }
  const whole = { left: -0.5, top: -0.5, right: 39.5, bottom: 39.5 };
  for (
    const figure of [
      candidatesFigure({
        image: gray(),
        proposal: { ...proposal(WIDER), region: whole },
      }),
      imageFigure({ image: gray(), region: whole }),
    ]
  ) {
    const texts = textsOf(await figure.toSVG());
    assert(!texts.includes("region the network sees"));
  }
});

Deno.test("candidatesFigure() says what is wrong with the recommendation, above it", async () => {
  const notice = { kind: "empty", text: "It is empty: click again." } as const;
  const figure = candidatesFigure({
    image: gray(),
    proposal: { ...proposal(WIDER), notice },
  });
  assert(textsOf(await figure.toSVG()).includes(notice.text));
  assert.match(figure.alt, /It is empty: click again\.$/);
});

Deno.test("candidatesFigure() shows the candidates of a large image in all its pixels", async () => {
  const side = 2048;
  const image = ndarray(new Float32Array(side * side), [side, side, 1]);
  const mask = ndarray(new Uint8Array(side * side), [side, side]);
  for (let y = 1000; y < 1030; y++) {
    for (let x = 1000; x < 1030; x++) {
      mask.set(y, x, 1);
      image.set(y, x, 0, (x + y) % 2); // lost at half the size
    }
  }
  const empty = ndarray(new Uint8Array(side * side), [side, side]);
  const figure = candidatesFigure({
    image,
    proposal: {
      recommended: { mask, probability: image },
      candidates: [{
        ...{ mask, added: empty, removed: empty, share: 1, members: [] },
        probability: image,
      }],
    },
  });
  const { at } = await decodePNG(await figure.toPNG());
  const { candidates: [place] } = layOutCandidates(1, 1, 20);
  const view = closeView([mask]);
  const scale = place.width / view.width;
  const pixel = (x: number, y: number) =>
    at(
      2 * (place.x + (x + 0.5 - view.x) * scale),
      2 * (place.y + (y + 0.5 - view.y) * scale),
    )[0];
  assert(pixel(1014, 1014) < 40 && pixel(1015, 1014) > 215);
});

Deno.test("candidatesFigure() calls an accepted candidate accepted", async () => {
  const options = { image: gray(), proposal: proposal(WIDER), chosen: 0 };
  const accepted = candidatesFigure({ ...options, accepted: true });
  assert(textsOf(await accepted.toSVG()).includes("accepted"));
  const chosen = candidatesFigure(options);
  assert(textsOf(await chosen.toSVG()).includes("chosen"));
});
