import type { Sharp } from "sharp";
import { writeFileAtomic } from "../files.ts";
import { once } from "../once.ts";
import { fontconfigFile } from "./fonts.ts";
import { escapeXML, svgDocument } from "./svg.ts";
import { InputError } from "../input_error.ts";

/** What a {@linkcode Figure} is made of. */
export interface FigureSource {
  /** Pixels at scale 1. */
  readonly width: number;
  /** Pixels at scale 1. */
  readonly height: number;
  /** One sentence that says what the figure shows, for those who cannot see it. */
  readonly alt: string;
  /** Draws the SVG document; called once, when it is first needed. */
  readonly draw: () => string | Promise<string>;
  /** More forms of the figure for a notebook, by mime type. */
  readonly extra?: Readonly<Record<string, unknown>>;
}

const JUPYTER_DISPLAY: unique symbol = Symbol.for("Jupyter.display") as never;
const INSPECT: unique symbol = Symbol.for("Deno.customInspect") as never;

/**
 * A picture that a notebook shows as a cell's last expression, and that is
 * written to a file as SVG, PNG or HTML.
 *
 * @example Writing a figure
 * ```ts ignore
 * const figure = maskFigure({ image, mask });
 * await Deno.writeFile("mask.png", await figure.toPNG());
 * ```
 */
export class Figure {
  readonly #source: FigureSource;
  readonly #svg: () => Promise<string>;

  /** A figure that is drawn when it is first needed. */
  constructor(source: FigureSource) {
    this.#source = source;
    this.#svg = once(async () => await source.draw());
  }

  /** Pixels at scale 1. */
  get width(): number {
    return this.#source.width;
  }

  /** Pixels at scale 1. */
  get height(): number {
    return this.#source.height;
  }

  /** One sentence that says what the figure shows. */
  get alt(): string {
    return this.#source.alt;
  }

  /** The figure as an SVG document, with its images inside. */
  toSVG(): Promise<string> {
    return this.#svg();
  }

  /**
   * The figure as a PNG file, the same on every machine.
   *
   * @param options.scale Pixels per unit of width. Default: 2: crisp
   * on a projector and on a dense screen.
   * @throws {RangeError} When scale is not above 0 and at most 8.
   */
  async toPNG({ scale = 2 }: { scale?: number } = {}): Promise<Uint8Array> {
    return await renderSVG(await this.toSVG(), { scale });
  }

  /**
   * The figure as one HTML element, an `img` that holds it all.
   *
   * @param options.as "svg" (the default: small, crisp at any size, set in the
   * reader's fonts) or "png" (survives every sanitiser).
   */
  async toHTML({ as = "svg" }: { as?: "svg" | "png" } = {}): Promise<string> {
    const [mime, bytes] = as === "png"
      ? ["image/png", await this.toPNG()]
      : ["image/svg+xml", new TextEncoder().encode(await this.toSVG())];
    return this.#img(mime, bytes.toBase64());
  }

  /** The forms a notebook chooses from, by mime type; small, as it is saved. */
  async toBundle(): Promise<Record<string, unknown>> {
    const png = await renderSVG(await this.toSVG(), { palette: true });
    return {
      ...this.#source.extra,
      "text/html": await this.toHTML(),
      "image/png": png.toBase64(),
      "text/plain": this.toString(),
    };
  }

  /** What a notebook's kernel calls. */
  [JUPYTER_DISPLAY](): Promise<Record<string, unknown>> {
    return this.toBundle();
  }

  /** What `console.log` shows. */
  [INSPECT](): string {
    return this.toString();
  }

  /** One line: the figure's size and what it shows. */
  toString(): string {
    return `Figure ${this.width} x ${this.height}: ${this.alt}`;
  }

  #img(mime: string, base64: string): string {
    return `<img src="data:${mime};base64,${base64}" ` +
      `alt="${escapeXML(this.alt)}" width="${this.width}" ` +
      `style="max-width:100%;height:auto">`;
  }
}

/**
 * Several figures as one, from top to bottom.
 *
 * @param figures At least one.
 * @throws {RangeError} When there is none.
 */
export function stackFigures(figures: readonly Figure[]): Figure {
  if (figures.length === 0) {
    throw new InputError(
      "Cannot stack figures as there must be one: current value is none",
    );
  }
  const width = Math.max(...figures.map((figure) => figure.width));
  const height = figures.reduce((sum, figure) => sum + figure.height, 0);
  const alt = figures.map((figure) => figure.alt).join(". ");
  return new Figure({
    width,
    height,
    alt,
    async draw() {
      let top = 0;
      const parts: string[] = [];
      for (const figure of figures) {
        const svg = await figure.toSVG();
        parts.push(svg.replace(/^<svg /, `<svg y="${top}" `));
        top += figure.height;
      }
      return svgDocument(width, height, alt, parts.join(""));
    },
  });
}

/** Writes a figure as SVG, where the path ends so, or PNG; whole or not at all. */
export async function writeFigure(path: string, figure: Figure): Promise<void> {
  const content = path.endsWith(".svg")
    ? await figure.toSVG()
    : await figure.toPNG();
  await writeFileAtomic(path, content);
}

type SharpFactory = (input: Uint8Array, options: object) => Sharp;

/**
 * Renders an SVG as PNG, its text in the shipped fonts: the same picture on a
 * machine that has fonts and on one that has none.
 *
 * @param svg An SVG document that says its width and height.
 * @param options.scale Pixels of the PNG per unit of the SVG.
 * Default: 1.
 * @param options.palette Whether 256 colors are enough, which halves the file;
 * defaults to false.
 * @returns The bytes of a PNG file.
 */
export async function renderSVG(
  svg: string,
  { scale = 1, palette = false }: { scale?: number; palette?: boolean } = {},
): Promise<Uint8Array> {
  if (!(scale > 0 && scale <= 8)) {
    throw new InputError(
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
