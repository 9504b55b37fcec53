import type { Random } from "../random.ts";
import {
  between,
  blob,
  blur,
  clip,
  type Field,
  fill,
  grain,
  grow,
  nothing,
  type Scene,
  stroke,
  subtract,
  texture,
  walk,
} from "./_phantom_paint.ts";

type Color = readonly [red: number, green: number, blue: number];

/** Colors of a fundus photograph. */
const RETINA: Color = [0.78, 0.36, 0.19];
const RIM: Color = [0.93, 0.6, 0.36];
const CUP: Color = [0.99, 0.88, 0.62];
const ARTERY: Color = [0.7, 0.2, 0.13];
const VEIN: Color = [0.5, 0.11, 0.1];
const REFLEX: Color = [0.88, 0.45, 0.32];

/** The optic disc of a fundus photograph; the object is the cup, whose border has no edge. */
export function fundusScene(random: Random, size: number): Scene {
  const scale = size / 128;
  const x = size / 2 + 4 * scale * random.normal();
  const y = size / 2 + 4 * scale * random.normal();
  const nasal = random.uniform() < 0.5 ? 0 : Math.PI; // right eye or left
  const discRadius = scale * between(random, 31, 41);
  const reach = 24 * scale;
  const disc = blob(random, size, {
    reach,
    x,
    y,
    radius: discRadius,
    aspect: between(random, 1.02, 1.18),
    angle: Math.PI / 2 + 0.2 * random.normal(),
    roughness: 0.015,
    waves: 4,
  });
  const ratio = between(random, 0.36, 0.68); // cup to disc
  const cupRadius = ratio * discRadius;
  const cupX = x - 0.06 * discRadius * Math.cos(nasal);
  const cupY = y + 0.05 * discRadius * random.normal();
  const cupShape = {
    radius: cupRadius,
    aspect: between(random, 1, 1.2),
    angle: Math.PI / 2 + 0.3 * random.normal(),
    waves: 4,
    reach,
  };
  const object = blob(random, size, {
    ...cupShape,
    x: cupX,
    y: cupY,
    roughness: 0.04,
  });
  // On the nasal side the rim slopes into the cup below the vessels.
  const slope = cupRadius * between(random, 0.32, 0.5);
  const part = blob(random, size, {
    ...cupShape,
    x: cupX + slope * Math.cos(nasal),
    y: cupY,
    radius: 0.94 * cupRadius,
    roughness: 0.03,
  });
  const softness = scale * between(random, 2.8, 4.6);

  const canvas = paintRetina(random, size, x, y, nasal);
  const paint = (shape: Field, color: Color, softness: number, opacity = 1) =>
    fill(canvas, shape, color, { softness, opacity });
  // A pale ring, widest on the temporal side, surrounds the disc.
  const ring = blob(random, size, {
    x: x - between(random, 0.02, 0.12) * discRadius * Math.cos(nasal),
    y,
    radius: 1.1 * discRadius,
    roughness: 0.05,
    reach,
  });
  paint(ring, [0.9, 0.5, 0.3], 6 * scale, between(random, 0.2, 0.6));
  paint(disc, RIM, between(random, 1.5, 2.5) * scale, 0.92);
  paint(subtract(grow(disc, -1), part), [0.9, 0.5, 0.3], 7 * scale, 0.35);
  paint(part, CUP, 1.3 * softness, 0.42);
  paint(object, CUP, softness, between(random, 0.8, 0.95));
  paint(grow(object, -0.45 * cupRadius), [1, 0.95, 0.78], 5 * scale, 0.7);
  lamina(random, canvas, size, object, scale);
  vessels(random, paint, size, { cupX, cupY, cupRadius, nasal, scale });

  const tint: Color = [
    between(random, 0.92, 1.05),
    between(random, 0.88, 1.02),
    between(random, 0.75, 1.1),
  ];
  const sharpness = scale * between(random, 0.5, 0.9);
  const level = between(random, 0.006, 0.018);
  const noise = grain(random, size, 0.6);
  const image = new Float32Array(3 * size * size);
  canvas.forEach((field, channel) => {
    const seen = blur(field, size, sharpness);
    for (let i = 0; i < seen.length; i++) {
      image[3 * i + channel] = tint[channel] * seen[i] + level * noise[i];
    }
  });
  return { image: clip(image), channels: 3, object, part, softness };
}

/** The background: brightness falling off from the disc, the choroid's texture. */
function paintRetina(
  random: Random,
  size: number,
  x: number,
  y: number,
  nasal: number,
): [Field, Field, Field] {
  const scale = size / 128;
  const choroid = texture(random, size, 22 * scale, 3);
  const fine = texture(random, size, 5 * scale, 2);
  const strength = between(random, 0.03, 0.08);
  const red = new Float32Array(size * size);
  const green = red.slice();
  const blue = red.slice();
  const maculaX = x - 110 * scale * Math.cos(nasal);
  for (let row = 0; row < size; row++) {
    for (let column = 0; column < size; column++) {
      const i = row * size + column;
      const fromDisc = ((column - x) ** 2 + (row - y) ** 2) / (70 * scale) ** 2;
      const toMacula = ((column - maculaX) ** 2 + (row - y - 8 * scale) ** 2) /
        (45 * scale) ** 2;
      const value = 1.06 - 0.1 * fromDisc - 0.3 * Math.exp(-toMacula) +
        strength * choroid[i] + 0.02 * fine[i];
      red[i] = RETINA[0] * (0.4 + 0.6 * value);
      green[i] = RETINA[1] * value * value;
      blue[i] = RETINA[2] * value * value;
    }
  }
  return [red, green, blue];
}

/** The pores of the lamina cribrosa, faint in the floor of the cup. */
function lamina(
  random: Random,
  canvas: readonly Field[],
  size: number,
  object: Field,
  scale: number,
): void {
  const [red, green, blue] = canvas;
  const pores = texture(random, size, 3.2 * scale);
  for (let i = 0; i < pores.length; i++) {
    const inside = Math.min(object[i] / (4 * scale) - 1, 1);
    if (inside <= 0 || pores[i] <= 0) continue;
    const depth = 0.03 * inside * pores[i];
    red[i] -= depth;
    green[i] -= 2 * depth;
    blue[i] -= 3 * depth;
  }
}

/** The central artery and vein: out of the cup, up and down, then over to the temporal side. */
function vessels(
  random: Random,
  paint: (shape: Field, color: Color, soft: number, opacity?: number) => void,
  size: number,
  { cupX, cupY, cupRadius, nasal, scale }: {
    cupX: number;
    cupY: number;
    cupRadius: number;
    nasal: number;
    scale: number;
  },
): void {
  const veins = nothing(size);
  const arteries = nothing(size);
  const reflexes = nothing(size);
  const rootX = cupX + 0.45 * cupRadius * Math.cos(nasal);
  const towardsNose = Math.cos(nasal); // 1 to the right, -1 to the left
  for (const isVein of [true, false]) {
    const shape = isVein ? veins : arteries;
    const width = scale * (isVein ? 2 : 1.5) * between(random, 0.85, 1.15);
    const startX = rootX + scale * (isVein ? 2 : -2);
    for (const vertical of [-1, 1]) {
      // The main arcade, from the root up or down, bending to the temporal side
      const lean = between(random, -0.1, 0.55) * towardsNose;
      const main = walk(random, {
        x: startX,
        y: cupY - scale * vertical,
        angle: vertical * Math.PI / 2 - vertical * lean,
        length: 95 * scale,
        from: width,
        to: 0.75 * width,
        bend: 0.1,
        turn: vertical * towardsNose * between(random, 0.3, 1),
      });
      stroke(shape, size, main);
      if (!isVein) {
        stroke(
          reflexes,
          size,
          main.slice(4).map((p) => ({ ...p, halfWidth: 0.22 * p.halfWidth })),
        );
      }
      const fork = main[3 + random.integer(6)]; // the nasal arcade
      stroke(
        shape,
        size,
        walk(random, {
          ...fork,
          angle: vertical * Math.PI / 2 -
            vertical * towardsNose * between(random, 0.2, 0.7),
          length: 85 * scale,
          from: 0.75 * fork.halfWidth,
          to: 0.4 * width,
          turn: -vertical * towardsNose * between(random, 0.2, 0.8),
        }),
      );
      for (let k = 0; k < 3; k++) {
        const start = main[4 + random.integer(Math.floor(main.length * 0.6))];
        const sign = random.uniform() < 0.5 ? -1 : 1;
        stroke(
          shape,
          size,
          walk(random, {
            ...start,
            angle: vertical * Math.PI / 2 + sign * between(random, 0.5, 1.2),
            length: scale * between(random, 30, 70),
            from: 0.6 * start.halfWidth,
            to: 0.3 * scale,
            bend: 0.2,
          }),
        );
      }
    }
    // Small branches to the nose and to the macula
    for (const direction of [nasal, nasal, nasal + Math.PI]) {
      stroke(
        shape,
        size,
        walk(random, {
          x: rootX,
          y: cupY + 0.5 * cupRadius * random.normal(),
          angle: direction + 0.45 * random.normal(),
          length: scale * between(random, 45, 90),
          from: 0.42 * width,
          to: 0.25 * scale,
          bend: 0.17,
        }),
      );
    }
  }
  paint(veins, VEIN, 0.9 * scale, 0.85);
  paint(arteries, ARTERY, 0.8 * scale, 0.85);
  paint(reflexes, REFLEX, 0.5 * scale, 0.6);
}
