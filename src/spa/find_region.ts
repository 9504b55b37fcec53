/** Finding the part of an image to look at: by a click, by a box, by a choice. */

// @ts-types="@types/ndarray"
import ndarray from "ndarray";
// @ts-types="@types/ndarray"
import type { NdArray } from "ndarray";
import type { Model } from "../model/model.ts";
import { findObject, isFitted } from "../model/region_finder.ts";
import {
  encodeRegion,
  encodeWithFeatures,
  type ImageEmbedding,
  type Looks,
} from "./embedding.ts";
import { type Feedback, type Point, positivePoints } from "./feedback.ts";
import { type Box, type Frame, frameOf, isInRegion } from "./frame.ts";
import { drawFirst } from "./generate.ts";

/** How regions are found. */
const FINDING = {
  /** Side of the region in sides of the object. */
  room: 3,
  /** Looks at most. */
  looks: 4,
  /** A region is kept where the next one's side would differ by less. */
  close: 0.25,
  /** And its center by less, in sides. */
  near: 0.15,
  /** First side where nothing is known, in pixels of the network's square. */
  first: 0.75,
  /**
   * How far a look goes toward a smaller square, in logarithms: a look at a part
   * of the object would otherwise lose the rest.
   */
  closer: 0.7,
  /** Samples decoded per look. */
  samples: 8,
};

/** How the region follows a choice. */
const FOLLOWING = {
  /** It stays where the next one's side would differ by less, in octaves. */
  close: 0.3,
  /** And its center by less, in sides. */
  near: 0.2,
};

/** A place in the image. */
type Place = { readonly x: number; readonly y: number };

/** The square of a side about a place. */
function squareAt({ x, y }: Place, side: number): Box {
  // whole pixels: edges at half ones
  const length = Math.max(1, Math.round(side));
  const left = Math.round(x - length / 2) - 0.5;
  const top = Math.round(y - length / 2) - 0.5;
  return { left, top, right: left + length, bottom: top + length };
}

const sideOf = ({ left, right }: Box) => right - left;

/** What a look shows: the recommendation's extent in the region. */
interface Glimpse {
  /** Box around the part of the recommendation that was clicked, in the image. */
  readonly box: Box;
  /** Whether that part reaches an edge of the region inside the image. */
  readonly cut: boolean;
}

/**
 * The mean of a few samples: what the network would recommend, [m, m].
 */
async function glance(
  model: Model,
  embedding: ImageEmbedding,
  feedback: Feedback,
): Promise<NdArray<Float32Array>> {
  const evidence = new Float64Array(model.config.components);
  const known = { feedback, evidence };
  const { probabilities: { data, shape: [N, side] } } = await drawFirst(
    model,
    embedding,
    known,
    FINDING.samples,
  );
  const mean = new Float32Array(side * side);
  for (let i = 0; i < data.length; i++) mean[i % mean.length] += data[i] / N;
  return ndarray(mean, [side, side]);
}

/**
 * The part of a map of at least one half that is at a place, or else the largest;
 * undefined where there is none.
 */
function partAt(
  { data, shape: [side] }: NdArray<Float32Array>,
  column: number,
  row: number,
): { left: number; top: number; right: number; bottom: number } | undefined {
  const seen = new Uint8Array(data.length);
  let best: number[] = [];
  const within = (at: number) =>
    Math.min(side - 1, Math.max(0, Math.round(at)));
  const clicked = within(row) * side + within(column);
  for (let start = 0; start < data.length; start++) {
    if (seen[start] || data[start] < 0.5) continue;
    const part = [start];
    seen[start] = 1;
    for (const i of part) { // grows while it is walked
      const x = i % side, y = Math.floor(i / side);
      for (let v = Math.max(0, y - 1); v <= Math.min(side - 1, y + 1); v++) {
        for (let u = Math.max(0, x - 1); u <= Math.min(side - 1, x + 1); u++) {
          const next = v * side + u;
          if (seen[next] || data[next] < 0.5) continue;
          seen[next] = 1;
          part.push(next);
        }
      }
    }
    if (part.includes(clicked)) {
      best = part;
      break;
    }
    if (part.length > best.length) best = part;
  }
  if (best.length === 0) return undefined;
  let left = side, top = side, right = -1, bottom = -1;
  for (const i of best) {
    const x = i % side, y = Math.floor(i / side);
    left = Math.min(left, x), right = Math.max(right, x);
    top = Math.min(top, y), bottom = Math.max(bottom, y);
  }
  return { left, top, right: right + 1, bottom: bottom + 1 };
}

/** The object's extent in the image, by a map of a region. */
function glimpseOf(
  map: NdArray<Float32Array>,
  { region, height, width }: Frame,
  { x, y }: Place,
): Glimpse | undefined {
  const cell = sideOf(region) / map.shape[0];
  const part = partAt(
    map,
    (x - region.left) / cell - 0.5,
    (y - region.top) / cell - 0.5,
  );
  if (!part) return undefined;
  const box = {
    left: region.left + part.left * cell,
    top: region.top + part.top * cell,
    right: region.left + part.right * cell,
    bottom: region.top + part.bottom * cell,
  };
  const last = map.shape[0];
  // an edge beyond the image hides nothing
  const cut = (part.left === 0 && region.left > -0.5) ||
    (part.top === 0 && region.top > -0.5) ||
    (part.right === last && region.right < width - 0.5) ||
    (part.bottom === last && region.bottom < height - 0.5);
  return { box, cut };
}

/** The middle of the positive clicks. */
function middleOf(points: readonly Point[]): Place {
  const inside = positivePoints(points);
  const mean = (values: number[]) =>
    (Math.min(...values) + Math.max(...values)) / 2;
  return {
    x: mean(inside.map(({ x }) => x)),
    y: mean(inside.map(({ y }) => y)),
  };
}

/** How far two places are apart, along the axis where it is more. */
function shiftBetween(a: Place, b: Place): number {
  return Math.max(Math.abs(a.x - b.x), Math.abs(a.y - b.y));
}

/** Side of a region about a box, with the room that training has. */
function roomAround({ left, top, right, bottom }: Box): number {
  return FINDING.room * Math.max(right - left, bottom - top);
}

/** The region that a look asks for: the object with its room, or twice as much. */
function regionOf({ box, cut }: Glimpse, region: Box, longest: number): Box {
  const side = sideOf(region);
  if (cut) return squareAt(centerOf(box), Math.min(2 * side, longest));
  const room = roomAround(box) / side;
  const change = room < 1 ? room ** FINDING.closer : room;
  return squareAt(centerOf(box), change * side);
}

/**
 * The region that a chosen map asks for, where that is another one: its object is
 * larger or smaller than a third of the region by more than `FOLLOWING.close`, off the
 * middle by more than `FOLLOWING.near`, or cut off.
 *
 * @param map The chosen candidate, [m, m], probabilities.
 * @param frame Its places.
 * @param points The user's clicks; the positive ones stay in the region.
 * @returns The other region; undefined where the present one will do, or the map
 * shows nothing in the image.
 */
export function regionOfChoice(
  map: NdArray<Float32Array>,
  frame: Frame,
  points: readonly Point[],
): Box | undefined {
  const { region, height, width } = frame;
  const inside = positivePoints(points);
  const place = inside.length > 0 ? middleOf(inside) : centerOf(region);
  const glimpse = glimpseOf(map, frame, place);
  if (!glimpse) return undefined;
  const { x, y } = centerOf(glimpse.box);
  if (x < 0 || y < 0 || x > width - 1 || y > height - 1) return undefined;
  const next = regionOf(glimpse, region, Math.max(height, width));
  const change = Math.abs(Math.log2(sideOf(next) / sideOf(region)));
  const shift = shiftBetween(centerOf(region), centerOf(next));
  const stays = change < FOLLOWING.close &&
    shift < FOLLOWING.near * sideOf(region);
  const there = frameOf(height, width, frame.side, next);
  return stays || inside.some((point) => !isInRegion(there, point))
    ? undefined
    : next;
}

/**
 * Finds the region of a click by looking: a look shows the object's extent, the
 * next region gives it room, until the region stays. An object that reaches the
 * region's edge is looked at from twice as far.
 *
 * @returns The embedding of the region that is kept.
 */
async function findByLooking(
  model: Model,
  image: NdArray<Float32Array>,
  points: readonly Point[],
  firstSide: number,
): Promise<ImageEmbedding> {
  const start = performance.now();
  const [height, width] = image.shape;
  const S = model.config.imageSize;
  const click = middleOf(points);
  const longest = Math.max(height, width);
  const looks: { embedding: ImageEmbedding; cut: boolean; found: boolean }[] =
    [];
  let region = squareAt(click, Math.min(firstSide, longest));
  let kept: ImageEmbedding | undefined;
  try {
    while (!kept) {
      const frame = frameOf(height, width, S, region);
      const embedding = await encodeRegion(model, image, frame);
      const map = await glance(model, embedding, {
        points,
        choices: [],
        frame,
      });
      const glimpse = glimpseOf(map, frame, click);
      looks.push({
        embedding,
        cut: glimpse?.cut ?? false,
        found: glimpse !== undefined,
      });
      const side = sideOf(region);
      const next = glimpse
        ? regionOf(glimpse, region, longest)
        : squareAt(click, side / 2);
      const change = Math.abs(sideOf(next) / side - 1);
      const shift = shiftBetween(centerOf(region), centerOf(next));
      if (
        glimpse && change < FINDING.close && shift < FINDING.near * side
      ) {
        kept = embedding;
      } else if (looks.length >= FINDING.looks) {
        const sound = looks.filter(({ found, cut }) => found && !cut);
        const among = sound.length > 0 ? sound : looks;
        kept = among.reduce((a, b) =>
          sideOf(b.embedding.region) > sideOf(a.embedding.region) ? b : a
        ).embedding;
      }
      region = next;
    }
  } finally {
    for (const { embedding } of looks) {
      if (embedding !== kept) embedding.dispose();
    }
  }
  const known: Looks = {
    count: looks.length,
    milliseconds: performance.now() - start,
    regions: looks.map(({ embedding: { region } }) => region),
  };
  return Object.assign(kept!, { looks: known });
}

/** How regions are found by a model that was fitted to. */
const FITTED = {
  /** Looks at most, ... */
  looks: 3,
  /** ... but more as long as the next square's side differs by so many octaves: */
  far: 0.7,
  /** at most so many. */
  most: 6,
  /** A region is kept where the next one's side would differ by less, in octaves. */
  close: 0.3,
  /** And its center by less, in sides. */
  near: 0.15,
  /** How far off its side may be all the same, in octaves: 1.5 times. */
  doubt: Math.log2(1.5),
};

/**
 * The same by a model that tells the object's size itself: it looks at the whole
 * image, then at the square that gives the object room, until the square stays: a
 * small object in a large image takes several.
 */
async function findFitted(
  model: Model,
  image: NdArray<Float32Array>,
  points: readonly Point[],
): Promise<ImageEmbedding> {
  const start = performance.now();
  const [height, width] = image.shape;
  const click = middleOf(points);
  const longest = Math.max(height, width);
  let region = squareAt(click, longest);
  const regions: Box[] = [];
  for (;;) {
    const frame = frameOf(height, width, model.config.imageSize, region);
    const { embedding, features } = await encodeWithFeatures(
      model,
      image,
      frame,
    );
    regions.push(frame.region);
    const side = sideOf(frame.region);
    const found = findObject(
      model.weights,
      features!,
      (click.x - frame.region.left) / side,
      (click.y - frame.region.top) / side,
    );
    const center = {
      x: click.x + found.dx * side,
      y: click.y + found.dy * side,
    };
    const next = squareAt(
      center,
      Math.min(FINDING.room * found.side * side, longest),
    );
    const shift = shiftBetween(centerOf(frame.region), center);
    const change = Math.abs(Math.log2(sideOf(next) / side));
    const stays = change < FITTED.close && shift < FITTED.near * side;
    const most = change < FITTED.far ? FITTED.looks : FITTED.most;
    if (stays || regions.length >= most) {
      const milliseconds = performance.now() - start;
      const looks: Looks = {
        ...{ count: regions.length, milliseconds, regions },
        ...(points.length === 1 && { doubt: FITTED.doubt }),
      };
      return Object.assign(embedding, { looks }); // a copy would not be disposed
    }
    embedding.dispose();
    region = next;
  }
}

const centerOf = ({ left, top, right, bottom }: Box): Place => ({
  x: (left + right) / 2,
  y: (top + bottom) / 2,
});

/** The first region's side in pixels of the image. */
function firstSide(
  { config, metadata }: Model,
  spacing: readonly [number, number] | undefined,
): number {
  const millimeters = Number(metadata.regionMillimeters);
  if (spacing && millimeters > 0) {
    return Math.max(1, millimeters / Math.sqrt(spacing[0] * spacing[1]));
  }
  return FINDING.first * config.imageSize;
}

/**
 * Finds the region of the object under some clicks.
 *
 * @param points Clicks, at least one of them positive.
 * @param spacing Millimeters per row and per column, where they are known.
 * @returns The region's embedding, with what was looked at.
 */
export async function findRegion(
  model: Model,
  image: NdArray<Float32Array>,
  points: readonly Point[],
  spacing?: readonly [number, number],
): Promise<ImageEmbedding> {
  if (isFitted(model.weights)) return await findFitted(model, image, points);
  return await findByLooking(model, image, points, firstSide(model, spacing));
}

/**
 * The squares that a region might be as well: about the same center, but longer and
 * shorter. One click leaves open how large the object is.
 *
 * @param points The user's clicks; the positive ones are in each square.
 * @param doubt How much longer and shorter they are, in octaves; none for 0.
 * @returns Their places, none of them longer than the image.
 */
export function squaresAround(
  { region, height, width, side }: Frame,
  points: readonly Point[],
  doubt: number,
): Frame[] {
  const longest = Math.max(height, width);
  return (doubt > 0 ? [doubt, -doubt] : [])
    .map((octaves) => sideOf(region) * 2 ** octaves)
    .filter((length) => length <= longest)
    .map((length) => squareAt(centerOf(region), length))
    .map((square) => frameOf(height, width, side, square))
    .filter((there) =>
      positivePoints(points).every((point) => isInRegion(there, point))
    );
}

/** The region of an object in a box, in pixels of the image. */
export function regionAround(box: Box): Box {
  return squareAt(centerOf(box), roomAround(box));
}
