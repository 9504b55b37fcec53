import { dirname } from "node:path";
import { fileURLToPath } from "node:url";

/**
 * Writes a file whole or not at all: to a temporary name in the same folder,
 * then renamed over `path`. Missing folders are made.
 *
 * @param path Where the file will be, a path or a file URL.
 * @param bytes Its content.
 * @throws When the folder cannot be written; what stood at `path` is untouched then.
 */
export async function writeFileAtomic(
  path: string | URL,
  bytes: Uint8Array,
): Promise<void> {
  const target = path instanceof URL ? fileURLToPath(path) : path;
  const temporary = `${target}.${crypto.randomUUID()}.tmp`;
  await Deno.mkdir(dirname(target), { recursive: true });
  try {
    await Deno.writeFile(temporary, bytes);
    await Deno.rename(temporary, target);
  } catch (error) {
    await Deno.remove(temporary).catch(() => {});
    throw error;
  }
}
