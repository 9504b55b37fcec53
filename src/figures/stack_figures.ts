import { Figure } from "./figure.ts";
import { svgDocument } from "./svg.ts";

/**
 * Several figures as one, from top to bottom.
 *
 * @param figures At least one.
 * @throws {RangeError} When there is none.
 */
export function stackFigures(figures: readonly Figure[]): Figure {
  if (figures.length === 0) {
    throw new RangeError(
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
