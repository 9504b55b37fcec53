import type { Random } from "../random.ts";
import type { Field } from "./_phantom_paint.ts";

/** Smooth noise: random values, about -1..1, every `cell` pixels, and octaves of half the cell and the size. */
export function texture(
  random: Random,
  size: number,
  cell: number,
  octaves = 1,
): Field {
  const field = new Float32Array(size * size);
  for (let octave = 0; octave < octaves; octave++, cell /= 2) {
    const side = Math.ceil(size / cell) + 2;
    const lattice = new Float32Array(side * side);
    for (let i = 0; i < lattice.length; i++) {
      lattice[i] = 2 ** -octave * (2 * random.uniform() - 1);
    }
    const shift = random.uniform();
    const cells = new Int32Array(size);
    const shares = new Float32Array(size);
    for (let i = 0; i < size; i++) {
      const position = i / cell + shift;
      const t = position - Math.floor(position);
      cells[i] = Math.floor(position);
      shares[i] = t * t * (3 - 2 * t);
    }
    for (let row = 0, i = 0; row < size; row++) {
      const v = shares[row];
      for (let column = 0; column < size; column++, i++) {
        const k = cells[row] * side + cells[column];
        const u = shares[column];
        const upper = lattice[k] + u * (lattice[k + 1] - lattice[k]);
        const lower = lattice[k + side] +
          u * (lattice[k + side + 1] - lattice[k + side]);
        field[i] += upper + v * (lower - upper);
      }
    }
  }
  return field;
}

/** A Gaussian blur of standard deviation `sigma` pixels; edges repeat. */
export function blur(field: Field, size: number, sigma: number): Field {
  const radius = Math.ceil(2.5 * sigma);
  const weights = Float32Array.from(
    { length: 2 * radius + 1 },
    (_, k) => Math.exp(-0.5 * ((k - radius) / sigma) ** 2),
  );
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  // Each pass filters rows and transposes, so that two give the whole blur.
  const pass = (source: Field) => {
    const target = new Float32Array(source.length);
    const padded = new Float32Array(size + 2 * radius);
    for (let row = 0; row < size; row++) {
      const start = row * size;
      padded.fill(source[start], 0, radius);
      padded.set(source.subarray(start, start + size), radius);
      padded.fill(source[start + size - 1], radius + size);
      let first = 0; // Masks are mostly empty: empty ends cost nothing.
      let last = padded.length - 1;
      while (first <= last && padded[first] === 0) first++;
      while (last > first && padded[last] === 0) last--;
      const from = Math.max(first - 2 * radius, 0);
      const to = Math.min(last, size - 1);
      for (let column = from; column <= to; column++) {
        let sum = 0;
        for (let k = 0; k < weights.length; k++) {
          sum += weights[k] * padded[column + k];
        }
        target[column * size + row] = sum / total;
      }
    }
    return target;
  };
  return pass(pass(field));
}

/** Noise of standard deviation 1, correlated over `sigma` pixels. */
export function grain(random: Random, size: number, sigma: number): Field {
  const field = new Float32Array(size * size);
  for (let i = 0; i < field.length; i++) {
    field[i] = random.uniform() - 0.5;
  }
  const smooth = blur(field, size, sigma);
  let squares = 0;
  for (const value of smooth) squares += value * value;
  const scale = 1 / Math.sqrt(squares / smooth.length);
  for (let i = 0; i < smooth.length; i++) smooth[i] *= scale;
  return smooth;
}

/** Clips every value to 0..1, in place. */
export function clip(field: Field): Field {
  for (let i = 0; i < field.length; i++) {
    field[i] = Math.min(Math.max(field[i], 0), 1);
  }
  return field;
}
