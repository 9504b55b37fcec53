/**
 * What the pickle of a PyTorch checkpoint may name: what makes its tensors, and
 * inert values beside them, which torch.load takes with weights_only=True.
 *
 * Source: torch/_utils.py and torch/_weights_only_unpickler.py.
 */

import { sizeOf } from "../engine/tensors.ts";
import {
  ELEMENT_BYTES,
  type ElementType,
  isShape,
  isWhole,
  show,
} from "./_elements.ts";
import { Dict, Global, kind, Opaque, setItems } from "./_pickle_values.ts";
import { refusePth, type ZipEntry } from "./_zip.ts";

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

/** A tensor that is none of this module's, which others do not suffer for. */
export class UnreadableTensor {
  /** `rule` says what a tensor must be, `current` what this one is. */
  constructor(readonly rule: string, readonly current: string) {}
}

const READABLE = `be of ${Object.values(STORAGE_TYPES).join(", ")}`;

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
