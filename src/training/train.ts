/**
 * Training (Algorithm 1): simulated users at mixed iterations make a batch,
 * and the network is updated after every iteration of theirs.
 */

import { jit } from "../engine/jit.ts";
import type { HostTensor } from "../engine/tensors.ts";
import { checkWeights } from "../model/compare_weights.ts";
import { maskSide, type ModelConfig } from "../model/config.ts";
import { hasFinder } from "../model/region_finder.ts";
import type { HostWeights } from "../model/weights.ts";
import { declareWeights, initializeWeights } from "../model/declare_weights.ts";
import type { Random } from "../random.ts";
import { packFeedback } from "../spa/feedback.ts";
import { normalizeLogWeights } from "../spa/mixture.ts";
import { FeatureCache } from "./feature_cache.ts";
import { fitFinder } from "./fit_finder.ts";
import { drawGroup, type Group } from "./groups.ts";
import { optimize } from "./optimize.ts";
import { defaultRecipe, type Recipe, type TrainOptions } from "./recipe.ts";
import {
  advanceTrainee,
  type SimulatedTrainee,
  type TraineeReport,
} from "./simulation.ts";
import { stack } from "./stack.ts";
import { trainingStep, type UserOutputs } from "./step.ts";
import { digestOf, orderCases, type TrainingCase } from "./training_case.ts";

/**
 * Prompt slots of a run, always the same, so that one program serves it: a click
 * for every iteration, and a box or SAM's padding.
 */
function slotsOf(
  { iterations, clickShare, boxShare }: Recipe,
): number | undefined {
  if (clickShare === 0 && boxShare === 0) return undefined;
  return iterations + (boxShare > 0 ? 2 : 1);
}

/** The evidence of the profiles of those users who have not chosen yet, [B, M]. */
function packProfiles(
  { components: M }: ModelConfig,
  users: readonly SimulatedTrainee[],
): HostTensor {
  const none = new Float64Array(M);
  const rows = users.map(({ profile, feedback }) =>
    profile && feedback.choices.length === 0 ? profile.evidence : none
  );
  return stack(rows, [users.length, M]);
}

/**
 * The components that have a sample in a step: `count` of M, drawn without
 * repetition, in order; all M for 0.
 */
function drawComponents(M: number, count: number, random: Random): Int32Array {
  const order = Int32Array.from({ length: M }, (_, m) => m);
  if (count === 0 || count >= M) return order;
  for (let i = 0; i < count; i++) {
    const j = i + random.integer(M - i);
    [order[i], order[j]] = [order[j], order[i]];
  }
  return order.slice(0, count).sort();
}

/** Rows of the unit matrix, [B, N, M]. */
function packDrawn(drawn: readonly Int32Array[], M: number): HostTensor {
  const [B, N] = [drawn.length, drawn[0].length];
  const data = new Float32Array(B * N * M);
  drawn.forEach((components, b) =>
    components.forEach((m, n) => data[(b * N + n) * M + m] = 1)
  );
  return { data, shape: [B, N, M] };
}

/** Packs the groups' images and users into a step's batch. */
async function packBatch(
  config: ModelConfig,
  groups: readonly Group[],
  cache: FeatureCache | undefined,
  recipe: Recipe,
  random: Random,
) {
  const users = groups.flatMap((group) => group.users);
  const { components: M, latentChannels: d, imageSize: S } = config;
  const B = users.length;
  const side = maskSide(config);
  const drawn = users.map((user) =>
    user.drawn = drawComponents(M, recipe.samples, random)
  );
  const N = drawn[0].length;
  const noise = new Float32Array(B * N * d);
  for (let i = 0; i < noise.length; i++) noise[i] = random.normal();
  const frozenEmbedding = await cache?.of(groups);
  return {
    ...(frozenEmbedding && { frozenEmbedding }),
    ...packFeedback(
      config,
      users.map(({ feedback }) => feedback),
      slotsOf(recipe),
    ),
    pixels: stack(groups.map((g) => g.pixels), [groups.length, S, S, 3]),
    target: stack(users.map((u) => u.target), [B, side, side]),
    evidence: stack(users.map((u) => u.evidence), [B, M]),
    profile: packProfiles(config, users),
    ...(N < M && { drawn: packDrawn(drawn, M) }),
    noise: { data: noise, shape: [B, N, d] },
  };
}

/**
 * Trains a network (Algorithm 1): simulated users at mixed iterations make a
 * batch, and one joint update follows every iteration of theirs. A network with a
 * frozen encoder learns afterwards how large a clicked object is, by ridge
 * regression, so that `encode` finds its region.
 *
 * @param config The network's shape.
 * @param cases Training cases; with none, phantoms alone.
 * @param recipe See `Recipe`.
 * @param options First weights, checkpoint file and reports.
 * @returns The averaged weights, for a `Model`.
 * @throws {RangeError} When a figure of the recipe or a case is not what its docs
 * say, the batch is no multiple of the users per image, the masks are empty or too
 * small, the checkpoint is damaged or of another config, recipe, other cases or
 * first weights, or the loss, the gradient's norm or a weight is no longer finite.
 * @throws {TypeError} When `initial` has not the weights of the config.
 *
 * @example Two steps on phantoms of 32 pixels
 * ```ts
 * import { Model } from "@spa-seg/spa";
 * import { defaultRecipe, presets, train } from "@spa-seg/spa/train";
 *
 * const config = { ...presets.tiny, imageSize: 32 };
 * const recipe = { ...defaultRecipe, steps: 2, batch: 1 };
 * const weights = await train(config, [], recipe);
 * using model = new Model(config, weights);
 * ```
 */
export async function train(
  config: ModelConfig,
  cases: readonly TrainingCase[],
  recipe: Recipe = defaultRecipe,
  { initial, cache: folder, ...options }: TrainOptions = {},
): Promise<HostWeights> {
  const ordered = orderCases(cases, recipe.syntheticShare > 0);
  const first = initial ?? initializeWeights(config, recipe.seed);
  checkWeights("train", config.name, declareWeights(config), first);
  const frozen = hasFinder(config);
  const temporary = frozen && folder === undefined && recipe.placements > 0
    ? await Deno.makeTempDir({ prefix: "spa-seg-" })
    : undefined;
  const cache = frozen
    ? new FeatureCache(config, first, folder ?? temporary)
    : undefined;
  const training = optimize(
    {
      name: config.name,
      description: { config, recipe, cases: digestOf(ordered) },
      declared: declareWeights(config),
      step: jit(trainingStep(config, recipe.loss, {}), {
        name: "trainingStep",
        resident: ["state"],
      }),
      count: recipe.batch / recipe.usersPerImage,
      draw: (random, left, before?: Group) =>
        drawGroup(ordered, config, recipe, random, left, before),
      pack: (groups, random) =>
        packBatch(config, groups, cache, recipe, random),
      advance: (groups, outputs: UserMaps, random) =>
        advanceGroups(config, groups, outputs, random),
    },
    recipe,
    { ...options, initial: first },
  );
  const trained = await training.finally(async () => {
    await cache?.dispose();
    if (temporary) await Deno.remove(temporary, { recursive: true });
  });
  return frozen
    ? await fitFinder(config, trained, ordered, recipe.seed)
    : trained;
}

/** The outputs that the users of a batch see: probabilities, and log pi. */
type UserMaps = Record<keyof UserOutputs, HostTensor>;

/** Lets every user of a batch see and choose. */
async function advanceGroups(
  config: ModelConfig,
  groups: readonly Group[],
  outputs: UserMaps,
  random: Random,
): Promise<TraineeReport[]> {
  const users = groups.flatMap((group) => group.users);
  const reports: TraineeReport[] = [];
  for (const [b, user] of users.entries()) {
    const part = ({ data }: HostTensor) => {
      const size = data.length / users.length;
      return (data as Float32Array).slice(b * size, (b + 1) * size);
    };
    const logWeights = part(outputs.logWeights);
    const drawn = user.drawn!;
    const shares = normalizeLogWeights(
      Float64Array.from(drawn, (m) => logWeights[m]),
    );
    reports.push(
      await advanceTrainee(
        user,
        part(outputs.probabilities),
        drawn.length < logWeights.length
          ? shares.map(Math.exp)
          : Float64Array.from(logWeights, Math.exp),
        config,
        random,
        config.components,
        drawn,
      ),
    );
  }
  return reports;
}
