import type { Random } from "../random.ts";
import {
  band,
  between,
  blob,
  blur,
  clip,
  type Field,
  fill,
  grain,
  grow,
  invert,
  nothing,
  onCircle,
  type Scene,
  stroke,
  subtract,
  texture,
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
        ...onCircle(size / 2, size / 2, 0.75 * size, side),
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

/** Areas of LIDC-IDRI nodules in pixels at 71 x 71, with their cumulative frequency. */
const AREAS: readonly [frequency: number, area: number][] = [
  [0, 15],
  [0.05, 22],
  [0.25, 47],
  [0.5, 80],
  [0.75, 186],
  [0.95, 770],
  [1, 1100],
];

/** A lung nodule on CT: solid, part-solid or ground-glass; free, on the chest wall, or on a vessel. */
export function noduleScene(random: Random, size: number): Scene {
  const scale = size / 71;
  const radius = scale * Math.sqrt(drawArea(random) / Math.PI);
  const x = size / 2 - 0.5 + 2 * scale * random.normal();
  const y = size / 2 - 0.5 + 2 * scale * random.normal();

  const lung = LUNG + 0.03 * random.normal();
  const image = texture(random, size, 24 * scale, 2)
    .map((value) => lung + 0.025 * value);
  const vessels = paintVessels(random, image, size, lung);
  const wall = random.uniform() < 0.55
    ? paintWall(random, image, size, x, y, radius)
    : undefined;

  // The nodule's own look
  const look = random.uniform();
  const groundGlass = look < 0.12;
  const partSolid = look >= 0.12 && look < 0.27;
  const edge = scale * (groundGlass ? between(random, 1.2, 2) : 0.6);
  const angle = 2 * Math.PI * random.uniform();
  let object = blob(random, size, {
    x,
    y,
    radius,
    angle,
    aspect: between(random, 1, 1.45),
    roughness: between(random, 0.04, 0.16),
    waves: radius > 4 * scale ? 7 : 4,
  });
  if (wall) object = subtract(object, wall);
  let part: Field | undefined;
  if (partSolid) {
    part = blob(random, size, {
      x: x + 0.25 * radius * random.normal(),
      y: y + 0.25 * radius * random.normal(),
      radius: Math.min(radius * between(random, 1.4, 1.7), radius + 6 * scale),
      roughness: 0.15,
    });
  } else if (random.uniform() < 0.6) {
    part = nothing(size);
    const place = { x, y, radius, scale };
    if (random.uniform() < 0.5 || radius < 4 * scale) {
      tail(random, part, size, place);
    } else {
      spicules(random, part, size, place);
    }
  }
  if (part && wall) part = subtract(part, wall);

  const solid = lung + (SOFT_TISSUE - lung) * between(random, 0.8, 1);
  const glass = lung + (SOFT_TISSUE - lung) * between(random, 0.35, 0.5);
  if (part) {
    const value = partSolid ? glass : lung + 0.75 * (solid - lung);
    fill(image, part, value, { softness: (partSolid ? 1.5 : 0.8) * scale });
  }
  const inner = texture(random, size, Math.max(radius / 2, 2), 2);
  fill(image, object, groundGlass ? glass : solid, {
    softness: edge,
    noise: inner,
    amplitude: groundGlass ? 0.1 : 0.03,
  });
  if (groundGlass) {
    fill(image, vessels, 0.75, { softness: 0.8 * scale, opacity: 0.5 });
  }
  if (!groundGlass && radius > 5.5 * scale && random.uniform() < 0.12) {
    const cavity = blob(random, size, {
      x: x + 0.2 * radius * random.normal(),
      y: y + 0.2 * radius * random.normal(),
      radius: radius * between(random, 0.3, 0.55),
      roughness: 0.15,
    });
    fill(image, cavity, lung - 0.03, { softness: 0.8 * scale });
  }

  const seen = blur(image, size, scale * between(random, 0.4, 0.75));
  const noise = grain(random, size, between(random, 0.3, 0.8));
  const level = 0.013 * Math.exp(0.4 * random.normal());
  for (let i = 0; i < seen.length; i++) seen[i] += level * noise[i];
  const softness = groundGlass
    ? 0.8 * edge
    : scale * Math.min(0.35 + 0.06 * radius / scale, 1.1);
  return { image: clip(seen), channels: 1, object, part, softness };
}

/** Draws an area in pixels at 71 x 71. */
function drawArea(random: Random): number {
  const u = random.uniform();
  const k = AREAS.findIndex(([frequency]) => frequency > u);
  const [below, low] = AREAS[k - 1];
  const [above, high] = AREAS[k];
  return low * (high / low) ** ((u - below) / (above - below));
}

/** Where a nodule is, and how many pixels are one at 71 x 71. */
interface NodulePlace {
  readonly x: number;
  readonly y: number;
  readonly radius: number;
  readonly scale: number;
}

/** A vessel that runs into the nodule: its stump is the ambiguous part. */
function tail(
  random: Random,
  part: Field,
  size: number,
  { x, y, radius, scale }: NodulePlace,
): void {
  const angle = 2 * Math.PI * random.uniform();
  const width = Math.min(Math.max(0.38 * radius, 1 * scale), 3 * scale);
  stroke(
    part,
    size,
    walk(random, {
      ...onCircle(x, y, 0.5 * radius, angle),
      angle,
      length: 0.5 * radius +
        between(random, 0.8, 1.8) * Math.max(radius, 4 * scale),
      from: 1.2 * width,
      to: 0.35 * width,
      bend: 0.22,
    }),
  );
}

/** Spicules: strands that radiate from the border. */
function spicules(
  random: Random,
  part: Field,
  size: number,
  { x, y, radius, scale }: NodulePlace,
): void {
  const count = 4 + random.integer(7);
  for (let k = 0; k < count; k++) {
    const angle = 2 * Math.PI * random.uniform();
    const length = radius * between(random, 0.7, 1) *
      (1 + random.uniform() ** 2);
    stroke(
      part,
      size,
      walk(random, {
        ...onCircle(x, y, 0.5 * radius, angle),
        angle: angle + 0.35 * random.normal(),
        length,
        from: Math.min(between(random, 0.15, 0.34) * radius, 2.2 * scale),
        to: 0.2 * scale,
      }),
    );
  }
}
