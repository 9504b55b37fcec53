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
import { FileCheckpoint, type TensorRecord } from "./checkpoint.ts";
import { Dict, Global, kind, Opaque, setItems, unpickle } from "./_pickle.ts";
import {
  checkStored,
  readZip,
  refusePth,
  verifyEntry,
  type ZipEntry,
} from "./_zip.ts";
import { InputError } from "../input_error.ts";

/** An entry that torch.jit.save writes and torch.save does not. */
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
 * The tensors of a dict and of the dicts in it. The same dict may occur twice,
 * such as weights that are their own average; its tensors then occur twice as
 * well.
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
  for (const problem of skipped.values()) throw new InputError(problem);
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

/*
 * What the pickle of a PyTorch checkpoint may name: what makes its tensors, and
 * inert values beside them, which torch.load takes with weights_only=True.
 *
 * Source: torch/_utils.py and torch/_weights_only_unpickler.py.
 */

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

/** Storages of elements that have no host value here. */
const UNREADABLE_STORAGES = [
  "torch.ComplexFloatStorage",
  "torch.ComplexDoubleStorage",
  "torch.storage.UntypedStorage", // of types newer than the storages' names
];

/** PyTorch's names of element types, which a pickle may hold beside tensors. */
const DTYPES = ["float64", "float32", "float16", "bfloat16", "complex32"]
  .concat(["complex64", "complex128", "int64", "int32", "int16", "int8"])
  .concat(["uint64", "uint32", "uint16", "uint8", "bool", "float8_e4m3fn"])
  .concat(["float8_e4m3fnuz", "float8_e5m2", "float8_e5m2fnuz"]);

/** A storage: a run of elements of one type, in an entry of the archive. */
export class Storage {
  constructor(
    readonly type: ElementType,
    readonly length: number,
    readonly entry: ZipEntry,
  ) {}
}

/** A tensor: a view of a storage. */
export class Tensor {
  constructor(
    readonly storage: Storage,
    readonly offset: number,
    readonly shape: readonly number[],
    readonly strides: readonly number[],
  ) {}
}

/** A tensor that this module does not read. The other tensors stay readable. */
export class UnreadableTensor {
  /** `rule` says what a tensor must be, `current` what this one is. */
  constructor(readonly rule: string, readonly current: string) {}
}

const READABLE = `be of ${Object.values(STORAGE_TYPES).join(", ")}`;

/**
 * What training scripts put beside weights: numpy's scalars and arrays, a
 * command's arguments, paths. They are passed over, whatever they hold.
 */
const PASSED_OVER = [
  ...["numpy.core", "numpy._core"].flatMap((module) =>
    ["multiarray.scalar", "multiarray._reconstruct", "numeric._frombuffer"]
      .map((name) => `${module}.${name}`)
  ),
  "numpy.dtype",
  "_codecs.encode", // bytes, in protocol 2
  ...["pathlib", "pathlib._local"].flatMap((module) =>
    ["PosixPath", "PurePosixPath", "WindowsPath", "PureWindowsPath"]
      .map((name) => `${module}.${name}`)
  ),
];

const NAMESPACE = "argparse.Namespace";

/** Something that a pickle may name but not call. */
function named(name: string): Global {
  return new Global(name, () => {
    throw refusePth("its pickle must call what it may", name);
  });
}

/** All that a pickle may name. */
export const GLOBALS: ReadonlyMap<string, Global> = new Map(
  [
    new Global("collections.OrderedDict", orderedDict),
    new Global("torch._utils._rebuild_tensor_v2", rebuildTensor),
    new Global(
      "torch._utils._rebuild_tensor_v3",
      (args) => new UnreadableTensor(READABLE, kind(args[6])),
    ),
    new Global(
      "torch._utils._rebuild_sparse_tensor",
      () => new UnreadableTensor("be dense", "sparse"),
    ),
    new Global("torch._utils._rebuild_parameter", ([data]) => {
      if (data instanceof Tensor || data instanceof UnreadableTensor) {
        return data;
      }
      throw refusePth("a parameter must be a tensor", kind(data));
    }),
    ...["torch.Size", "torch.device", "torch.serialization._get_layout"]
      .map((name) => new Global(name, () => new Opaque(name))),
    ...PASSED_OVER.map((name) => new Global(name, () => new Opaque(name))),
    new Global(NAMESPACE, () => new Opaque(NAMESPACE), true),
    named("numpy.ndarray"),
    ...DTYPES.map((type) => named(`torch.${type}`)),
    ...Object.keys(STORAGE_TYPES).map((type) => named(`torch.${type}Storage`)),
    ...UNREADABLE_STORAGES.map(named),
  ].map((global) => [global.name, global]),
);

/** OrderedDict() or OrderedDict([[key, value], ...]). */
function orderedDict([pairs = []]: unknown[]): unknown {
  const proper = Array.isArray(pairs) &&
    pairs.every((pair) => Array.isArray(pair) && pair.length === 2);
  if (proper) return setItems(new Dict(), pairs.flat());
  throw refusePth("an OrderedDict must be made of pairs", kind(pairs));
}

/**
 * The storage of a persistent id, ("storage", torch.FloatStorage, "0", "cpu",
 * 16): its type, its entry's name, its device, its length.
 *
 * @param entries What the archive holds.
 * @param folder Where in it.
 */
export function openStorage(
  entries: ReadonlyMap<string, ZipEntry>,
  folder: string,
  id: unknown,
): Storage | Opaque {
  const [word, global, key, , length] = Array.isArray(id) ? id : [];
  const name = global instanceof Global ? global.name : "";
  const type = STORAGE_TYPES[name.slice("torch.".length, -"Storage".length)];
  const known = type || UNREADABLE_STORAGES.includes(name);
  if (
    word !== "storage" || !known || typeof key !== "string" || !isWhole(length)
  ) {
    throw refusePth(
      "a storage must have a type, a key and a length",
      kind(id),
    );
  }
  if (!type) return new Opaque(name);
  const entry = entries.get(`${folder}data/${key}`);
  if (entry?.size === length * ELEMENT_BYTES[type]) {
    return new Storage(type, length, entry);
  }
  throw refusePth(
    `storage ${show(key)} must be ${length} of ${type} in the archive`,
    entry ? `${entry.size} bytes` : "missing",
  );
}

/** _rebuild_tensor_v2(storage, offset, size, stride, requires_grad, hooks). */
function rebuildTensor(args: unknown[]): Tensor | UnreadableTensor {
  const [storage, offset, shape, strides] = args;
  if (storage instanceof Opaque && UNREADABLE_STORAGES.includes(storage.what)) {
    return new UnreadableTensor(READABLE, storage.what);
  }
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
  const where = `shape [${shape}], strides [${strides}], offset ${offset}`;
  if (last >= storage.length) {
    throw refusePth(
      `a tensor must lie in its storage of ${storage.length} elements`,
      where,
    );
  }
  if (size > storage.length) { // expanded: a few bytes may stand for gigabytes
    return new UnreadableTensor(
      `have no more elements than its storage, ${storage.length} (save tensor.contiguous() instead)`,
      where,
    );
  }
  return new Tensor(storage, offset, [...shape], [...strides]);
}
