/**
 * One step from a slice to the next: the neighbor's mask is the starting mask,
 * the region moves along with it, and the user's profile is the mixture. Samples
 * count by how much what they mark looks like the aligned object: a network that
 * never saw such an object copies the starting mask else, beyond the object's end.
 */

// @ts-types="@types/ndarray"
import ndarray, { type NdArray } from "ndarray";
import { type PackedMask, unpackMask } from "../arrays/packed_mask.ts";
import { signedDistance } from "./interpolate.ts";
import { displacementOf, warp } from "./warp.ts";
import { squaredDistances } from "../arrays/squared_distances.ts";
import type { Model } from "../model/model.ts";
import { createRandom } from "../random.ts";
import { countOverlap } from "../metrics/overlap.ts";
import { meanMap } from "../spa/cluster.ts";
import { decode } from "../spa/decode.ts";
import type { ImageEmbedding } from "../spa/embedding.ts";
import { encode } from "../spa/encode.ts";
import {
  type Choice,
  clippedLogit,
  type Feedback,
  maskPrompt,
  type Point,
} from "../spa/feedback.ts";
import type { Box } from "../spa/frame.ts";
import { normalizeLogWeights } from "../spa/mixture.ts";
import type { Preference } from "../spa/preference.ts";
import type { Profile } from "../spa/profile.ts";
import { sampleGMM } from "../spa/sample_gmm.ts";
import { distributionOf } from "../spa/generate.ts";
import {
  type Appearance,
  ratiosAt,
  resemblanceOf,
  valuesAt,
} from "./appearance.ts";
import {
  bytesOf,
  moveMap,
  probabilitiesOf,
  type RegionMap,
  resultOf,
  type SliceResult,
} from "./slice_result.ts";

/** How a walk goes. */
export const WALK = {
  /** Side of the region in longer sides of the object, as in training. */
  room: 3,
  /** The region's side stays while the wanted one differs by less. */
  keep: 0.3,
  /** Share of the aligned slice's region below which none gets. */
  least: 0.6,
  /** Samples per slice. */
  samples: 16,
  /** Slices that show nothing that are stepped over, in a row. */
  gaps: 2,
  /** Share of a choice's likelihood that the next slice has. */
  fade: 0.8,
  /** Log weight of a sample that looks like the aligned object, per nat. */
  look: 30,
  /**
   * A cell's logit, of what speaks for it; see `Sight`. A bias that loses a tenth
   * of the area in a step loses half of the object in seven.
   */
  mix: { bias: -0.2, network: 0.5, depth: 2, pixel: 0.56 },
  /** The same where the network is not to be trusted; see `trustOf`. */
  doubted: { bias: -0.2, network: 0.25, depth: 7.5, pixel: 0.3 },
  /** Dice of the network in the aligned slice that is no trust, and all of it. */
  trust: { none: 0.78, all: 0.86 },
  /** The network looks at so many slices beside an aligned one ... */
  near: 12,
  /** ... and farther away at the first of so many: that is most of the work. */
  every: 3,
  /** `mix` in the slices that the network does not look at. */
  unseen: { bias: 0, network: 0, depth: 8, pixel: 0.3 },
  /** Confidence below which the object has ended. */
  confidence: 0.7,
  /** Resemblance below which it has. */
  resemblance: 0,
  /** Pixels below which it has. */
  area: 3,
};

/** A choice in an aligned slice, for the slices beside it. */
export interface KeptChoice {
  readonly recommended: RegionMap;
  readonly candidates: readonly RegionMap[];
  readonly chosen: number;
}

/** What every step of a walk from one aligned slice knows. */
export interface WalkSource {
  /** The aligned slice's choices, oldest first. */
  readonly choices: readonly KeptChoice[];
  /** Side of its region in pixels. */
  readonly regionSide: number;
  /** How the object looks there. */
  readonly appearance?: Appearance;
  /** The user's profile; the generator's own guess where there is none. */
  readonly profile?: Profile;
  /** How far the network is believed, 0..1, by default 1; see `trustOf`. */
  readonly trust?: number;
}

/** The slices of a volume as the network sees them, encoded once per region. */
export class SliceImages {
  readonly #model: Model;
  readonly #image: (slice: number) => NdArray<Float32Array>;
  /** The last that were made: two steps each look at a slice and the one beside. */
  readonly #made = new Map<number, NdArray<Float32Array>>();
  /** In order of their last use. */
  readonly #embeddings = new Map<string, Promise<ImageEmbedding>>();
  readonly #capacity: number;

  /**
   * @param image Makes a slice's image, [H, W, C], 0..1.
   * @param capacity Embeddings that are kept.
   */
  constructor(
    model: Model,
    image: (slice: number) => NdArray<Float32Array>,
    capacity = 96,
  ) {
    this.#model = model;
    this.#image = image;
    this.#capacity = capacity;
  }

  /** A slice's image; stays this object's own. */
  image(slice: number): NdArray<Float32Array> {
    const made = this.#made.get(slice) ?? this.#image(slice);
    this.#made.delete(slice);
    this.#made.set(slice, made);
    const [oldest] = this.#made.keys();
    if (this.#made.size > 4) this.#made.delete(oldest);
    return made;
  }

  /** A region of a slice as the network sees it; stays this object's own. */
  async embedding(slice: number, region: Box): Promise<ImageEmbedding> {
    const { left, top, right } = region;
    const key = `${slice} ${left} ${top} ${right}`;
    const known = this.#embeddings.get(key);
    if (known) {
      this.#embeddings.delete(key);
      this.#embeddings.set(key, known);
      return await known;
    }
    const made = encode(this.#model, this.image(slice), { region });
    made.catch(() => this.#embeddings.delete(key));
    this.#embeddings.set(key, made);
    for (const [oldest, embedding] of this.#embeddings) {
      if (this.#embeddings.size <= this.#capacity) break;
      this.#embeddings.delete(oldest);
      embedding.then((embedding) => embedding.dispose(), () => {});
    }
    return await made;
  }

  /** Gives back the embeddings' memory. */
  dispose(): void {
    for (const embedding of this.#embeddings.values()) {
      embedding.then((embedding) => embedding.dispose(), () => {});
    }
    this.#embeddings.clear();
  }
}

/**
 * The region in which to look for the object beside a slice: about its mask
 * there, of the same side as long as that fits.
 *
 * @param least The smallest side.
 */
export function followRegion(
  { top, left, height, width }: PackedMask,
  before: Box,
  least: number,
): Box {
  const old = before.right - before.left;
  const wanted = Math.max(least, WALK.room * Math.max(height, width));
  const stays = Math.abs(wanted / old - 1) < WALK.keep;
  const side = Math.max(1, Math.round(stays ? old : wanted));
  // steps of an eighth, so that walks from both sides look at the same region
  const step = Math.max(1, Math.round(side / 8));
  const start = (middle: number) =>
    Math.round((middle - side / 2) / step) * step - 0.5;
  const x = start(left + width / 2), y = start(top + height / 2);
  return { left: x, top: y, right: x + side, bottom: y + side };
}

/** The pixel of a mask that is farthest from its border. */
export function deepestPoint(packed: PackedMask): Point {
  const { top, left, height, width } = packed;
  const mask = unpackMask(packed);
  const wide = width + 2;
  const outside: number[] = [];
  for (let y = 0; y < height + 2; y++) {
    for (let x = 0; x < wide; x++) {
      const inside = y > 0 && x > 0 && y <= height && x <= width &&
        mask.get(top + y - 1, left + x - 1) > 0;
      if (!inside) outside.push(y * wide + x);
    }
  }
  const depth = squaredDistances(outside, height + 2, wide);
  let best = 0;
  for (let i = 0; i < depth.length; i++) if (depth[i] > depth[best]) best = i;
  return {
    x: left + best % wide - 1,
    y: top + Math.floor(best / wide) - 1,
  };
}

/** Whether an image is the same everywhere, as a slice that is missing is. */
export function isBlank({ data }: NdArray<Float32Array>): boolean {
  for (let i = 1; i < data.length; i++) if (data[i] !== data[0]) return false;
  return true;
}

/** A step of a walk. */
export interface Step {
  /** What is known of the slice beside. */
  readonly neighbor: SliceResult;
  /** Its index. */
  readonly from: number;
  /** The slice to look at. */
  readonly slice: number;
  /** Slices from the aligned one to it: 0 for that one itself. */
  readonly distance: number;
  /** Of the samples. */
  readonly seed: number;
}

/** What speaks for the object at every cell of a region, [side * side] each. */
export interface Sight {
  readonly region: Box;
  readonly side: number;
  /** Logits of the network, which saw the neighbor's mask; absent where it did not look. */
  readonly logits?: Float32Array;
  /**
   * Distance to the border of the neighbor's mask, moved along with the image,
   * in radii of a disk as large; positive inside.
   */
  readonly depths: Float32Array;
  /** How much the cell looks like the object: log-likelihood ratios. */
  readonly ratios: Float32Array;
}

/** Whether the network looks at a slice: near the aligned one, and after a gap. */
function isSeen({ distance, neighbor }: Step): boolean {
  const beyond = distance - WALK.near;
  return beyond <= 0 || beyond % WALK.every === 0 || neighbor.gap === true;
}

/**
 * A map as the slice shows it: moved along with the image. The work of a moment,
 * while the engine encodes the slice in a thread of its own.
 */
async function follow(
  images: SliceImages,
  { from, slice }: Step,
  start: Float32Array,
  place: { region: Box; side: number },
): Promise<Float32Array> {
  await new Promise((resolve) => setTimeout(resolve)); // the encoder begins
  const before = images.image(from);
  if (from === slice || isBlank(before)) return start; // nothing moves
  const field = displacementOf(
    valuesAt(before, place),
    valuesAt(images.image(slice), place),
    place.side,
  );
  return warp(start, field, place.side);
}

/** Distances to the border of a map's inside, in radii of a disk as large. */
function depthsOf(map: Float32Array, side: number): Float32Array {
  const inside = new Uint8Array(map.length);
  let area = 0;
  for (let i = 0; i < map.length; i++) {
    if (map[i] < 0.5) continue;
    inside[i] = 1;
    area++;
  }
  const radius = Math.sqrt(Math.max(1, area) / Math.PI);
  const distances = signedDistance(ndarray(inside, [side, side]));
  const depths = new Float32Array(map.length);
  for (let i = 0; i < map.length; i++) {
    depths[i] = Math.max(-1.5, Math.min(1.5, distances[i] / radius));
  }
  return depths;
}

/** Looks at a slice: what the network, the neighbor and the values say of it. */
export async function look(
  model: Model,
  images: SliceImages,
  stepped: Step,
  source: WalkSource,
): Promise<Sight> {
  const { neighbor, slice } = stepped;
  const region = followRegion(
    neighbor.mask,
    neighbor.region,
    WALK.least * source.regionSide,
  );
  const encoding = isSeen(stepped)
    ? images.embedding(slice, region)
    : undefined;
  const unmoved = probabilitiesOf(moveMap(neighbor, region));
  const side = unmoved.shape[0];
  const place = { region, side };
  const following = follow(
    images,
    stepped,
    unmoved.data as Float32Array,
    place,
  );
  const [embedding, moved] = await Promise.all([encoding, following]);
  const { appearance } = source;
  const ratios = appearance
    ? ratiosAt(valuesAt(images.image(slice), place), appearance)
    : new Float32Array(side * side);
  const logits = embedding &&
    await logitsOf(model, embedding, stepped, source, { moved, ratios });
  return { region, side, logits, depths: depthsOf(moved, side), ratios };
}

/**
 * Logits of what the network says of a slice, given the neighbor's mask.
 *
 * @param seen The neighbor's map, moved along, and how much cells look like the
 * object; both [side * side].
 */
async function logitsOf(
  model: Model,
  embedding: ImageEmbedding,
  { neighbor, slice, distance, seed }: Step,
  { choices, profile }: WalkSource,
  { moved, ratios }: { moved: Float32Array; ratios: Float32Array },
): Promise<Float32Array> {
  const { frame, region } = embedding;
  const here = (map: RegionMap) => probabilitiesOf(moveMap(map, region));
  const carried: Choice[] = choices.map((choice) => ({
    recommended: here(choice.recommended),
    candidates: choice.candidates.map(here),
    chosen: choice.chosen,
    weight: WALK.fade ** distance,
  }));
  const start = ndarray(moved, [neighbor.side, neighbor.side]);
  const feedback: Feedback = {
    points: [deepestPoint(neighbor.mask)],
    choices: [...carried, maskPrompt(start)],
    frame,
  };
  const begun = {
    evidence: new Float64Array(model.config.components),
    ...{ feedback, profile },
  };
  const preference: Preference = {
    ...begun,
    distribution: await distributionOf(model, embedding, begun),
    ...{ iteration: 0, identity: embedding.identity },
  };
  const latents = sampleGMM(preference.distribution, {
    samples: WALK.samples,
    seed: createRandom(seed, slice).integer(2 ** 32),
  });
  // a mask of another slice is a hint, not what the samples' mean has to be
  const { probabilities, shares } = await decode(
    model,
    embedding,
    preference,
    { latents, variations: 0, keep: 0 },
  );
  const maps = probabilities.data as Float32Array;
  const cells = moved.length;
  const size = moved.reduce((sum, p) => sum + p, 0);
  const weights = normalizeLogWeights(shares.map((share, n) => {
    const map = maps.subarray(n * cells, (n + 1) * cells);
    const look = map.reduce((sum, p, i) => sum + p * ratios[i], 0);
    return Math.log(share) + WALK.look * look / size;
  })).map(Math.exp);
  return meanMap(maps, weights, [...weights.keys()]).map((p) =>
    clippedLogit(p)
  );
}

/**
 * How far the network is believed beside an aligned slice: as it finds that
 * slice's own mask again, given the mask. One that never saw such an object does
 * not, and what it says of the next slice would end the walk or flood the image.
 *
 * @param aligned The aligned slice and what the user made of it.
 * @returns 0..1.
 */
export async function trustOf(
  model: Model,
  images: SliceImages,
  { slice, result }: { slice: number; result: SliceResult },
  { regionSide, appearance }: Pick<WalkSource, "regionSide" | "appearance">,
): Promise<number> {
  if (isBlank(images.image(slice))) return 0;
  const { logits, depths } = await look(
    model,
    images,
    { neighbor: result, from: slice, slice, distance: 0, seed: 0 },
    { choices: [], regionSide, appearance },
  );
  const inside = (values: Float32Array) =>
    ndarray(Uint8Array.from(values, (value) => value > 0 ? 1 : 0));
  const { one, other, both } = countOverlap(
    "trust",
    inside(logits!),
    inside(depths),
  );
  const { none, all } = WALK.trust;
  const dice = 2 * both / Math.max(1, one + other);
  return Math.min(1, Math.max(0, (dice - none) / (all - none)));
}

/** What counts how much in a slice that the network looked at. */
function mixOf(trust: number): typeof WALK.mix {
  const { mix, doubted } = WALK;
  const between = (key: keyof typeof mix) =>
    trust * mix[key] + (1 - trust) * doubted[key];
  return {
    bias: between("bias"),
    network: between("network"),
    depth: between("depth"),
    pixel: between("pixel"),
  };
}

/**
 * Looks for the object in a slice, given its mask in the one beside it.
 *
 * @param model The network.
 * @param images The slices.
 * @param stepped Which slice, and what is known of the one beside it.
 * @param source What the walk knows.
 */
export async function step(
  model: Model,
  images: SliceImages,
  stepped: Step,
  source: WalkSource,
): Promise<SliceResult> {
  const { neighbor, slice } = stepped;
  if (isBlank(images.image(slice))) {
    return { ...neighbor, confidence: 0, gap: true };
  }
  const { region, side, logits, depths, ratios } = await look(
    model,
    images,
    stepped,
    source,
  );
  const { bias, network, depth, pixel } = logits
    ? mixOf(source.trust ?? 1)
    : WALK.unseen;
  const map = depths.map((deep, i) =>
    sigmoid(
      bias + network * (logits?.[i] ?? 0) + depth * deep + pixel * ratios[i],
    )
  );
  const result = resultOf(
    { region, side, bytes: bytesOf(map) },
    neighbor.mask.shape,
  );
  const { appearance } = source;
  const resemblance = appearance && resemblanceOf(map, ratios, appearance);
  return { ...result, resemblance };
}

const sigmoid = (logit: number) => 1 / (1 + Math.exp(-logit));

/** Whether a slice's result says that the object is not there any more. */
export function hasEnded(
  { mask, confidence, gap, resemblance = 1 }: SliceResult,
): boolean {
  return !gap && (mask.area < WALK.area || confidence < WALK.confidence ||
    resemblance < WALK.resemblance);
}
