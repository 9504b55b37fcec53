import type { Random } from "../random.ts";
import { texture } from "./_phantom_noise.ts";
import {
  band,
  between,
  blob,
  type Field,
  fill,
  grow,
  invert,
  nothing,
  stroke,
  union,
  walk,
} from "./_phantom_paint.ts";

/** Gray values in a lung window of -1350 to 150 HU. */
export const LUNG = 0.32;
export const SOFT_TISSUE = 0.92;
const FAT = 0.83;

/** Vessels along and across the slice; returns their shape. */
export function paintVessels(
  random: Random,
  image: Field,
  size: number,
  lung: number,
): Field {
  const scale = size / 71;
  let all = nothing(size);
  const layer = (value: number, paint: (shape: Field) => void) => {
    const shape = nothing(size);
    paint(shape);
    fill(image, shape, value, { softness: 0.6 * scale });
    all = union(all, shape);
  };
  const origin = 2 * Math.PI * random.uniform(); // where the hilum lies
  const branches = random.integer(4);
  layer(between(random, 0.6, 0.85), (shape) => {
    for (let k = 0; k < branches; k++) {
      const side = origin + 0.9 * random.normal();
      const halfWidth = scale * between(random, 0.5, 1.7);
      const points = walk(random, {
        x: size / 2 + 0.75 * size * Math.cos(side),
        y: size / 2 + 0.75 * size * Math.sin(side),
        angle: side + Math.PI + 0.5 * random.normal(),
        length: size * between(random, 0.5, 1.1),
        from: halfWidth,
        to: 0.3 * scale,
      });
      stroke(shape, size, points);
      for (let twig = 0; twig < 2; twig++) {
        const start = points[random.integer(points.length)];
        const sign = random.uniform() < 0.5 ? -1 : 1;
        stroke(
          shape,
          size,
          walk(random, {
            ...start,
            angle: side + Math.PI + sign * between(random, 0.4, 1),
            length: size * between(random, 0.15, 0.4),
            from: 0.7 * start.halfWidth,
            to: 0.15 * scale,
          }),
        );
      }
    }
  });
  layer(between(random, 0.65, 0.9), (shape) => {
    for (let k = 3 + random.integer(12); k > 0; k--) {
      const x = size * random.uniform();
      const y = size * random.uniform();
      const halfWidth = scale * Math.min(0.35 + 0.5 * random.uniform() ** 2, 2);
      const angle = 2 * Math.PI * random.uniform();
      const length = halfWidth * between(random, 0, 3);
      stroke(shape, size, [
        { x, y, halfWidth },
        {
          x: x + length * Math.cos(angle),
          y: y + length * Math.sin(angle),
          halfWidth,
        },
      ]);
    }
  });
  const faint = nothing(size); // too thin for full contrast
  for (let k = 6 + random.integer(8); k > 0; k--) {
    stroke(
      faint,
      size,
      walk(random, {
        x: size * random.uniform(),
        y: size * random.uniform(),
        angle: 2 * Math.PI * random.uniform(),
        length: scale * between(random, 4, 16),
        from: 0.35 * scale,
        to: 0.1 * scale,
        bend: 0.3,
      }),
    );
  }
  fill(image, faint, lung + 0.3, { softness: 0.7 * scale, opacity: 0.6 });
  return all;
}

/** The chest wall with fat and ribs, near the nodule or at its side; returns its shape. */
export function paintWall(
  random: Random,
  image: Field,
  size: number,
  x: number,
  y: number,
  radius: number,
): Field {
  const scale = size / 71;
  const side = 2 * Math.PI * random.uniform();
  const touching = random.uniform() < 0.4;
  const gap = touching
    ? radius * between(random, 0.3, 0.95)
    : radius + scale * between(random, 3, 26);
  // The lung is the inside of a large circle, which the wall surrounds.
  const curve = scale * between(random, 45, 140);
  const lung = blob(random, size, {
    x: x + (gap - curve) * Math.cos(side),
    y: y + (gap - curve) * Math.sin(side),
    radius: curve,
    roughness: 0.006,
    waves: 6,
    reach: 25 * scale,
  });
  const wall = invert(lung);
  fill(image, wall, SOFT_TISSUE, {
    softness: 0.6 * scale,
    noise: texture(random, size, 7 * scale, 2),
    amplitude: 0.03,
  });
  const layer = between(random, 5, 9) * scale;
  const fat = band(wall, layer, layer + 5 * scale);
  fill(image, fat, FAT, { softness: 1.2 * scale, opacity: 0.7 });
  const ribs = nothing(size);
  for (let k = -1; k <= 1; k++) {
    if (random.uniform() < 0.4) continue;
    const turn = side + (k + 0.4 * random.normal()) * 30 * scale / curve;
    const depth = curve + between(random, 4, 7) * scale;
    const halfWidth = between(random, 2.2, 3.4) * scale;
    const along = between(random, 5, 12) * scale;
    const centerX = x + (gap - curve) * Math.cos(side) + depth * Math.cos(turn);
    const centerY = y + (gap - curve) * Math.sin(side) + depth * Math.sin(turn);
    const slope = turn + Math.PI / 2 + 0.25 * random.normal();
    stroke(
      ribs,
      size,
      [-1, 1].map((end) => ({
        x: centerX + end * along * Math.cos(slope),
        y: centerY + end * along * Math.sin(slope),
        halfWidth,
      })),
    );
  }
  fill(image, ribs, 1, { softness: 0.7 * scale });
  const marrow = grow(ribs, -1.6 * scale);
  fill(image, marrow, 0.94, { softness: 0.8 * scale, opacity: 0.6 });
  return wall;
}
