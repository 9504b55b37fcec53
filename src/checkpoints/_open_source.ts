/** Opens one checkpoint file by what its first bytes say. */

import { type ByteSource, openFile } from "./_byte_source.ts";
import { openPth } from "./_pth.ts";
import type { FileCheckpoint } from "./_file_checkpoint.ts";
import { openSafetensors } from "./safetensors.ts";

/** How a zip archive begins. */
const ZIP = "PK\x03\x04";
/** The number that PyTorch's earlier format pickles first. */
const LEGACY = "\x8a\x0al\xfc\x9cF\xf9 j";
/** How safetensors begin: a length of less than 2^32, then JSON. */
const SAFETENSORS = /^.{4}\0{4}\s*\{/s;
/** What tells an archive of tar, and where. */
const TAR = "ustar";
const TAR_AT = 257;
const GZIP = "\x1f\x8b";

/** How to bring an earlier file of PyTorch into the format that is read. */
const ANEW =
  'save it anew there with torch.save(torch.load(path, map_location="cpu"), path)';

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
  const start = source.read(0, Math.min(TAR_AT + TAR.length, source.size));
  const text = String.fromCharCode(...start);
  if (text.startsWith(ZIP)) return openPth(source);
  if (SAFETENSORS.test(text)) return openSafetensors(source);
  if (start[0] === 0x80 && start[1] >= 2 && start[1] <= 5) { // a pickle
    const isLegacy = text.slice(0, 32).includes(LEGACY);
    throw refuse(
      source,
      isLegacy
        ? `in the zip format of torch.save since PyTorch 1.6; ${ANEW}`
        : "safetensors or of torch.save; load it in Python and give its tensors to torch.save",
      isLegacy ? "the legacy format" : "a bare pickle",
    );
  }
  if (text.startsWith(TAR, TAR_AT)) {
    throw refuse(
      source,
      `a checkpoint itself; unpack it, or if PyTorch before 0.1.10 wrote it, ${ANEW}`,
      "a tar archive",
    );
  }
  if (text.startsWith(GZIP)) {
    throw refuse(source, "unpacked; use gunzip", "compressed by gzip");
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
  if (/^\{\s*"/.test(text)) {
    throw refuse(
      source,
      "a file of tensors, or the folder of shards",
      "JSON, such as an index without its shards",
    );
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
