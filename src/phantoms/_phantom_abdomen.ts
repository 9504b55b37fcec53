import type { Random } from "../random.ts";
import { texture } from "./_phantom_noise.ts";
import {
  band,
  between,
  type Blob,
  blob,
  type Field,
  fill,
  grow,
  invert,
  nothing,
  stroke,
  subtract,
  walk,
} from "./_phantom_paint.ts";

/** Gray values of the tissues, by modality. */
export interface Tissues {
  fat: number;
  muscle: number;
  bone: number;
  marrow: number;
  canal: number;
  liver: number;
  bowel: number;
  lumen: number;
  cortex: number;
  medulla: number;
  vessel: number;
  cyst: number;
  tumor: number;
}

/** CT in the corticomedullary phase, window -160 to 240 HU. */
export const CT: Tissues = {
  fat: 0.15,
  muscle: 0.54,
  bone: 0.98,
  marrow: 0.78,
  canal: 0.49,
  liver: 0.64,
  bowel: 0.5,
  lumen: 0.04,
  cortex: 0.9,
  medulla: 0.66,
  vessel: 0.86,
  cyst: 0.44,
  tumor: 0.72,
};

/** T2-weighted MR with the fat suppressed. */
export const MR: Tissues = {
  fat: 0.17,
  muscle: 0.2,
  bone: 0.08,
  marrow: 0.34,
  canal: 0.9,
  liver: 0.36,
  bowel: 0.42,
  lumen: 0.85,
  cortex: 0.62,
  medulla: 0.83,
  vessel: 0.06,
  cyst: 0.98,
  tumor: 0.5,
};

/** Where the kidney will be. */
export interface KidneyPlace {
  x: number;
  y: number;
  radius: number;
  /** On which side the spine lies: 1 right, -1 left. */
  medial: number;
}

/** Paints all that surrounds a kidney in an axial slice: fat, body wall, spine, muscles, liver or spleen, bowel. */
export function paintAbdomen(
  random: Random,
  size: number,
  tissues: Tissues,
  { medial, x, y, radius }: KidneyPlace,
): Field {
  const scale = size / 128;
  const fine = texture(random, size, 3 * scale, 2);
  const coarse = texture(random, size, 9 * scale, 2);
  const image = new Float32Array(size * size);
  for (let i = 0; i < image.length; i++) {
    image[i] = tissues.fat + 0.02 * coarse[i] + 0.015 * fine[i];
  }
  const organ = (shape: Field, value: number, noise = fine, amplitude = 0.03) =>
    fill(image, shape, value, { softness: 1.1 * scale, noise, amplitude });
  /** A blob at so many pixels (of 128) to the medial side and down from the kidney. */
  const at = (
    side: number,
    down: number,
    r: number,
    more: Partial<Blob> = {},
  ) =>
    blob(random, size, {
      x: x + medial * side * scale,
      y: y + down * scale,
      radius: r * scale,
      roughness: 0.06,
      ...more,
    });

  paintStrands(random, image, size, tissues, { medial, x, y, radius });

  // The body wall: a layer of muscle, with subcutaneous fat outside it
  const cavity = at(34, -26, 84, {
    aspect: between(random, 1.15, 1.3),
    roughness: 0.01,
    reach: 20 * scale,
  });
  organ(band(cavity, -between(random, 7, 12) * scale, 0), tissues.muscle);
  const rib = at(
    -between(random, 42, 46),
    between(random, 12, 24),
    4,
    { aspect: 2.6, angle: -1.1 * medial },
  );
  organ(rib, tissues.bone);
  organ(grow(rib, -1.8 * scale), tissues.marrow);

  // The back: erector spinae, vertebra with its canal, psoas, the great vessel
  organ(at(32, 40, 15, { aspect: 1.5 }), tissues.muscle, fine, 0.05);
  const vertebra = at(62, 6, 19, { aspect: 1.15 });
  organ(vertebra, tissues.bone);
  organ(grow(vertebra, -2.2 * scale), tissues.marrow, fine, 0.06);
  const canal = at(62, 28, 8, { aspect: 1.2 });
  organ(grow(canal, 3 * scale), tissues.bone);
  organ(canal, tissues.canal);
  organ(at(40, 18, 12, { aspect: 1.3, angle: 1.1 * medial }), tissues.muscle);
  organ(at(52, -24, 8), tissues.vessel, fine, 0.01);

  // In front: liver or spleen and bowel, kept off the kidney by its own fat
  const capsule = blob(random, size, {
    x,
    y,
    radius: 1.32 * radius + between(random, 0.5, 2.5) * scale,
    aspect: 1.2,
    angle: Math.PI / 2,
    roughness: 0.03,
  });
  const liver = subtract(
    at(-16, -58, 42, { aspect: 1.5, angle: 0.35 * medial }),
    capsule,
  );
  organ(liver, tissues.liver, coarse);
  const ducts = nothing(size);
  for (let k = 0; k < 4; k++) {
    stroke(
      ducts,
      size,
      walk(random, {
        x: x - medial * between(random, 0, 40) * scale,
        y: y - between(random, 48, 62) * scale,
        angle: 2 * Math.PI * random.uniform(),
        length: 18 * scale,
        from: 1.3 * scale,
        to: 0.4 * scale,
      }),
    );
  }
  const notLiver = invert(grow(liver, -2 * scale));
  fill(image, subtract(ducts, notLiver), tissues.vessel, {
    softness: scale,
    opacity: 0.5,
  });
  for (let k = 2 + random.integer(2); k > 0; k--) {
    const loop = subtract(
      at(
        between(random, 16, 52),
        -between(random, 38, 58),
        between(random, 8, 12),
        { aspect: between(random, 1, 1.5), angle: 3 * random.uniform() },
      ),
      capsule,
    );
    organ(loop, tissues.bowel);
    const full = random.uniform() < 0.5;
    organ(
      grow(loop, -2.6 * scale),
      full ? tissues.bowel + 0.2 : tissues.lumen,
      coarse,
    );
  }
  return image;
}

/** Fine strands in the fat around the kidney. */
function paintStrands(
  random: Random,
  image: Field,
  size: number,
  tissues: Tissues,
  { x, y, radius }: KidneyPlace,
): void {
  const scale = size / 128;
  const strands = nothing(size);
  for (let k = 0; k < 8; k++) {
    const side = 2 * Math.PI * random.uniform();
    stroke(
      strands,
      size,
      walk(random, {
        x: x + 1.4 * radius * Math.cos(side),
        y: y + 1.4 * radius * Math.sin(side),
        angle: side + Math.PI / 2 + 0.5 * random.normal(),
        length: between(random, 10, 30) * scale,
        from: 0.4 * scale,
        to: 0.2 * scale,
      }),
    );
  }
  fill(image, strands, tissues.muscle, { softness: 0.8 * scale, opacity: 0.5 });
}
