/** Points of many dimensions in a plane. */

/** The plane of the largest spread of some points. */
export interface PrincipalPlane {
  /** A point's place in the plane; the mean of the points is (0, 0). */
  readonly project: (point: ArrayLike<number>) => [number, number];
  /** Share of the points' variance along each axis, 0..1. */
  readonly shares: readonly [number, number];
}

/** Steps of the power iteration; far more than a picture needs. */
const STEPS = 500;

/**
 * The first two principal components of points, by power iteration. An axis
 * along which the points do not differ is zero.
 *
 * @param points At least one, of equal lengths.
 */
export function principalPlane(
  points: readonly ArrayLike<number>[],
): PrincipalPlane {
  const length = points[0].length;
  const mean = new Float64Array(length);
  for (const point of points) {
    for (let i = 0; i < length; i++) mean[i] += point[i] / points.length;
  }
  const centered = points.map((point) => mean.map((m, i) => point[i] - m));
  const total = centered.reduce((sum, row) => sum + product(row, row), 0);
  const first = principalAxis(centered, []);
  const second = principalAxis(centered, [first]);
  const along = (axis: Float64Array) =>
    total === 0
      ? 0
      : centered.reduce((sum, row) => sum + product(row, axis) ** 2, 0) / total;
  return {
    shares: [along(first), along(second)],
    project: (point) => {
      const row = mean.map((m, i) => point[i] - m);
      return [product(row, first), product(row, second)];
    },
  };
}

/** The direction of the largest variance that is orthogonal to others. */
function principalAxis(
  rows: readonly Float64Array[],
  others: readonly Float64Array[],
): Float64Array {
  const orthogonal = (vector: Float64Array) => {
    for (const axis of others) {
      const part = product(vector, axis);
      axis.forEach((value, i) => vector[i] -= part * value);
    }
    return vector;
  };
  // from the row that has most of it, so that it is never orthogonal to it
  const parts = rows.map((row) => orthogonal(row.slice()));
  const sizes = parts.map((row) => product(row, row));
  const scale = Math.max(...sizes);
  let axis = parts[sizes.indexOf(scale)];
  if (scale < 1e-18 * (1 + Math.max(...rows.map((row) => product(row, row))))) {
    return new Float64Array(axis.length);
  }
  for (let step = 0; step < STEPS; step++) {
    const next = new Float64Array(axis.length);
    for (const row of rows) {
      const part = product(row, axis);
      row.forEach((value, i) => next[i] += part * value);
    }
    orthogonal(next);
    const norm = Math.sqrt(product(next, next));
    axis = next.map((value) => value / norm);
  }
  return axis;
}

function product(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}
