type Size = [rows: number, columns: number, channels: number];

/** The size in a JPEG's frame header (ITU T.81 B.2.2), or undefined where there is none. */
export function jpegSize(bytes: Uint8Array): Size | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 2; // behind the start of image
  while (at + 10 <= bytes.length && bytes[at] === 0xff) {
    const marker = bytes[at + 1];
    // Start of frame, but not a table's marker (DHT, JPG, DAC).
    if (
      marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker)
    ) {
      return [view.getUint16(at + 5), view.getUint16(at + 7), bytes[at + 9]];
    }
    at += marker === 0xff ? 1 : 2 + view.getUint16(at + 2);
  }
  return undefined;
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
