import { writeFileAtomic } from "../files.ts";
import type { Figure } from "./figure.ts";

/** Writes a figure as SVG, where the path ends so, or PNG; whole or not at all. */
export async function writeFigure(path: string, figure: Figure): Promise<void> {
  const content = path.endsWith(".svg")
    ? await figure.toSVG()
    : await figure.toPNG();
  await writeFileAtomic(path, content);
}
