/** Reads a file of recorded references, one JSON object per line. */
export function readReference<T>(name: string): T[] {
  const url = new URL(`./reference/${name}`, import.meta.url);
  return Deno.readTextFileSync(url).trim().split("\n")
    .map((line) => JSON.parse(line));
}

/** A file of real data, or undefined where the shared folder is absent, which it says in one line. */
export function sharedFile(path: string): string | undefined {
  const url = new URL(`../../shared/data/${path}`, import.meta.url);
  try {
    Deno.statSync(url);
    return url.pathname;
  } catch {
    console.log(`skipped: ${url.pathname} is not there; no test on it`);
    return undefined;
  }
}
