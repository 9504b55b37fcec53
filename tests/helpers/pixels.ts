import sharp from "sharp";

/** A decoded picture. */
export interface Pixels {
  width: number;
  height: number;
  /** Red, green and blue, 0..255, of the pixel that (x, y) lies in. */
  at(x: number, y: number): [number, number, number];
}

/** Decodes a PNG file. */
export async function decodePNG(bytes: Uint8Array): Promise<Pixels> {
  const { data, info } = await sharp(bytes).toColourspace("srgb").removeAlpha()
    .raw().toBuffer({ resolveWithObject: true });
  return {
    width: info.width,
    height: info.height,
    at(x, y) {
      const i = 3 * (Math.floor(y) * info.width + Math.floor(x));
      return [data[i], data[i + 1], data[i + 2]];
    },
  };
}

/** "#56B4E9" as numbers. */
export function rgb(hex: string): [number, number, number] {
  return [...Uint8Array.fromHex(hex.slice(1))] as [number, number, number];
}

/** The largest difference of two colors in any channel. */
export function distance(a: readonly number[], b: readonly number[]): number {
  return Math.max(...a.map((value, c) => Math.abs(value - b[c])));
}
