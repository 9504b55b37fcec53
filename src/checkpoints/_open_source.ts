/** Opens one checkpoint file by what its first bytes say. */

import { type ByteSource, openFile } from "./_byte_source.ts";
import { openPth } from "./_pth.ts";
import type { FileCheckpoint } from "./_file_checkpoint.ts";
import { openSafetensors } from "./safetensors.ts";

/** How a zip archive begins. */
const ZIP = "PK\x03\x04";
/** How PyTorch's earlier format begins: a pickled magic number. */
const LEGACY = "\x80\x02\x8a\x0al\xfc\x9cF\xf9 j";

/** Opens one file, and closes it again if it is refused. */
export function openOne(path: string): FileCheckpoint {
  const source = openFile(path);
  try {
    return openSource(source);
  } catch (error) {
    source.close();
    throw error;
  }
}

/** Opens a checkpoint by its first bytes. */
export function openSource(source: ByteSource): FileCheckpoint {
  const start = source.read(0, Math.min(16, source.size));
  const text = String.fromCharCode(...start);
  if (text.startsWith(ZIP)) return openPth(source);
  if (text.startsWith(LEGACY)) {
    throw refuse(
      source,
      'in the zip format of torch.save since PyTorch 1.6; save it anew there with torch.save(torch.load(path, map_location="cpu"), path)',
      "the legacy format",
    );
  }
  if (text.startsWith("version https:/")) {
    throw refuse(
      source,
      "the file itself; fetch it with git lfs pull",
      "a Git LFS pointer",
    );
  }
  if (/^\s*<(!doctype|html|\?xml)/i.test(text)) {
    throw refuse(source, "safetensors or of torch.save", "a web page");
  }
  return openSafetensors(source);
}

function refuse(
  { name }: ByteSource,
  rule: string,
  current: string,
): RangeError {
  return new RangeError(
    `Cannot open checkpoint ${name} as it must be ${rule}: current value is ${current}`,
  );
}
