import type { Random } from "../random.ts";
import {
  LUNG,
  paintVessels,
  paintWall,
  SOFT_TISSUE,
} from "./_phantom_chest.ts";
import { blur, clip, grain, texture } from "./_phantom_noise.ts";
import {
  between,
  blob,
  type Field,
  fill,
  nothing,
  type Scene,
  stroke,
  subtract,
  walk,
} from "./_phantom_paint.ts";

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

/** A vessel that runs into the nodule: its stump is the ambiguous part. */
function tail(
  random: Random,
  part: Field,
  size: number,
  { x, y, radius, scale }: {
    x: number;
    y: number;
    radius: number;
    scale: number;
  },
): void {
  const angle = 2 * Math.PI * random.uniform();
  const width = Math.min(Math.max(0.38 * radius, 1 * scale), 3 * scale);
  stroke(
    part,
    size,
    walk(random, {
      x: x + 0.5 * radius * Math.cos(angle),
      y: y + 0.5 * radius * Math.sin(angle),
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
  { x, y, radius, scale }: {
    x: number;
    y: number;
    radius: number;
    scale: number;
  },
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
        x: x + 0.5 * radius * Math.cos(angle),
        y: y + 0.5 * radius * Math.sin(angle),
        angle: angle + 0.35 * random.normal(),
        length,
        from: Math.min(between(random, 0.15, 0.34) * radius, 2.2 * scale),
        to: 0.2 * scale,
      }),
    );
  }
}
