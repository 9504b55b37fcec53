import type { Random } from "../random.ts";
import {
  CT,
  type KidneyPlace,
  MR,
  paintAbdomen,
  type Tissues,
} from "./_phantom_abdomen.ts";
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

/** The renal vessels and the pelvis, which leave through the hilum. */
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
        x: x + 0.35 * radius * Math.cos(angle),
        y: y + 0.35 * radius * Math.sin(angle),
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
