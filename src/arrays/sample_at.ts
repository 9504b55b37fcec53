/**
 * The value of channel `c` at column x and row y of row-major values
 * [height, width, channels], bilinear, edges repeated.
 */
export function sampleAt(
  data: Float32Array | Uint8Array,
  height: number,
  width: number,
  channels: number,
  c: number,
  x: number,
  y: number,
): number {
  x = Math.min(width - 1, Math.max(0, x));
  y = Math.min(height - 1, Math.max(0, y));
  const left = Math.floor(x), top = Math.floor(y);
  const right = Math.min(width - 1, left + 1);
  const bottom = Math.min(height - 1, top + 1);
  const u = x - left, v = y - top;
  const at = (row: number, column: number) =>
    data[(row * width + column) * channels + c];
  return (at(top, left) * (1 - u) + at(top, right) * u) * (1 - v) +
    (at(bottom, left) * (1 - u) + at(bottom, right) * u) * v;
}
