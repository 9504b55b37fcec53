import type { Point } from "../spa/feedback.ts";

/** First clicks by the image's id. */
export type FirstClicks = Readonly<Record<string, readonly Point[]>>;

/**
 * Reads a file of first clicks: JSON, by the image's id,
 * `{ "case1": [{ "x": 61, "y": 40 }, { "x": 9, "y": 3, "label": 0 }] }`.
 *
 * @throws {RangeError} When the file is not so.
 */
export async function readFirstClicks(path: string): Promise<FirstClicks> {
  const text = await Deno.readTextFile(path);
  const refuse = (rule: string, found: unknown) =>
    new RangeError(
      `Cannot read first clicks as ${path} must ${rule}: current value is ${
        JSON.stringify(found)?.slice(0, 80)
      }`,
    );
  let clicks: unknown;
  try {
    clicks = JSON.parse(text);
  } catch {
    throw refuse("be JSON", text.slice(0, 60));
  }
  if (typeof clicks !== "object" || !clicks || Array.isArray(clicks)) {
    throw refuse("have lists of clicks by the images' ids", clicks);
  }
  for (const [id, points] of Object.entries(clicks)) {
    if (Array.isArray(points) && points.length > 0 && points.every(isPoint)) {
      continue;
    }
    throw refuse(
      `give image ${id} a list of clicks { "x", "y" } with a label 0 or 1 or none`,
      points,
    );
  }
  return clicks as FirstClicks;
}

function isPoint(value: unknown): value is Point {
  const { x, y, label = 1 } = (value ?? {}) as Record<string, unknown>;
  return Number.isFinite(x) && Number.isFinite(y) &&
    (label === 0 || label === 1);
}
