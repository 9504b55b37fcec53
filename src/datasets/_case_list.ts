import { join } from "node:path";

/** What `cases.json` says of a case. */
export interface CaseEntry {
  case: string;
  patient?: string;
  /** "train", "val" or "test", if it is valid. */
  split?: string;
  /** Millimetres per pixel. */
  pixel_spacing_mm?: number;
}

/**
 * Reads `cases.json` of a dataset's folder, by the cases' names; a dataset
 * without that file has an empty map.
 */
export async function readCaseList(
  folder: string,
): Promise<Map<string, CaseEntry>> {
  const path = join(folder, "cases.json");
  let text: string;
  try {
    text = await Deno.readTextFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return new Map();
    throw error;
  }
  let entries: unknown;
  try {
    entries = JSON.parse(text);
  } catch (cause) {
    throw new SyntaxError(
      `Cannot open dataset as ${path} must be JSON: current value is ${
        text.slice(0, 40)
      }`,
      { cause },
    );
  }
  if (
    !Array.isArray(entries) ||
    !entries.every((entry) => typeof entry?.case === "string")
  ) {
    throw new TypeError(
      `Cannot open dataset as ${path} must be a list of objects with a "case": current value is ${
        text.slice(0, 40)
      }`,
    );
  }
  return new Map(entries.map((entry: CaseEntry) => [entry.case, entry]));
}
