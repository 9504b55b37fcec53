/** Phantoms of no kind: random shapes with parts in them, in random textures. */

// @ts-types="@types/ndarray"
import ndarray, { type NdArray } from "ndarray";
import type { Random } from "../random.ts";
import type { TrainingCase } from "./training_case.ts";

/** The image's side in pixels. */
const SIDE = 128;

/** The raters: each draws another of the nested things. */
export const SHAPE_RATERS = ["part", "object", "whole"] as const;

/** A smooth random field, about 0 with a deviation of about 1. */
function drawField(random: Random, detail: number): Float32Array {
  const field = new Float32Array(SIDE * SIDE);
  const waves = Array.from({ length: 10 }, () => {
    const angle = 2 * Math.PI * random.uniform();
    const frequency = detail * (0.3 + random.uniform()) / SIDE;
    return {
      x: 2 * Math.PI * frequency * Math.cos(angle),
      y: 2 * Math.PI * frequency * Math.sin(angle),
      phase: 2 * Math.PI * random.uniform(),
      height: random.normal() / Math.sqrt(5),
    };
  });
  for (let i = 0; i < field.length; i++) {
    const column = i % SIDE, row = Math.floor(i / SIDE);
    for (const { x, y, phase, height } of waves) {
      field[i] += height * Math.sin(x * column + y * row + phase);
    }
  }
  return field;
}

/** How far a pixel is inside a random star-shaped outline, in its radius: > 0 inside. */
function drawOutline(
  random: Random,
  x: number,
  y: number,
  radius: number,
): (column: number, row: number) => number {
  const rough = 0.15 + 0.25 * random.uniform();
  const amplitudes = [0, 0, 1, 0.6, 0.4, 0.25]
    .map((a) => rough * a * random.normal());
  const phases = amplitudes.map(() => 2 * Math.PI * random.uniform());
  const turn = Math.PI * random.uniform();
  const stretch = Math.exp(0.3 * random.normal());
  const cos = Math.cos(turn), sin = Math.sin(turn);
  return (column, row) => {
    const dx = column - x, dy = row - y;
    const u = (cos * dx + sin * dy) * stretch;
    const v = (cos * dy - sin * dx) / stretch;
    const angle = Math.atan2(v, u);
    let reach = 1;
    for (let k = 2; k < amplitudes.length; k++) {
      reach += amplitudes[k] * Math.cos(k * angle - phases[k]);
    }
    return radius * Math.max(0.35, reach) - Math.hypot(u, v);
  };
}

/** A mask of the pixels inside an outline. */
function maskOf(
  inside: (column: number, row: number) => boolean,
): NdArray<Uint8Array> {
  const data = new Uint8Array(SIDE * SIDE);
  for (let i = 0; i < data.length; i++) {
    data[i] = inside(i % SIDE, Math.floor(i / SIDE)) ? 1 : 0;
  }
  return ndarray(data, [SIDE, SIDE]);
}

/**
 * Draws a phantom: a part in an object in a whole, each with an intensity and a
 * texture of its own, among other shapes.
 *
 * @returns An image of 128 x 128, and a mask of each of the three.
 */
export function drawShapes(random: Random): TrainingCase {
  const at = () => SIDE * (0.35 + 0.3 * random.uniform());
  const x = at(), y = at();
  const radius = SIDE * (0.16 + 0.14 * random.uniform());
  const within = (from: number) => from * 0.35 * (2 * random.uniform() - 1);
  const middle = radius * (0.5 + 0.2 * random.uniform());
  const [x2, y2] = [x + within(radius), y + within(radius)];
  const small = middle * (0.4 + 0.2 * random.uniform());
  const [x3, y3] = [x2 + within(middle), y2 + within(middle)];
  const outlines = [
    drawOutline(random, x, y, radius),
    drawOutline(random, x2, y2, middle),
    drawOutline(random, x3, y3, small),
  ];
  const whole = maskOf((c, r) => outlines[0](c, r) > 0);
  const object = maskOf((c, r) => whole.get(r, c) > 0 && outlines[1](c, r) > 0);
  const part = maskOf((c, r) => object.get(r, c) > 0 && outlines[2](c, r) > 0);
  const others = Array.from({ length: random.integer(5) }, () => {
    const place = () => SIDE * random.uniform();
    const size = SIDE * (0.04 + 0.12 * random.uniform());
    return { inside: drawOutline(random, place(), place(), size) };
  });

  const layers = [
    { mask: undefined, inside: undefined },
    ...others.map(({ inside }) => ({ mask: undefined, inside })),
    ...[whole, object, part].map((mask) => ({ mask, inside: undefined })),
  ].map((layer) => ({
    ...layer,
    level: 0.1 + 0.8 * random.uniform(),
    texture: drawField(random, Math.exp(3.2 * random.uniform())),
    depth: 0.16 * random.uniform() ** 2,
  }));
  const noise = 0.06 * random.uniform() ** 2;
  const values = new Float32Array(SIDE * SIDE);
  for (let i = 0; i < values.length; i++) {
    const column = i % SIDE, row = Math.floor(i / SIDE);
    for (const { mask, inside, level, texture, depth } of layers) {
      const covers = mask
        ? mask.data[i] > 0
        : inside
        ? inside(column, row) > 0
        : true;
      if (covers) values[i] = level + depth * texture[i];
    }
    const value = values[i] + noise * random.normal();
    values[i] = Math.min(1, Math.max(0, value));
  }
  return {
    image: ndarray(values, [SIDE, SIDE, 1]),
    masks: [part, object, whole],
    raters: SHAPE_RATERS,
  };
}
