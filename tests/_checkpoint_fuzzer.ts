/** Damages checkpoints at random and watches how they are met. */
import { bytesSource } from "../src/checkpoints/_byte_source.ts";
import { openSource } from "../src/checkpoints/_open_source.ts";
import { readZip } from "../src/checkpoints/_zip.ts";
import { writeSafetensors } from "../src/checkpoints/safetensors.ts";
import type { HostTensor } from "../src/engine/tensors.ts";
import { createRandom, type Random } from "../src/random.ts";
import { bytes, little, pickle, STORAGE, zipOf } from "./_make_pth.ts";

/** What became of the damaged files. */
export interface FuzzCounts {
  /** Met with a clear error. */
  refused: number;
  /** Loaded with the values of the undamaged file. */
  equal: number;
  /** Loaded with other values, where nothing in the file could tell. */
  changed: number;
}

/** Longest time that one small file may take, in ms, on a busy machine. */
const FILE_LIMIT = 10_000;
/** Most memory of the whole process, in bytes. */
const MEMORY_LIMIT = 1e9;

interface Sample {
  file: Uint8Array<ArrayBuffer>;
  tensors: Map<string, HostTensor>;
  /** Byte ranges worth hitting: headers, directories, pickles. */
  dense: [number, number];
}

async function readAll(file: Uint8Array): Promise<Map<string, HostTensor>> {
  const checkpoint = openSource(bytesSource(file));
  const tensors = new Map<string, HostTensor>();
  for (const name of checkpoint.names) {
    tensors.set(name, await checkpoint.read(name, { finite: false }));
  }
  return tensors;
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
      await Deno.readFile(new URL(`fixtures/${name}`, import.meta.url)),
    );
  const body = pickle.dict({
    x: pickle.tensor([2, 2], [1, 2]),
    y: pickle.tensor([3], [1], { offset: 1 }),
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
    writeSafetensors(tensors, { note: "x" }),
    writeSafetensors(tensors, {}, { dtype: "float16" }),
  ].map(sampleOf));
}

/** Numbers that break careless readers. */
const NUMBERS = [0, 1, 2, 127, 128, 255, 256, 65535, 65536, 2 ** 31 - 1].concat(
  [2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 52, Number.MAX_SAFE_INTEGER],
);
const TOKENS = ["-1", "1e9", "0.5", "[", "}", '"', "null", "F64", ",0", "\\"]
  .concat(["(", "t", "R", "Q", "h\x00", "q\x00", "]", "}", "u", "s", "e", "."])
  .concat(["cos\nsystem\n", "cbuiltins\neval\n", "PK\x01\x02", "PK\x05\x06"]);

/** Damages bytes in one place, or in up to three. */
function damage(
  file: Uint8Array<ArrayBuffer>,
  [begin, end]: [number, number],
  random: Random,
  others: Sample[],
): Uint8Array<ArrayBuffer> {
  let damaged = file.slice();
  const edits = Math.max(1, random.integer(6) - 2);
  for (let edit = 0; edit < edits; edit++) {
    const limit = Math.max(1, Math.min(end, damaged.length) - begin);
    const at = Math.min(begin + random.integer(limit), damaged.length);
    const length = random.integer(1 + Math.min(40, damaged.length - at));
    switch (random.integer(8)) {
      case 0: // a bit
        if (at < damaged.length) damaged[at] ^= 1 << random.integer(8);
        break;
      case 1: // a byte
        if (at < damaged.length) damaged[at] = random.integer(256);
        break;
      case 2: { // a number
        const width = ([2, 4, 8] as const)[random.integer(3)];
        const value = NUMBERS[random.integer(NUMBERS.length)];
        const number = little(value % 2 ** (8 * width), width);
        damaged.set(number.subarray(0, damaged.length - at), at);
        break;
      }
      case 3: // a digit
        if (at < damaged.length) damaged[at] = 48 + random.integer(10);
        break;
      case 4: // cut off
        damaged = damaged.slice(0, random.integer(3) > 0 ? -length : at);
        break;
      case 5: // cut out
        damaged = join(damaged.subarray(0, at), damaged.subarray(at + length));
        break;
      case 6: { // splice in, from here or elsewhere
        const from = random.integer(2) > 0
          ? damaged
          : others[random.integer(others.length)].file;
        const start = random.integer(from.length + 1);
        const part = from.slice(start, start + length);
        damaged = join(
          damaged.subarray(0, at),
          part,
          damaged.subarray(at + (random.integer(2) > 0 ? part.length : 0)),
        );
        break;
      }
      case 7: { // a word of one of the formats
        const token = bytes(TOKENS[random.integer(TOKENS.length)]);
        damaged = join(
          damaged.subarray(0, at),
          token,
          damaged.subarray(at + (random.integer(2) > 0 ? token.length : 0)),
        );
      }
    }
  }
  return damaged;
}

function join(...parts: Uint8Array[]): Uint8Array<ArrayBuffer> {
  const joined = new Uint8Array(parts.reduce((sum, p) => sum + p.length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}

/** Damages the pickle alone and writes an archive whose checksums hold. */
function damagePickle(sample: Sample, random: Random, others: Sample[]) {
  const source = bytesSource(sample.file);
  const entries = [...readZip(source).values()].map((
    { name, begin, size },
  ): [string, Uint8Array<ArrayBuffer>] => {
    const data = source.read(begin, size);
    if (!name.endsWith("data.pkl")) return [name, data];
    return [name, damage(data, [0, data.length], random, others)];
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
 * many as its shapes say; when a damaged archive loads with other values in
 * spite of its checksums; when a file takes over ten seconds or the process
 * over 1 GB.
 */
export async function fuzzCheckpoints(
  count: number,
  seed: number,
  onFile: (index: number) => void = () => {},
): Promise<FuzzCounts> {
  const random = createRandom(seed);
  const all = await samples();
  const counts: FuzzCounts = { refused: 0, equal: 0, changed: 0 };
  for (let index = 0; index < count; index++) {
    onFile(index);
    const sample = all[random.integer(all.length)];
    const isZip = sample.file[0] === 0x50;
    const inside = isZip && random.integer(3) > 0;
    const file = inside ? damagePickle(sample, random, all) : damage(
      sample.file,
      random.integer(4) > 0 ? sample.dense : [0, sample.file.length],
      random,
      all,
    );
    const fail = (problem: unknown, cause?: unknown) =>
      new Error(`file ${index} of seed ${seed}: ${problem}`, { cause });
    const start = performance.now();
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
    const took = performance.now() - start;
    if (took > FILE_LIMIT) throw fail(`took ${took} ms`);
    if (index % 1000 === 0 && Deno.memoryUsage().rss > MEMORY_LIMIT) {
      throw fail(`${Deno.memoryUsage().rss} bytes in use`);
    }
  }
  return counts;
}
