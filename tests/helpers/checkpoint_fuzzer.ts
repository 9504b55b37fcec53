/** Damages checkpoints at random and watches how they are met. */
import { bytesSource } from "../../src/checkpoints/_byte_source.ts";
import { ELEMENT_BYTES } from "../../src/checkpoints/_elements.ts";
import type { TensorRecord } from "../../src/checkpoints/checkpoint.ts";
import { openSource } from "../../src/checkpoints/open_checkpoint.ts";
import { readZip } from "../../src/checkpoints/_zip.ts";
import { writeSafetensors } from "../../src/checkpoints/safetensors.ts";
import type { HostTensor } from "../../src/engine/tensors.ts";
import { createRandom, type Random } from "../../src/random.ts";
import { type Allocated, countAllocations, takeWorst } from "./allocations.ts";
import { startCpuTime } from "./cpu_time.ts";
import { damage } from "./damage.ts";
import { bytes, pickle, pthOf, STORAGE, zipOf } from "./make_pth.ts";

/** What became of the damaged files. */
export interface FuzzCounts {
  /** Met with a clear error. */
  refused: number;
  /** Loaded with the values of the undamaged file. */
  equal: number;
  /** Loaded with other values, where nothing in the file could tell. */
  changed: number;
  /** By format, the most that one file took of each kind of memory. */
  worst: Record<string, Allocated>;
}

/** Most processor time that one small file may take, in ms. */
const FILE_LIMIT = 10_000;
/** Most memory of the whole process, in bytes. */
const MEMORY_LIMIT = 1e9;

/** Bytes that may be allocated beyond three times the file. */
const STATED = 2 ** 20;
/** Operations of pickles, by what they do to the stack, and their arguments. */
const OPERATIONS = [
  ..."N\x88\x89])}0", // values, POP
  ..."(12tlduesa", // marks and what they close, SETITEM, APPEND
  ..."\x85\x86\x87\x93\x94QRb.", // tuples, STACK_GLOBAL, MEMOIZE, calls
  ...["K\x00", "M\x00\x01", "J\xff\xff\xff\x7f", "\x8a\x01\x80"],
  ...["G\x7f\xf0\0\0\0\0\0\0", "X\x01\0\0\0x", "\x8c\x01x", "U\x01x"],
  ...["q\x00", "q\x01", "h\x00", "h\x01", "r\0\0\0\0", "j\x01\0\0\0"],
  ...["C\x01x", "B\x01\0\0\0x", "\x96\x01\0\0\0\0\0\0\0x"], // bytes
  ..."BCioc\x81\x82\x8f\x90\x92\x95\x96", // objects, sets; cut arguments
  "cargparse\nNamespace\n",
  "cpathlib\nPosixPath\n",
  "cnumpy.core.multiarray\nscalar\n",
  "ccollections\nOrderedDict\n",
  "ctorch._utils\n_rebuild_tensor_v2\n",
  "ctorch\nFloatStorage\n",
];

interface Sample {
  file: Uint8Array<ArrayBuffer>;
  tensors: Map<string, HostTensor>;
  /** Byte ranges worth hitting: headers, directories, pickles. */
  dense: [number, number];
}

async function readAll(file: Uint8Array): Promise<Map<string, HostTensor>> {
  const source = bytesSource(file);
  const checkpoint = openSource(source);
  const tensors = new Map<string, HostTensor>();
  const storages = file[0] === 0x50
    ? [...readZip(source).values()].filter(({ name }) => /\/data\//.test(name))
    : [{ begin: 0, size: file.length }];
  for (const name of checkpoint.names) {
    const { begin, end } = rangeOf(checkpoint.record(name));
    const inside = storages.some((storage) =>
      begin >= storage.begin && end <= storage.begin + storage.size
    );
    if (!inside) throw new Error(`"${name}" is at ${begin}..${end}, outside`);
    tensors.set(name, await checkpoint.read(name, { finite: false }));
  }
  return tensors;
}

/** The bytes from a tensor's first element to its last. */
function rangeOf({ begin, type, shape, strides }: TensorRecord) {
  const size = shape.reduce((product, side) => product * side, 1);
  const last = strides && size > 0
    ? shape.reduce((sum, side, k) => sum + (side - 1) * strides[k], 0)
    : size - 1;
  return { begin, end: begin + (last + 1) * ELEMENT_BYTES[type] };
}

async function sampleOf(file: Uint8Array<ArrayBuffer>): Promise<Sample> {
  const tensors = await readAll(file);
  if (file[0] !== 0x50) {
    const header = new DataView(file.buffer).getUint32(0, true);
    return { file, tensors, dense: [0, 8 + header] };
  }
  return { file, tensors, dense: [0, file.length] };
}

/** Undamaged files of every kind. */
async function samples(): Promise<Sample[]> {
  const fixture = async (name: string) =>
    new Uint8Array(
      await Deno.readFile(new URL(`../fixtures/${name}`, import.meta.url)),
    );
  const body = pickle.dict({
    x: pickle.tensor([2, 2], [1, 2]),
    y: pickle.tensor([3], [1], { offset: 1 }),
  });
  const beside = pickle.dict({
    model: bytes(pickle.dict({ x: pickle.tensor([4], [1]) }), "q\x00"),
    ema: bytes("h\x00"),
    expanded: pickle.tensor([9], [0]),
    complex: pickle.tensor([2], [1], { type: "ComplexFloat" }),
    size: bytes(pickle.global("torch", "Size"), ")\x85R"),
    dtype: pickle.global("torch", "float32"),
    path: bytes(
      pickle.global("pathlib", "PosixPath"),
      pickle.tuple(pickle.text("a")),
      "R",
    ),
    args: bytes(
      pickle.global("argparse", "Namespace"),
      ")\x81",
      pickle.dict({ rate: pickle.int(1) }),
      "b",
    ),
    loss: bytes(
      pickle.global("numpy.core.multiarray", "scalar"),
      pickle.tuple(pickle.global("numpy", "dtype"), bytes("C\x02xy")),
      "R",
    ),
  });
  const zip64 = zipOf([
    ["a/data.pkl", bytes("\x80\x02", body, ".")],
    ["a/data/0", STORAGE],
    ["a/byteorder", bytes("little")],
  ], { zip64: true });
  const tensors: [string, HostTensor][] = [
    ["a", { data: new Float32Array([1, -2, 0.5]), shape: [3] }],
    ["b", { data: new Int32Array([5, 6]), shape: [1, 2] }],
    ["c", { data: new Uint8Array([1, 0]), shape: [2] }],
  ];
  return await Promise.all([
    await fixture("state_dict.pth"),
    await fixture("protocol5.pth"),
    await fixture("types.pth"),
    await fixture("training.pth"),
    zip64,
    new Uint8Array(pthOf(beside)),
    writeSafetensors(tensors, { note: "x" }),
    writeSafetensors(tensors, {}, { dtype: "float16" }),
  ].map(sampleOf));
}

/** A pickle with up to 12 operations at one place, over what is there or not. */
function withOperations(data: Uint8Array<ArrayBuffer>, random: Random) {
  const added = bytes(
    ...Array.from(
      { length: 1 + random.integer(12) },
      () => OPERATIONS[random.integer(OPERATIONS.length)],
    ),
  );
  const at = random.integer(data.length);
  const rest = at + (random.integer(2) > 0 ? added.length : 0);
  return bytes(data.subarray(0, at), added, data.subarray(rest));
}

/** Damages the pickle alone and writes an archive whose checksums hold. */
function damagePickle(
  sample: Sample,
  random: Random,
  others: readonly Uint8Array[],
) {
  const source = bytesSource(sample.file);
  const entries = [...readZip(source).values()].map((
    { name, begin, size },
  ): [string, Uint8Array<ArrayBuffer>] => {
    const data = source.read(begin, size);
    if (!name.endsWith("data.pkl")) return [name, data];
    const damaged = random.integer(2) > 0
      ? damage(data, [0, data.length], random, others)
      : withOperations(data, random);
    return [name, damaged];
  });
  return zipOf(entries, { zip64: random.integer(2) > 0 });
}

function same(a: Map<string, HostTensor>, b: Map<string, HostTensor>) {
  return a.size === b.size && [...a].every(([name, { data, shape }]) => {
    const other = b.get(name);
    return other && `${other.shape}` === `${shape}` &&
      other.data.every((value, i) => Object.is(value, data[i]));
  });
}

/**
 * Loads damaged files.
 *
 * @param count How many.
 * @param seed Of the damage.
 * @param onFile Called with the number of each file before it is read.
 * @throws {Error} When a file is met by anything but a clear error or values as
 * many as its shapes say, from within its storages; when a damaged archive loads with other values in
 * spite of its checksums; when a file takes over ten seconds or more memory than
 * three times itself and a MiB, or the process over 1 GB.
 */
export async function fuzzCheckpoints(
  count: number,
  seed: number,
  onFile: (index: number) => void = () => {},
): Promise<FuzzCounts> {
  const random = createRandom(seed);
  const all = await samples();
  const files = all.map(({ file }) => file);
  const counts: FuzzCounts = { refused: 0, equal: 0, changed: 0, worst: {} };
  using watch = countAllocations();
  for (let index = 0; index < count; index++) {
    onFile(index);
    const sample = all[random.integer(all.length)];
    const isZip = sample.file[0] === 0x50;
    const inside = isZip && random.integer(3) > 0;
    const file = inside ? damagePickle(sample, random, files) : damage(
      sample.file,
      random.integer(4) > 0 ? sample.dense : [0, sample.file.length],
      random,
      files,
    );
    const fail = (problem: unknown, cause?: unknown) =>
      new Error(`file ${index} of seed ${seed}: ${problem}`, { cause });
    const spent = startCpuTime();
    const allocated = watch();
    try {
      const tensors = await readAll(file);
      for (const [name, { data, shape }] of tensors) {
        const size = shape.reduce((product, side) => product * side, 1);
        if (size !== data.length || size > file.length) {
          throw fail(`${name} has ${data.length} values for [${shape}]`);
        }
      }
      if (same(tensors, sample.tensors)) counts.equal++;
      else if (isZip && !inside) throw fail("a checksum did not hold");
      else counts.changed++;
    } catch (error) {
      const clear = error instanceof RangeError &&
        /^Cannot (read|open) .+ as .+ must .+current value/s
          .test(error.message) &&
        error.message.length < 1000;
      if (!clear) throw fail(error, error);
      counts.refused++;
    }
    const memory = allocated();
    takeWorst(counts.worst, isZip ? "pth" : "safetensors", memory);
    const most = 3 * file.length + STATED;
    if (memory.requested > most) {
      throw fail(`took ${JSON.stringify(memory)} for ${file.length} bytes`);
    }
    if (spent() > FILE_LIMIT) throw fail(`took ${spent()} ms`);
    if (index % 1000 === 0 && Deno.memoryUsage().rss > MEMORY_LIMIT) {
      throw fail(`${Deno.memoryUsage().rss} bytes in use`);
    }
  }
  return counts;
}
