/**
 * Every pixel's squared distance to the nearest of the given ones, exact and in
 * time linear in the pixels (Felzenszwalb and Huttenlocher 2012).
 *
 * @param pixels Row-major indices.
 * @param steps Distance between rows and between columns.
 * @returns Row-major, [height * width]; infinite where `pixels` is empty.
 */
export function squaredDistances(
  pixels: readonly number[],
  height: number,
  width: number,
  steps: readonly number[] = [1, 1],
): Float64Array {
  return squaredDistancesIn(pixels, [height, width], steps);
}

/**
 * The same in an array of any number of dimensions.
 *
 * @param elements Row-major indices.
 * @param shape Its sides.
 * @param steps Distance between neighbors along each of them.
 * @returns Row-major; infinite where `elements` is empty.
 */
export function squaredDistancesIn(
  elements: readonly number[],
  shape: readonly number[],
  steps: readonly number[],
): Float64Array {
  const size = shape.reduce((product, side) => product * side, 1);
  const field = new Float64Array(size).fill(Infinity);
  for (const i of elements) field[i] = 0;
  const longest = Math.max(...shape);
  const apex = new Float64Array(longest); // of the parabolas of the envelope
  const floor = new Float64Array(longest); // the value there
  const from = new Float64Array(longest); // where each begins to be lowest
  const transform = (
    start: number,
    stride: number,
    length: number,
    step: number,
  ) => {
    let count = 0;
    for (let i = 0; i < length; i++) {
      const value = field[start + i * stride];
      if (value === Infinity) continue;
      const x = i * step;
      let crossing = -Infinity;
      while (count > 0) {
        const other = apex[count - 1];
        crossing = (value + x * x - floor[count - 1] - other * other) /
          (2 * (x - other));
        if (crossing > from[count - 1]) break;
        count--;
        crossing = -Infinity;
      }
      apex[count] = x;
      floor[count] = value;
      from[count++] = crossing;
    }
    if (count === 0) return;
    for (let i = 0, k = 0; i < length; i++) {
      const x = i * step;
      while (k + 1 < count && from[k + 1] < x) k++;
      field[start + i * stride] = floor[k] + (x - apex[k]) ** 2;
    }
  };
  let stride = size;
  shape.forEach((side, axis) => {
    const outer = stride;
    stride /= side;
    for (let first = 0; first < size; first += outer) {
      for (let i = 0; i < stride; i++) {
        transform(first + i, stride, side, steps[axis]);
      }
    }
  });
  return field;
}
