/**
 * Decodes DICOM's RLE (PS3.5 annex G): one PackBits segment per byte of a
 * sample, most significant first, channel after channel.
 *
 * @param coded One frame: a header of 64 bytes and its segments.
 * @returns The samples, channels interleaved, least significant byte first.
 * @throws {Error} When the frame is damaged.
 */
export function decodeRle(
  coded: Uint8Array,
  { area, channels, width }: {
    /** Pixels of the frame. */
    area: number;
    channels: number;
    /** Bytes of a sample. */
    width: number;
  },
): Uint8Array {
  const view = new DataView(coded.buffer, coded.byteOffset, coded.byteLength);
  const segments = coded.length < 64 ? 0 : view.getUint32(0, true);
  if (segments !== channels * width) {
    throw new Error(`${segments} RLE segments instead of ${channels * width}`);
  }
  // A run packs 128 bytes into two at most.
  if (coded.length * 64 < area * segments) throw new Error("too few RLE bytes");
  const samples = new Uint8Array(area * segments);
  for (let segment = 0; segment < segments; segment++) {
    const start = view.getUint32(4 + 4 * segment, true);
    const end = segment + 1 < segments
      ? view.getUint32(8 + 4 * segment, true)
      : coded.length;
    if (!(start >= 64 && start <= end && end <= coded.length)) {
      throw new Error("an RLE segment outside the frame");
    }
    const plane = unpackBits(coded.subarray(start, end), area);
    const channel = Math.floor(segment / width);
    const byte = channel * width + width - 1 - segment % width;
    for (let i = 0; i < area; i++) {
      samples[i * channels * width + byte] = plane[i];
    }
  }
  return samples;
}

function unpackBits(packed: Uint8Array, length: number): Uint8Array {
  const plain = new Uint8Array(length);
  let from = 0;
  let to = 0;
  while (to < length && from < packed.length) {
    const control = packed[from++];
    if (control < 128) {
      const literal = packed.subarray(from, from + control + 1);
      plain.set(literal.subarray(0, length - to), to);
      to += literal.length;
      from += control + 1;
    } else if (control > 128) {
      const run = 257 - control;
      plain.fill(packed[from++], to, to + run);
      to += run;
    }
  }
  if (to < length) throw new Error("an RLE segment that ends too early");
  return plain;
}
