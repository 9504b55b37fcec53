/**
 * PyTorch's checkpoints: a zip archive with a pickle of the tensors' shapes,
 * `data.pkl`, and one entry of raw bytes per storage, `data/0`, `data/1`, ...
 *
 * Format: torch/serialization.py and torch/_utils.py, since PyTorch 1.6.
 */

import { sizeOf } from "../engine/tensors.ts";
import type { ByteSource } from "./_byte_source.ts";
import { ELEMENT_BYTES, show } from "./_elements.ts";
import { Dict, kind } from "./_pickle_values.ts";
import {
  GLOBALS,
  openStorage,
  Tensor,
  UnreadableTensor,
} from "./_pth_tensors.ts";
import { unpickle } from "./_unpickle.ts";
import {
  checkStored,
  readZip,
  refusePth,
  verifyEntry,
  type ZipEntry,
} from "./_zip.ts";
import { FileCheckpoint, type TensorRecord } from "./_file_checkpoint.ts";

/** What an archive of torch.jit.save holds, and none of torch.save. */
const TORCH_SCRIPT = /^[^/]*\/(constants\.pkl$|code\/)/;
const MAX_PICKLE_BYTES = 2 ** 24;
const MAX_DEPTH = 8;
const MAX_NAME = 512;
/** Far more than the largest network's weights and optimizer hold. */
const MAX_VISITS = 2 ** 18;

/**
 * Opens a checkpoint of `torch.save`.
 *
 * @param source The file.
 * @returns Its tensors; those of dicts within the dict are named with dots.
 * @throws {RangeError} When it is damaged, or its pickle holds anything but
 * tensors and plain data.
 */
export function openPth(source: ByteSource): FileCheckpoint {
  const entries = readZip(source);
  const names = [...entries.keys()];
  if (names.some((name) => TORCH_SCRIPT.test(name))) {
    throw refusePth(
      "it must be of torch.save, such as torch.save(torch.jit.load(path).state_dict(), path)",
      "a TorchScript archive",
    );
  }
  checkStored(entries);
  const pickles = names.filter((name) => /^[^/]*\/data\.pkl$/.test(name));
  if (pickles.length !== 1) {
    throw refusePth(
      "it must hold one data.pkl, as torch.save writes it (unpack an archive of other files)",
      pickles.length,
    );
  }
  const folder = pickles[0].slice(0, -"data.pkl".length);
  checkByteOrder(source, entries.get(`${folder}byteorder`));
  const pickle = entries.get(pickles[0])!;
  if (pickle.size > MAX_PICKLE_BYTES) {
    throw refusePth(
      `its data.pkl must be <= ${MAX_PICKLE_BYTES} bytes`,
      pickle.size,
    );
  }
  verifyEntry(source, pickle);
  const root = unpickle(source.read(pickle.begin, pickle.size), {
    globals: GLOBALS,
    persistent: (id) => openStorage(entries, folder, id),
  });
  return new FileCheckpoint({
    format: "PyTorch checkpoint",
    ...collectTensors(root, source),
    sources: [source],
  });
}

function checkByteOrder(source: ByteSource, entry: ZipEntry | undefined) {
  if (!entry) return; // PyTorch before 2.1, always little-endian here
  const bytes = source.read(entry.begin, Math.min(entry.size, 6));
  const order = new TextDecoder().decode(bytes);
  if (order !== "little") {
    throw refusePth("its byte order must be little", show(order));
  }
}

/** What a checkpoint's dict holds, by name. */
interface Found {
  readonly records: Map<string, TensorRecord>;
  readonly skipped: Map<string, string>;
}

/**
 * The tensors of a dict and of the dicts in it. A dict may be there twice, as
 * where the weights are their own average; then so are its tensors.
 */
function collectTensors(root: unknown, source: ByteSource): Found {
  const records = new Map<string, TensorRecord>();
  const skipped = new Map<string, string>();
  const verified = new Set<ZipEntry>();
  const verify = (entry: ZipEntry) => {
    if (!verified.has(entry)) verifyEntry(source, entry);
    verified.add(entry);
  };
  const newName = (path: readonly string[]) => {
    const name = nameOf(path);
    if (!records.has(name) && !skipped.has(name)) return name;
    throw refusePth("every tensor must have a name of its own", show(name));
  };
  const around = new Set<Dict>();
  let visits = 0;
  const visit = (value: unknown, path: readonly string[]) => {
    if (++visits > MAX_VISITS) {
      throw refusePth(
        `its dicts must hold <= ${MAX_VISITS} values, shared ones counted each time`,
        "more",
      );
    }
    if (value instanceof Tensor) {
      records.set(newName(path), recordOf(value, source, verify));
    } else if (value instanceof UnreadableTensor) {
      const name = newName(path);
      const { rule, current } = value;
      const { message } = refusePth(`${show(name)} must ${rule}`, current);
      skipped.set(name, message);
    } else if (value instanceof Dict) {
      if (path.length > MAX_DEPTH || around.has(value)) {
        throw refusePth(
          `its dicts must nest <= ${MAX_DEPTH} deep, none within itself`,
          show(path.join(".")),
        );
      }
      around.add(value);
      for (const [key, part] of value.pairs) visit(part, [...path, key]);
      around.delete(value);
    }
  };
  if (root instanceof Dict) visit(root, []);
  if (records.size > 0) return { records, skipped };
  for (const problem of skipped.values()) throw new RangeError(problem);
  throw refusePth("it must hold a dict of tensors", kind(root));
}

/** A tensor's name. */
function nameOf(path: readonly string[]): string {
  const name = path.join(".");
  if (name.length <= MAX_NAME) return name;
  throw refusePth(
    `its tensors' names must be <= ${MAX_NAME} long`,
    name.length,
  );
}

function recordOf(
  { storage, offset, shape, strides }: Tensor,
  source: ByteSource,
  verify: (entry: ZipEntry) => void,
): TensorRecord {
  const rowMajor = shape.map((_, k) => sizeOf(shape.slice(k + 1)));
  const plain = shape.every((side, k) =>
    side <= 1 || strides[k] === rowMajor[k]
  );
  return {
    type: storage.type,
    shape,
    source,
    begin: storage.entry.begin + offset * ELEMENT_BYTES[storage.type],
    strides: plain ? undefined : strides,
    verify: () => verify(storage.entry),
  };
}
