/** Every verb takes views: transposed, flipped, with gaps between the values. */
import assert from "node:assert/strict";
// @ts-types="@types/ndarray"
import type { NdArray } from "ndarray";
import { contiguous } from "../../src/arrays/contiguous.ts";
import { cleanMask } from "../../src/arrays/clean_mask.ts";
import { useEngine } from "../../src/engine/engine.ts";
import * as metrics from "../../src/metrics/overlap.ts";
import { hd95 } from "../../src/metrics/surface.ts";
import { Model } from "../../src/model/model.ts";
import { addPoint, updatePreference } from "../../src/spa/update_preference.ts";
import { cluster, type Proposal } from "../../src/spa/cluster.ts";
import { decode } from "../../src/spa/decode.ts";
import { encode } from "../../src/spa/encode.ts";
import type { GaussianMixture } from "../../src/spa/mixture.ts";
import type { Predictions } from "../../src/spa/predictions.ts";
import type { Preference } from "../../src/spa/preference.ts";
import { sampleGMM } from "../../src/spa/sample_gmm.ts";
import { Session } from "../../src/spa/session.ts";
import { errorClick } from "../../src/spa/simulated_user.ts";
import {
  carryPreference,
  startPreference,
} from "../../src/spa/start_preference.ts";
import { scattered } from "../helpers/scattered.ts";
import {
  discImage,
  discMask,
  noisyWeights,
  smallConfig,
} from "../helpers/small_model.ts";

await useEngine("auto", { threads: 1 });
const model = new Model(smallConfig, noisyWeights(smallConfig));
const disc = { x: 12, y: 9, radius: 6 };
const image = discImage(20, 28, disc);
const mask = discMask(20, 28, disc);
const points = [{ x: 12, y: 9 }];
const embedding = await encode(model, image, { region: "whole" });
const started = await startPreference(model, embedding, { points });
const latents = sampleGMM(started.distribution, { samples: 12 });
const predictions = await decode(model, embedding, started, { latents });
const proposal = cluster(predictions);
const update = { proposal, choice: 1 };
const preference = await updatePreference(model, embedding, started, update);

const mixtureView = (mixture: GaussianMixture): GaussianMixture => ({
  ...mixture,
  means: scattered(mixture.means),
  deviations: scattered(mixture.deviations),
});

function predictionsView(given: Predictions): Predictions {
  const { latents, probabilities } = given;
  return {
    ...given,
    probabilities: scattered(probabilities),
    latents: { ...latents, values: scattered(latents.values) },
  };
}

function preferenceView(given: Preference): Preference {
  const { kept, feedback } = given;
  return {
    ...given,
    distribution: mixtureView(given.distribution),
    feedback: {
      ...feedback,
      choices: feedback.choices.map((choice) => ({
        ...choice,
        recommended: scattered(choice.recommended),
        candidates: choice.candidates.map(scattered),
      })),
    },
    ...(kept && {
      kept: { ...kept, probabilities: scattered(kept.probabilities) },
    }),
  };
}

const proposalView = (given: Proposal): Proposal => ({
  ...given,
  recommended: {
    ...given.recommended,
    probability: scattered(given.recommended.probability),
  },
  candidates: given.candidates.map((candidate) => ({
    ...candidate,
    probability: scattered(candidate.probability),
  })),
  predictions: predictionsView(given.predictions),
});

const isArray = (value: unknown): value is NdArray<Float32Array> =>
  typeof value === "object" && value !== null && "stride" in value;

/** All numbers in a value; arrays as what they show. */
function numbersIn(value: unknown): unknown {
  if (isArray(value)) {
    return { shape: value.shape, data: [...contiguous(value).data] };
  }
  if (ArrayBuffer.isView(value)) return [...value as Float32Array];
  if (Array.isArray(value)) return value.map(numbersIn);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, part]) => [key, numbersIn(part)]),
  );
}

const cases: Record<string, (view: boolean) => unknown> = {
  "encode() an image": async (view) => {
    using made = await encode(model, view ? scattered(image) : image, {
      mask: view ? scattered(mask) : mask,
    });
    return [made.identity, made.frame];
  },
  "startPreference() a mask": (view) =>
    startPreference(model, embedding, {
      mask: view ? scattered(mask) : mask,
    }),
  "sampleGMM() a mixture": (view) => {
    const { distribution } = preference;
    return sampleGMM(view ? mixtureView(distribution) : distribution);
  },
  "decode() latents and a preference": (view) => {
    const latents = sampleGMM(preference.distribution, { samples: 12 });
    const { values } = latents;
    return decode(
      model,
      embedding,
      view ? preferenceView(preference) : preference,
      { latents: { ...latents, values: view ? scattered(values) : values } },
    ).then((
      { probabilities, shares, state },
    ) => [probabilities, shares, state]);
  },
  "cluster() predictions": (view) => {
    const made = cluster(view ? predictionsView(predictions) : predictions);
    const { recommended, candidates, spread, entropy } = made;
    return { recommended, candidates, spread, entropy };
  },
  "updatePreference() a proposal": (view) =>
    updatePreference(
      model,
      embedding,
      view ? preferenceView(started) : started,
      { proposal: view ? proposalView(proposal) : proposal, choice: 1 },
    ),
  "updatePreference() a proposal by the M-step": (view) =>
    updatePreference(
      model,
      embedding,
      view ? preferenceView(started) : started,
      {
        proposal: view ? proposalView(proposal) : proposal,
        choice: 1,
        rule: "m-step",
      },
    ),
  "addPoint() a preference": (view) =>
    addPoint(model, embedding, view ? preferenceView(preference) : preference, {
      point: { x: 3, y: 3, label: 0 },
    }),
  "carryPreference() a preference": async (view) => {
    const region = { left: 2, top: -1, right: 24, bottom: 21 };
    using wider = await encode(model, image, { region });
    const given = view ? preferenceView(preference) : preference;
    return await carryPreference(model, wider, given);
  },
  "a session's image and starting mask": async (view) => {
    using session = await Session.start(
      model,
      view ? scattered(image) : image,
      { mask: view ? scattered(mask) : mask },
    );
    await session.choose(0);
    return [session.mask, session.toJSON()];
  },
  "cleanMask(), errorClick() and metrics": (view) => {
    const given = view ? scattered(mask) : mask;
    const other = discMask(20, 28, { ...disc, x: 14 });
    const second = view ? scattered(other) : other;
    return [
      cleanMask(given, { fillHoles: true, largestComponent: true }),
      errorClick(given, second),
      metrics.dice(given, second),
      metrics.iou(given, second),
      hd95(given, second),
    ];
  },
};

for (const [what, of] of Object.entries(cases)) {
  Deno.test(`views give the numbers of arrays without gaps: ${what}`, async () => {
    assert.deepEqual(numbersIn(await of(true)), numbersIn(await of(false)));
  });
}
