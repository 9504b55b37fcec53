/**
 * PyTorch's checkpoints: a zip archive with a pickle of the tensors' shapes,
 * `data.pkl`, and one entry of raw bytes per storage, `data/0`, `data/1`, ...
 *
 * Format: torch/serialization.py and torch/_utils.py, since PyTorch 1.6.
 */

import { sizeOf } from "../engine/tensors.ts";
import type { ByteSource } from "./_byte_source.ts";
import {
  ELEMENT_BYTES,
  type ElementType,
  isShape,
  isWhole,
  show,
} from "./_elements.ts";
import { Dict, Global, kind, setItems } from "./_pickle_values.ts";
import { unpickle } from "./_unpickle.ts";
import { readZip, refusePth, verifyEntry, type ZipEntry } from "./_zip.ts";
import { FileCheckpoint, type TensorRecord } from "./_file_checkpoint.ts";

const MAX_PICKLE_BYTES = 2 ** 24;
const MAX_DEPTH = 8;

/** PyTorch's names of storages, without "torch." and "Storage". */
const STORAGE_TYPES: Record<string, ElementType> = {
  Double: "float64",
  Float: "float32",
  Half: "float16",
  BFloat16: "bfloat16",
  Long: "int64",
  Int: "int32",
  Short: "int16",
  Char: "int8",
  Byte: "uint8",
  Bool: "bool",
};

/** A storage: a run of elements of one type. */
class Storage {
  constructor(
    readonly type: ElementType,
    readonly length: number,
    readonly entry: ZipEntry,
    readonly verify: () => void,
  ) {}
}

/** A tensor: a view of a storage. */
class Tensor {
  constructor(
    readonly storage: Storage,
    readonly offset: number,
    readonly shape: readonly number[],
    readonly strides: readonly number[],
  ) {}
}

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
  const pickles = [...entries.keys()].filter((name) =>
    /^[^/]*\/data\.pkl$/.test(name)
  );
  if (pickles.length !== 1) {
    throw refusePth("it must hold one data.pkl", pickles.length);
  }
  const folder = pickles[0].slice(0, -"data.pkl".length);
  if (entries.has(`${folder}constants.pkl`)) {
    throw refusePth(
      "it must be of torch.save(model.state_dict(), path)",
      "a TorchScript archive",
    );
  }
  checkByteOrder(source, entries.get(`${folder}byteorder`));
  const pickle = entries.get(pickles[0])!;
  if (pickle.size > MAX_PICKLE_BYTES) {
    throw refusePth(
      `its data.pkl must be <= ${MAX_PICKLE_BYTES} bytes`,
      pickle.size,
    );
  }
  verifyEntry(source, pickle);
  const storages = new Map<string, Storage>();
  const root = unpickle(source.read(pickle.begin, pickle.size), {
    globals: GLOBALS,
    persistent: (id) => openStorage(source, entries, folder, storages, id),
  });
  return new FileCheckpoint({
    format: "PyTorch checkpoint",
    records: collectTensors(root, source),
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

/** `torch.FloatStorage` and the like are named in persistent ids only. */
function storageGlobals(): [string, Global][] {
  return Object.keys(STORAGE_TYPES).map((type) => {
    const name = `torch.${type}Storage`;
    return [
      name,
      new Global(name, () => {
        throw refusePth("its pickle must not call a storage", name);
      }),
    ];
  });
}

/** All that a pickle may name. */
const GLOBALS: ReadonlyMap<string, Global> = new Map([
  ...[
    new Global("collections.OrderedDict", orderedDict),
    new Global("torch._utils._rebuild_tensor_v2", rebuildTensor),
    new Global("torch._utils._rebuild_parameter", ([data]) => {
      if (data instanceof Tensor) return data;
      throw refusePth("a parameter must be a tensor", kind(data));
    }),
  ].map((global) => [global.name, global] as const),
  ...storageGlobals(),
]);

/** OrderedDict() or OrderedDict([[key, value], ...]). */
function orderedDict([pairs = []]: unknown[]): unknown {
  const proper = Array.isArray(pairs) &&
    pairs.every((pair) => Array.isArray(pair) && pair.length === 2);
  if (proper) return setItems(new Dict(), pairs.flat());
  throw refusePth("an OrderedDict must be made of pairs", kind(pairs));
}

/** ("storage", torch.FloatStorage, "0", "cpu", 16). */
function openStorage(
  source: ByteSource,
  entries: ReadonlyMap<string, ZipEntry>,
  folder: string,
  opened: Map<string, Storage>,
  id: unknown,
): Storage {
  const [word, global, key, , length] = Array.isArray(id) ? id : [];
  const name = global instanceof Global ? global.name : "";
  const type = STORAGE_TYPES[name.slice("torch.".length, -"Storage".length)];
  if (
    word !== "storage" || !type || typeof key !== "string" || !isWhole(length)
  ) {
    throw refusePth(
      "a storage must have a type, a key and a length",
      kind(id),
    );
  }
  const entry = entries.get(`${folder}data/${key}`);
  if (entry?.size !== length * ELEMENT_BYTES[type]) {
    throw refusePth(
      `storage ${show(key)} must be ${length} of ${type} in the archive`,
      entry ? `${entry.size} bytes` : "missing",
    );
  }
  const known = opened.get(key);
  if (known?.type === type) return known;
  let verified = false;
  const storage = new Storage(type, length, entry, () => {
    if (!verified) verifyEntry(source, entry);
    verified = true;
  });
  opened.set(key, storage);
  return storage;
}

/** _rebuild_tensor_v2(storage, offset, size, stride, requires_grad, hooks). */
function rebuildTensor(args: unknown[]): Tensor {
  const [storage, offset, shape, strides] = args;
  if (
    !(storage instanceof Storage) || !isWhole(offset) || !isShape(shape) ||
    !Array.isArray(strides) || strides.length !== shape.length ||
    !strides.every((stride) => isWhole(stride))
  ) {
    throw refusePth(
      "a tensor must have a storage, an offset, a size and strides",
      [storage, offset, shape, strides].map(kind).join(", "),
    );
  }
  const size = sizeOf(shape);
  const last = size === 0
    ? offset - 1
    : shape.reduce((at, side, k) => at + (side - 1) * strides[k], offset);
  if (last >= storage.length || size > storage.length) {
    throw refusePth(
      `a tensor must lie in its storage of ${storage.length} elements`,
      `shape [${shape}], strides [${strides}], offset ${offset}`,
    );
  }
  return new Tensor(storage, offset, [...shape], [...strides]);
}

/** The tensors of a dict and of the dicts in it, by name. */
function collectTensors(
  root: unknown,
  source: ByteSource,
): Map<string, TensorRecord> {
  const records = new Map<string, TensorRecord>();
  const seen = new Set<unknown>();
  const visit = (value: unknown, path: readonly string[]) => {
    if (value instanceof Tensor) {
      const name = path.join(".");
      if (records.has(name)) {
        throw refusePth("every tensor must have a name of its own", show(name));
      }
      records.set(name, recordOf(value, source));
    } else if (value instanceof Dict) {
      if (path.length > MAX_DEPTH || seen.has(value)) {
        throw refusePth(
          `its dicts must nest <= ${MAX_DEPTH} deep, none within itself`,
          show(path.join(".")),
        );
      }
      seen.add(value);
      for (const [key, part] of value.pairs) visit(part, [...path, key]);
    }
  };
  if (!(root instanceof Dict)) {
    throw refusePth("it must hold a dict of tensors", kind(root));
  }
  visit(root, []);
  if (records.size > 0) return records;
  throw refusePth("it must hold a dict of tensors", kind(root));
}

function recordOf(
  { storage, offset, shape, strides }: Tensor,
  source: ByteSource,
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
    verify: storage.verify,
  };
}
