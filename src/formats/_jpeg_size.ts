type Size = [rows: number, columns: number, channels: number];

/** The markers of a JPEG up to its frame header (ITU T.81 B.2.2), and where each stands. */
function* markersOf(
  bytes: Uint8Array,
): Generator<{ marker: number; at: number; frame: boolean }> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 2; // behind the start of image
  while (at + 10 <= bytes.length && bytes[at] === 0xff) {
    const marker = bytes[at + 1];
    // Start of frame, but not a table's marker (DHT, JPG, DAC).
    const frame = marker >= 0xc0 && marker <= 0xcf &&
      ![0xc4, 0xc8, 0xcc].includes(marker);
    yield { marker, at, frame };
    if (frame) return;
    at += marker === 0xff ? 1 : 2 + view.getUint16(at + 2);
  }
}

/** The size in a JPEG's frame header, or undefined where there is none. */
export function jpegSize(bytes: Uint8Array): Size | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const header = markersOf(bytes).find(({ frame }) => frame);
  if (!header) return undefined;
  const { at } = header;
  return [view.getUint16(at + 5), view.getUint16(at + 7), bytes[at + 9]];
}

/** Adobe's marker APP14 of a JPEG whose components are red, green and blue: transform 0. */
const ADOBE_RGB = [
  ...[0xff, 0xee, 0, 14, 0x41, 0x64, 0x6f, 0x62, 0x65],
  ...[0, 100, 0, 0, 0, 0, 0],
];

/**
 * A JPEG whose components are red, green and blue, told to a decoder that takes
 * three components for luma and chroma otherwise. One that says itself what they
 * are, by a JFIF or an Adobe marker, is left as it is: it knows better.
 */
export function asRgbJpeg(bytes: Uint8Array): Uint8Array {
  const says = (at: number, word: string) =>
    [...word].every((char, i) => bytes[at + 4 + i] === char.charCodeAt(0));
  const told = markersOf(bytes).some(({ marker, at }) =>
    (marker === 0xe0 && says(at, "JFIF")) ||
    (marker === 0xee && says(at, "Adobe"))
  );
  if (told) return bytes;
  const result = new Uint8Array(bytes.length + ADOBE_RGB.length);
  result.set(bytes.subarray(0, 2));
  result.set(ADOBE_RGB, 2);
  result.set(bytes.subarray(2), 2 + ADOBE_RGB.length);
  return result;
}

/** A tile-part's header in a JPEG 2000 codestream has at least so many bytes: SOT and SOD. */
const TILE_BYTES = 14;

/**
 * The size in a JPEG 2000 codestream's header (ITU T.800 A.5.1), or undefined
 * where there is none, or where it claims more tiles than its bytes can hold.
 */
export function codestreamSize(bytes: Uint8Array): Size | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 42 || view.getUint32(0) !== 0xff4fff51) return undefined;
  const [width, height, left, top, tileWidth, tileHeight, tileLeft, tileTop] =
    Array.from({ length: 8 }, (_, i) => view.getUint32(8 + 4 * i));
  const tiles = Math.ceil((width - tileLeft) / tileWidth) *
    Math.ceil((height - tileTop) / tileHeight);
  if (!(tiles * TILE_BYTES <= bytes.length)) return undefined;
  return [height - top, width - left, view.getUint16(40)];
}
