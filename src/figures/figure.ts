import { once } from "../once.ts";
import { displayBundle, inKernel } from "../notebook/kernel.ts";
import { renderSVG } from "./render_svg.ts";
import { escapeXML } from "./svg.ts";

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
  #place: string | undefined; // the name of the output it stands in

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
   * @param options.scale Pixels per unit of width, which defaults to 2: crisp
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

  /**
   * Shows the figure now; outside a notebook prints its line of text.
   *
   * @param options.replaces A figure shown before, whose place this one takes;
   * by default it is an output of its own.
   *
   * @example A curve that grows
   * ```ts ignore
   * const longer = diceFigure({ series });
   * await longer.show({ replaces: curve });
   * curve = longer;
   * ```
   */
  async show({ replaces }: { replaces?: Figure } = {}): Promise<void> {
    if (!inKernel()) return console.log(this.toString());
    const place = replaces && replaces.#place;
    this.#place = place ?? crypto.randomUUID();
    await displayBundle(this.toBundle(), {
      id: this.#place,
      update: place !== undefined,
    });
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
