import assert from "node:assert/strict";

/** Reads a file of recorded references, one JSON object per line. */
export function readReference<T>(name: string): T[] {
  const url = new URL(`../reference/${name}`, import.meta.url);
  return Deno.readTextFileSync(url).trim().split("\n")
    .map((line) => JSON.parse(line));
}

/** A file of real data, or undefined where the shared folder is absent, which it says in one line. */
export function sharedFile(path: string): string | undefined {
  const url = new URL(`../../../shared/data/${path}`, import.meta.url);
  try {
    Deno.statSync(url);
    return url.pathname;
  } catch {
    console.log(`skipped: ${url.pathname} is not there; no test on it`);
    return undefined;
  }
}

/** Checks that every file is refused with a TypeError that says why. */
export async function refusesFiles(
  read: (bytes: Uint8Array) => Promise<unknown>,
  files: readonly (readonly [Uint8Array, RegExp])[],
) {
  for (const [bytes, message] of files) {
    await assert.rejects(read(bytes), (error: Error) => {
      assert.ok(error instanceof TypeError, `${error}`);
      assert.match(error.message, /^Cannot read image as .*current value is/);
      assert.match(error.message, message);
      return true;
    }, `${message}`);
  }
}
