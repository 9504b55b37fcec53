import type { Sharp } from "sharp";
import { once } from "../once.ts";
import { fontconfigFile } from "./fonts.ts";

type SharpFactory = (input: Uint8Array, options: object) => Sharp;

/**
 * Renders an SVG as PNG, its text in the shipped fonts: the same picture on a
 * machine that has fonts and on one that has none.
 *
 * @param svg An SVG document that says its width and height.
 * @param options.scale Pixels of the PNG per unit of the SVG, which defaults
 * to 1.
 * @param options.palette Whether 256 colours are enough, which halves the file;
 * defaults to false.
 * @returns The bytes of a PNG file.
 */
export async function renderSVG(
  svg: string,
  { scale = 1, palette = false }: { scale?: number; palette?: boolean } = {},
): Promise<Uint8Array> {
  if (!(scale > 0 && scale <= 8)) {
    throw new RangeError(
      `Cannot render SVG as scale must be in (0, 8]: current value is ${scale}`,
    );
  }
  const sharp = await loadSharp();
  const bytes = new TextEncoder().encode(svg);
  const png = await sharp(bytes, { density: 72 * scale, unlimited: true })
    .removeAlpha().png(
      palette
        ? { palette, effort: 1, dither: 0 }
        : { compressionLevel: 6, adaptiveFiltering: true },
    ).toBuffer();
  return new Uint8Array(png);
}

/**
 * Loads sharp and shows it the shipped fonts. Its fontconfig reads its
 * configuration once, at the first text, from the file that a variable names.
 */
const loadSharp = once(async (): Promise<SharpFactory> => {
  const { default: sharp } = await import("sharp");
  const variable = "FONTCONFIG_FILE";
  const before = Deno.env.get(variable);
  Deno.env.set(variable, await fontconfigFile());
  try {
    const text =
      '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9">' +
      '<text y="9">a</text></svg>';
    await sharp(new TextEncoder().encode(text)).toBuffer();
  } finally {
    if (before === undefined) Deno.env.delete(variable);
    else Deno.env.set(variable, before);
  }
  return sharp;
});
