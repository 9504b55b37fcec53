/** What the method's functions refuse, and in which words. */
import assert from "node:assert/strict";
// @ts-types="@types/ndarray"
import ndarray from "ndarray";
import { useEngine } from "../../src/engine/engine.ts";
import { Model } from "../../src/model/model.ts";
import { cluster } from "../../src/spa/cluster.ts";
import { decode } from "../../src/spa/decode.ts";
import { encode } from "../../src/spa/encode.ts";
import { type Latents, sampleGMM } from "../../src/spa/sample_gmm.ts";
import { type Start, startPreference } from "../../src/spa/start_preference.ts";
import { updatePreference } from "../../src/spa/update_preference.ts";
import {
  discImage,
  noisyWeights,
  smallConfig,
} from "../helpers/small_model.ts";

await useEngine("auto", { threads: 1 });
const model = new Model(smallConfig, noisyWeights(smallConfig));
const image = discImage(20, 28, { x: 12, y: 9, radius: 6 });
const embedding = await encode(model, image);

for (
  const shape of [
    [20, 28],
    [0, 28, 1],
    [20, 0, 3],
    [20, 28, 2],
    [
      20,
      28,
      4,
    ],
    [1, 20, 28, 1],
    [0],
  ]
) {
  Deno.test(`encode() refuses an image of shape [${shape}]`, async () => {
    const size = shape.reduce((product, side) => product * side, 1);
    await assert.rejects(
      () => encode(model, ndarray(new Float32Array(size), shape)),
      new RangeError(
        `Cannot encode the image as its shape must be [H, W, 1] or [H, W, 3]: current value is [${shape}]`,
      ),
    );
  });
}

Deno.test("encode() refuses an image that holds NaN or an infinity", async () => {
  for (const value of [NaN, Infinity, -Infinity]) {
    const broken = discImage(20, 28, { x: 12, y: 9, radius: 6 });
    broken.set(11, 7, 0, value);
    await assert.rejects(
      () => encode(model, broken),
      /^RangeError: Cannot encode the image as its values must be finite: current value at \(\d+, \d+\) is -?(NaN|Infinity)$/,
    );
  }
});

const inside = "it must lie in the image, x in 0..27 and y in 0..19";
const starts: [string, Start, string][] = [
  ["nothing", {}, "0 points, none of them positive"],
  [
    "negative points alone",
    { points: [{ x: 1, y: 1, label: 0 }, { x: 2, y: 2, label: 0 }] },
    "2 points, none of them positive",
  ],
  [
    "a point to the right of the image",
    { points: [{ x: 28, y: 3 }] },
    "(28, 3)",
  ],
  ["a point above the image", { points: [{ x: 3, y: -1 }] }, "(3, -1)"],
  ["a point that is NaN", { points: [{ x: NaN, y: 3 }] }, "(NaN, 3)"],
  [
    "a second point below the image",
    { points: [{ x: 3, y: 3 }, { x: 3, y: 20, label: 0 }] },
    "(3, 20)",
  ],
];
for (const [what, start, found] of starts) {
  const rule = found.startsWith("(")
    ? `Cannot use the point as ${inside}`
    : "Cannot start as there must be a positive point, a box or a mask";
  Deno.test(`startPreference() refuses ${what}`, async () => {
    await assert.rejects(
      () => startPreference(model, embedding, start),
      new RangeError(`${rule}: current value is ${found}`),
    );
  });
}

Deno.test("startPreference() refuses an empty box", async () => {
  for (
    const box of [
      { left: 5, top: 5, right: 5, bottom: 9 },
      { left: 5, top: 9, right: 8, bottom: 9 },
      { left: 9, top: 5, right: 5, bottom: 9 },
    ]
  ) {
    await assert.rejects(
      () => startPreference(model, embedding, { box }),
      new RangeError(
        `Cannot use the box as left must be < right and top < bottom: current value is ${
          JSON.stringify(box)
        }`,
      ),
    );
  }
});

Deno.test("startPreference() refuses a box that leaves the image, whose edges are at half pixels", async () => {
  const box = { left: -0.5, top: -0.5, right: 27.5, bottom: 19.5 };
  await startPreference(model, embedding, { box });
  for (
    const [name, edge, range] of [
      ["left", -0.6, "-0.5..27.5"],
      ["right", 28, "-0.5..27.5"],
      ["bottom", 20, "-0.5..19.5"],
      ["top", NaN, "-0.5..19.5"],
    ] as const
  ) {
    await assert.rejects(
      () =>
        startPreference(model, embedding, { box: { ...box, [name]: edge } }),
      new RangeError(
        `Cannot use the box as its ${name} must lie in the image, ${range}: current value is ${edge}`,
      ),
    );
  }
  const typed = { ...box, top: "3" } as unknown as typeof box;
  await assert.rejects(
    () => startPreference(model, embedding, { box: typed }),
    /^TypeError: Cannot use the box as its top must be a number: current value is "3"$/,
  );
});

Deno.test("startPreference() takes a box alone, with negative points if any", async () => {
  const box = { left: 5, top: 3, right: 20, bottom: 16 };
  const { distribution } = await startPreference(model, embedding, {
    box,
    points: [{ x: 0, y: 0, label: 0 }],
  });
  const total = distribution.logWeights.reduce(
    (s, log) => s + Math.exp(log),
    0,
  );
  assert.ok(Math.abs(total - 1) < 1e-5);
});

const preference = await startPreference(model, embedding, {
  points: [{ x: 12, y: 9 }],
});

Deno.test("decode() refuses latents of another width than the model's", async () => {
  const latents: Latents = {
    values: ndarray(new Float32Array(40), [8, 5]),
    components: new Int32Array(8),
    seed: 0,
  };
  await assert.rejects(
    () => decode(model, embedding, preference, { latents }),
    new RangeError(
      "Cannot decode as latents must have 6 channels: current value is 5",
    ),
  );
});

Deno.test("decode() refuses a number of variations that is none", async () => {
  const latents = sampleGMM(preference.distribution, { samples: 8 });
  for (const variations of [-1, 0.5, NaN]) {
    await assert.rejects(
      () => decode(model, embedding, preference, { latents, variations }),
      new RangeError(
        `Cannot decode as variations must be a whole number >= 0: current value is ${variations}`,
      ),
    );
  }
});

Deno.test("updatePreference() refuses a candidate that was not shown", async () => {
  const latents = sampleGMM(preference.distribution, { samples: 8 });
  const predictions = await decode(model, embedding, preference, { latents });
  const proposal = cluster(predictions, { candidates: 2 });
  for (const choice of [2, -1, 0.5]) {
    await assert.rejects(
      () =>
        updatePreference(model, embedding, preference, { proposal, choice }),
      new RangeError(
        `Cannot update as the choice must be a candidate, 0..1: current value is ${choice}`,
      ),
    );
  }
});

Deno.test("numbers that are not finite are an error that names the engine", async () => {
  const { name } = await useEngine("auto", { threads: 1 });
  const broken = (of: RegExp) => {
    const weights = noisyWeights(smallConfig);
    for (const [key, { data }] of weights) if (of.test(key)) data.fill(NaN);
    return new Model(smallConfig, weights);
  };
  using generator = broken(/^preference_generator\..*bias$/);
  using seen = await encode(generator, image);
  await assert.rejects(
    () => startPreference(generator, seen, { points: [{ x: 12, y: 9 }] }),
    new RegExp(
      `^Error: Cannot generate the distribution as the engine ${name} must give finite numbers: current value is NaN, \\d+ of \\d+ are not finite`,
    ),
  );
  using decoder = broken(/^mask_decoder\..*bias$/);
  using other = await encode(decoder, image);
  const first = await startPreference(decoder, other, {
    points: [{ x: 12, y: 9 }],
  });
  const latents = sampleGMM(first.distribution, { samples: 8 });
  await assert.rejects(
    () => decode(decoder, other, first, { latents }),
    new RegExp(`^Error: Cannot decode as the engine ${name} must give finite`),
  );
});

Deno.test("an image embedding that is disposed says so", async () => {
  const gone = await encode(model, image);
  gone.dispose();
  await assert.rejects(
    () => startPreference(model, gone, { points: [{ x: 1, y: 1 }] }),
    /^TypeError: Cannot use a device tensor \[1,4,4,16\] as it is disposed$/,
  );
});

Deno.test("an image embedding of another engine is refused", async () => {
  const { name } = await useEngine("auto");
  await useEngine("cpu");
  await assert.rejects(
    () => startPreference(model, embedding, { points: [{ x: 1, y: 1 }] }),
    /^TypeError: Cannot use a device tensor as it must live in the current engine "cpu"/,
  );
  await useEngine(name, { threads: 1 });
});
