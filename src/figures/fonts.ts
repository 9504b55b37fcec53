/** The two shipped fonts, so that pictures need none from the machine. */

import { fileURLToPath } from "node:url";
import { join } from "node:path";
import { digest } from "../digest.ts";
import { defaultCacheFolder, writeFileAtomic } from "../files.ts";
import { once } from "../once.ts";
import { EnvironmentError } from "../input_error.ts";

/** The measures of text set in the shipped fonts. */
export interface Fonts {
  /**
   * Width of one line of text in pixels.
   *
   * @param text The line; characters outside the fonts count as a missing one.
   * @param size Font size in pixels.
   * @param bold Whether it is set in bold. Default: false.
   */
  width(text: string, size: number, bold?: boolean): number;
  /** The line, its end replaced by "…" where it is wider than `max` pixels. */
  fit(text: string, max: number, size: number, bold?: boolean): string;
  /** The same, its middle replaced: both ends are seen, of a name and of its remark. */
  fitMiddle(text: string, max: number, size: number, bold?: boolean): string;
}

/** Widths in em that no character of a kind exceeds; see {@linkcode widthBound}. */
const BOUNDS: readonly [RegExp, number][] = [
  [/[ !'(),.\-/:;I[\\\]fijlrt|]/, 0.412],
  [/[#%+<=>@MW^mw~]/, 1],
  [/[$&A-HJ-LN-VX-Z]/, 0.79],
  [/[ -~]/, 0.66],
];

/**
 * An upper bound of the width of a line in the regular font, without loading
 * it: for the height of a figure, which is known before it is drawn.
 */
export function widthBound(text: string, size: number): number {
  let em = 0;
  for (const character of text) {
    em += BOUNDS.find(([kind]) => kind.test(character))?.[1] ?? 1;
  }
  return em * size;
}

const FOLDER = new URL("../../data/fonts/", import.meta.url);
const FILES = ["DejaVuSans-Subset.ttf", "DejaVuSans-Bold-Subset.ttf"];

/** Loads the measures of the shipped fonts, regular and bold; once. */
export const loadFonts: () => Promise<Fonts> = once(load);

/**
 * The folder with the fonts and their `fonts.conf`. Where this module came over
 * the network they are copied once into the system's cache folder, so that
 * figures need no network afterwards.
 */
const localFolder: () => Promise<string> = once(() =>
  FOLDER.protocol === "file:"
    ? Promise.resolve(fileURLToPath(FOLDER))
    : keepFonts(FOLDER, defaultCacheFolder())
);

/** The path of a fontconfig file that knows the shipped fonts. */
export async function fontconfigFile(): Promise<string> {
  return join(await localFolder(), "fonts.conf");
}

/**
 * Copies the fonts into a folder of the cache. What is there already is not
 * asked for again. Where the cache cannot be written, the copy lies in a
 * temporary folder until this process ends.
 *
 * @param source The address of the shipped folder, which ends in "/".
 * @param cache The cache folder.
 * @returns The folder with the copy.
 * @throws {Error} When a file is not there yet and the server does not send it.
 */
export async function keepFonts(source: URL, cache: string): Promise<string> {
  const folder = join(cache, `fonts-${digest([source.href])}`);
  const names = [...FILES, "fonts.conf"];
  const missing: string[] = [];
  for (const name of names) {
    const found = await Deno.stat(join(folder, name)).catch(() => undefined);
    if (!found?.isFile || found.size === 0) missing.push(name);
  }
  if (missing.length === 0) return folder;
  const bytes = await Promise.all(
    missing.map((name) => fetchFile(new URL(name, source))),
  );
  const copyTo = async (folder: string) => {
    for (const [i, name] of missing.entries()) {
      await writeFileAtomic(join(folder, name), bytes[i]);
    }
    return folder;
  };
  try {
    return await copyTo(folder);
  } catch (error) {
    if (missing.length < names.length) throw error;
    const folder = await Deno.makeTempDir({ prefix: "spa_fonts_" });
    globalThis.addEventListener("unload", () => {
      Deno.removeSync(folder, { recursive: true });
    });
    return await copyTo(folder);
  }
}

async function fetchFile(url: URL): Promise<Uint8Array> {
  const response = await fetch(url);
  if (!response.ok) {
    await response.body?.cancel();
    throw new EnvironmentError(
      `Cannot load font ${url}: status ${response.status}`,
    );
  }
  return new Uint8Array(await response.arrayBuffer());
}

async function load(): Promise<Fonts> {
  const folder = await localFolder();
  const files = await Promise.all(
    FILES.map((name) => Deno.readFile(join(folder, name))),
  );
  const [regular, bold] = files.map(readAdvances);
  const width = (text: string, size: number, inBold = false) => {
    const advance = inBold ? bold : regular;
    let em = 0;
    for (const character of text) em += advance(character.codePointAt(0)!);
    return em * size;
  };
  const fit = (text: string, max: number, size: number, bold = false) => {
    if (width(text, size, bold) <= max) return text;
    const characters = [...text];
    while (
      characters.length > 0 &&
      width(`${characters.join("")}…`, size, bold) > max
    ) characters.pop();
    return `${characters.join("").trimEnd()}…`;
  };
  const fitMiddle = (text: string, max: number, size: number, bold = false) => {
    const head = [...text];
    const tail = head.splice(head.length >> 1);
    let line = text;
    while (head.length > 0 && width(line, size, bold) > max) {
      if (head.length > tail.length) head.pop();
      else tail.shift();
      line = `${head.join("").trimEnd()}…${tail.join("").trimStart()}`;
    }
    return line;
  };
  return { width, fit, fitMiddle };
}

/** How far each character moves the pen, in em, from the tables cmap and hmtx. */
function readAdvances(file: Uint8Array): (codePoint: number) => number {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const table = new Map<string, number>();
  for (let i = 0; i < view.getUint16(4); i++) {
    const record = 12 + 16 * i;
    const tag = String.fromCharCode(...file.subarray(record, record + 4));
    table.set(tag, view.getUint32(record + 8));
  }
  const unitsPerEm = view.getUint16(table.get("head")! + 18);
  const metrics = view.getUint16(table.get("hhea")! + 34);
  const glyphs = readCharacterMap(view, table.get("cmap")!);
  return (codePoint) => {
    const glyph = Math.min(glyphs.get(codePoint) ?? 0, metrics - 1);
    return view.getUint16(table.get("hmtx")! + 4 * glyph) / unitsPerEm;
  };
}

/** The Basic Multilingual Plane's subtable, format 4. */
function readCharacterMap(view: DataView, cmap: number): Map<number, number> {
  const glyphs = new Map<number, number>();
  for (let i = 0; i < view.getUint16(cmap + 2); i++) {
    const subtable = cmap + view.getUint32(cmap + 4 + 8 * i + 4);
    if (view.getUint16(subtable) !== 4) continue;
    const segments = view.getUint16(subtable + 6); // bytes of one array
    for (let at = subtable + 14; at < subtable + 14 + segments; at += 2) {
      const end = view.getUint16(at);
      const start = view.getUint16(at + segments + 2);
      const delta = view.getUint16(at + 2 * segments + 2);
      const slot = at + 3 * segments + 2;
      const offset = view.getUint16(slot);
      for (let code = start; code <= end && code < 0xffff; code++) {
        const glyph = offset === 0
          ? code
          : view.getUint16(slot + offset + 2 * (code - start));
        if (glyph !== 0) glyphs.set(code, (glyph + delta) & 0xffff);
      }
    }
  }
  return glyphs;
}
