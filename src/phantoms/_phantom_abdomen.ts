import type { Random } from "../random.ts";
import {
  band,
  between,
  type Blob,
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
        ...onCircle(x, y, 1.4 * radius, side),
        angle: side + Math.PI / 2 + 0.5 * random.normal(),
        length: between(random, 10, 30) * scale,
        from: 0.4 * scale,
        to: 0.2 * scale,
      }),
    );
  }
  fill(image, strands, tissues.muscle, { softness: 0.8 * scale, opacity: 0.5 });
}

/** A kidney in an axial slice, on CT or MR, with a cyst or a tumor two times in three. */
export function kidneyScene(random: Random, size: number): Scene {
  const scale = size / 128;
  const isMR = random.uniform() < 0.35;
  const tissues = isMR ? MR : CT;
  const medial = random.uniform() < 0.5 ? -1 : 1;
  const place: KidneyPlace = {
    medial,
    x: size / 2 - 4 * scale * medial + 3 * scale * random.normal(),
    y: size / 2 + 2 * scale + 3 * scale * random.normal(),
    radius: scale * between(random, 22, 29),
  };
  const image = paintAbdomen(random, size, tissues, place);

  // The hilum looks to the spine and a little to the front.
  const { x, y, radius } = place;
  const hilum = (medial > 0 ? 0 : Math.PI) - medial * between(random, 0.2, 0.7);
  const bean = blob(random, size, {
    x,
    y,
    radius,
    aspect: between(random, 1.2, 1.5),
    angle: hilum - Math.PI / 2,
    roughness: 0.025,
    waves: 6,
    dent: between(random, 0.25, 0.4),
  });
  const sinus = blob(random, size, {
    x: x + 0.36 * radius * Math.cos(hilum),
    y: y + 0.36 * radius * Math.sin(hilum),
    radius: radius * between(random, 0.4, 0.5),
    aspect: 1.45,
    angle: hilum - Math.PI / 2,
    roughness: 0.2,
    waves: 7,
  });
  const edge = scale * between(random, 0.9, 1.8);
  fill(image, bean, tissues.cortex, { softness: edge });
  paintPyramids(random, image, size, tissues, { bean, sinus, x, y });
  fill(image, sinus, tissues.fat, { softness: 1.2 * scale });
  paintHilum(random, image, size, tissues, { x, y, radius, hilum });
  const part = random.uniform() < 0.67
    ? paintLesion(random, image, size, tissues, { x, y, radius, hilum, bean })
    : undefined;

  const seen = blur(image, size, scale * between(random, 0.5, 0.85));
  const bias = texture(random, size, size); // of the MR coil
  const noise = grain(random, size, isMR ? 0.4 : 0.8);
  const level = isMR
    ? between(random, 0.012, 0.03)
    : between(random, 0.015, 0.04);
  for (let i = 0; i < seen.length; i++) {
    seen[i] = seen[i] * (isMR ? 1 + 0.2 * bias[i] : 1) + level * noise[i];
  }
  const kidney = subtract(bean, sinus);
  return {
    image: clip(seen),
    channels: 1,
    object: part ? subtract(kidney, part) : kidney,
    part,
    softness: 1.1 * edge,
  };
}

/** The medulla's pyramids, between the columns of the cortex. */
function paintPyramids(
  random: Random,
  image: Field,
  size: number,
  tissues: Tissues,
  { bean, sinus, x, y }: { bean: Field; sinus: Field; x: number; y: number },
): void {
  const scale = size / 128;
  const cortex = scale * between(random, 4.5, 6.5);
  const count = 7 + random.integer(3);
  const phase = 2 * Math.PI * random.uniform();
  const wobble = texture(random, size, 12 * scale);
  const pyramids = nothing(size);
  for (let i = 0; i < bean.length; i++) {
    const depth = bean[i] - cortex;
    if (depth < -4 * scale) continue;
    const t = Math.atan2(Math.floor(i / size) - y, i % size - x);
    const column = Math.cos(count * t + phase + 0.8 * wobble[i]);
    pyramids[i] = Math.min(
      depth - 1.2 * wobble[i],
      9.5 * scale + 2 * wobble[i] - depth,
      -sinus[i] - scale,
      (column + 0.6) * 4 * scale,
    );
  }
  fill(image, pyramids, tissues.medulla, {
    softness: 1.8 * scale,
    opacity: 0.9,
  });
}

/** The renal vessels and the pelvis. They leave through the hilum. */
function paintHilum(
  random: Random,
  image: Field,
  size: number,
  tissues: Tissues,
  { x, y, radius, hilum }: {
    x: number;
    y: number;
    radius: number;
    hilum: number;
  },
): void {
  const scale = size / 128;
  const tubes: [value: number, halfWidth: number, side: number][] = [
    [tissues.vessel, between(random, 2, 3), -0.22],
    [tissues.vessel, between(random, 1.2, 1.8), 0.05],
    [tissues.cyst, between(random, 1.5, 2.6), 0.3], // urine in the pelvis
  ];
  for (const [value, halfWidth, side] of tubes) {
    const tube = nothing(size);
    const angle = hilum + side;
    stroke(
      tube,
      size,
      walk(random, {
        ...onCircle(x, y, 0.35 * radius, angle),
        angle: angle + 0.1 * random.normal(),
        length: between(random, 0.8, 1.4) * radius,
        from: halfWidth * scale,
        to: 0.7 * halfWidth * scale,
        bend: 0.2,
      }),
    );
    fill(image, tube, value, { softness: 1.3 * scale, opacity: 0.85 });
  }
}

/** A cyst or a tumor that bulges out of the kidney; returns its shape. */
function paintLesion(
  random: Random,
  image: Field,
  size: number,
  tissues: Tissues,
  { x, y, radius, hilum, bean }: {
    x: number;
    y: number;
    radius: number;
    hilum: number;
    bean: Field;
  },
): Field {
  const scale = size / 128;
  const isCyst = random.uniform() < 0.55;
  const side = hilum + Math.PI + between(random, -1.6, 1.6); // not at the hilum
  const own = scale *
    (isCyst ? between(random, 6, 11) : between(random, 7, 13));
  const depthAt = (distance: number) =>
    bean[
      Math.round(y + distance * Math.sin(side)) * size +
      Math.round(x + distance * Math.cos(side))
    ];
  let border = 0; // from the center to the kidney's border
  while (border < 2 * radius && depthAt(border) > 0) border += 0.5;
  const center = border + own * between(random, -0.35, 0.45);
  const lesion = blob(random, size, {
    x: x + center * Math.cos(side),
    y: y + center * Math.sin(side),
    radius: own,
    aspect: isCyst ? 1.05 : between(random, 1, 1.25),
    angle: 3 * random.uniform(),
    roughness: isCyst ? 0.015 : 0.06,
    waves: 6,
  });
  if (isCyst) fill(image, lesion, tissues.cyst, { softness: 1.1 * scale });
  else {
    fill(image, lesion, tissues.tumor, {
      softness: 1.8 * scale,
      noise: texture(random, size, own / 2.5, 3),
      amplitude: 0.14,
    });
  }
  return lesion;
}
