/**
 * Every pixel's squared distance to the nearest of the given ones, exact and in
 * time linear in the pixels (Felzenszwalb and Huttenlocher 2012).
 */
export function squaredDistances(
  pixels: readonly number[],
  height: number,
  width: number,
): Float64Array {
  const field = new Float64Array(height * width).fill(Infinity);
  for (const i of pixels) field[i] = 0;
  const longest = Math.max(height, width);
  const line = new Float64Array(longest);
  const apex = new Int32Array(longest); // of the parabolas of the envelope
  const from = new Float64Array(longest); // where each begins to be lowest
  const transform = (start: number, stride: number, length: number) => {
    let count = 0;
    for (let x = 0; x < length; x++) {
      line[x] = field[start + x * stride];
      if (line[x] === Infinity) continue;
      let crossing = -Infinity;
      while (count > 0) {
        const other = apex[count - 1];
        crossing = (line[x] + x * x - line[other] - other * other) /
          (2 * (x - other));
        if (crossing > from[count - 1]) break;
        count--;
        crossing = -Infinity;
      }
      apex[count] = x;
      from[count++] = crossing;
    }
    if (count === 0) return;
    for (let x = 0, k = 0; x < length; x++) {
      while (k + 1 < count && from[k + 1] < x) k++;
      field[start + x * stride] = line[apex[k]] + (x - apex[k]) ** 2;
    }
  };
  for (let column = 0; column < width; column++) {
    transform(column, width, height);
  }
  for (let row = 0; row < height; row++) transform(row * width, 1, width);
  return field;
}
