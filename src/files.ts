import { basename, dirname, join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { InputError } from "./input_error.ts";

/**
 * Writes a file whole or not at all: to a temporary name in the same folder,
 * then renamed over `path`. Missing folders are made.
 *
 * @param path Where the file will be, a path or a file URL.
 * @param content Text, or bytes, whole or in pieces.
 * @throws When the folder cannot be written; what stood at `path` is untouched then.
 */
export async function writeFileAtomic(
  path: string | URL,
  content: string | Uint8Array | Iterable<Uint8Array>,
): Promise<void> {
  const target = path instanceof URL ? fileURLToPath(path) : path;
  const temporary = temporaryName(target);
  await Deno.mkdir(dirname(target), { recursive: true });
  try {
    if (typeof content === "string") {
      await Deno.writeTextFile(temporary, content);
    } else {
      await Deno.writeFile(
        temporary,
        content instanceof Uint8Array ? content : ReadableStream.from(content),
      );
    }
    await Deno.rename(temporary, target);
  } catch (error) {
    await Deno.remove(temporary).catch(() => {});
    throw error;
  }
}

/** What reading a file gives; undefined where there is no such file. */
export async function ifThere<T>(reading: Promise<T>): Promise<T | undefined> {
  try {
    return await reading;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

function temporaryName(path: string): string {
  return `${path}.${crypto.randomUUID()}.tmp`;
}

/**
 * Removes what a process that was killed while it wrote a file left beside it.
 * For a process that goes on with that one's work; the earlier one must have
 * ended.
 *
 * @param path The file.
 */
export async function removeLeftovers(path: string): Promise<void> {
  await removeTemporaries(dirname(path), (name) => name === basename(path));
}

/** Removes what killed processes left half-written of some files in a folder. */
export async function removeTemporaries(
  folder: string,
  of: (name: string) => boolean,
): Promise<void> {
  if (!await Deno.stat(folder).catch(() => undefined)) return;
  for await (const { name } of Deno.readDir(folder)) {
    const file = /^(.*)\.[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}\.tmp$/s.exec(
      name,
    );
    if (file && of(file[1])) {
      await Deno.remove(join(folder, name)).catch(() => {});
    }
  }
}

/**
 * Checks that a file can be written, before the hours of work that go into it.
 *
 * @param path Where the file will be; missing folders are made.
 * @throws {RangeError} When `path` is a folder, no folder can be made for it, or nothing can be written there.
 */
export async function checkTarget(path: string): Promise<void> {
  const refuse = (must: string) =>
    new InputError(`Cannot write a file as ${must}: current value is ${path}`);
  await Deno.mkdir(dirname(path), { recursive: true }).catch(() => {
    throw refuse("its folder must be one that can be made");
  });
  const found = await Deno.stat(path).catch(() => undefined);
  if (found?.isDirectory) throw refuse("its name must not be a folder's");
  const temporary = temporaryName(path);
  await Deno.writeFile(temporary, new Uint8Array()).catch((error) => {
    throw refuse(`it must be possible to write there (${error.message})`);
  });
  await Deno.remove(temporary);
}

/** Where downloads are kept unless said otherwise: the system's cache folder. */
export function defaultCacheFolder(): string {
  const home = Deno.env.get("HOME") ?? Deno.env.get("USERPROFILE") ?? ".";
  const caches = process.platform === "win32"
    ? Deno.env.get("LOCALAPPDATA")
    : process.platform === "darwin"
    ? join(home, "Library", "Caches")
    : Deno.env.get("XDG_CACHE_HOME");
  return join(caches || join(home, ".cache"), "spa-seg");
}
