/** An element of explicit VR, little endian, as bytes; a sequence has one item per entry. */
export function element(
  group: number,
  number: number,
  vr: string,
  value: string | number | Uint8Array | number[][],
): number[] {
  const u2 = (v: number) => [v & 255, v >> 8 & 255];
  const u4 = (v: number) => [...u2(v & 65535), ...u2(v >>> 16)];
  const text = (v: string) => [...new TextEncoder().encode(v)];
  const head = [...u2(group), ...u2(number), ...text(vr)];
  if (Array.isArray(value)) {
    const items = value.flatMap((item) => [
      ...[...u2(0xfffe), ...u2(0xe000), ...u4(item.length), ...item],
    ]);
    return [...head, 0, 0, ...u4(items.length), ...items];
  }
  if (value instanceof Uint8Array) {
    return [...head, 0, 0, ...u4(value.length), ...value];
  }
  if (typeof value === "number") return [...head, ...u2(2), ...u2(value)];
  const even = value.length % 2 === 0 ? value : `${value} `;
  return [...head, ...u2(even.length), ...text(even)];
}
