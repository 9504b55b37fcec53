/** Damages image files at random and watches how the readers meet them. */
import process from "node:process";
import { readImage } from "../../src/formats/read_image.ts";
import { readMask } from "../../src/formats/read_mask.ts";
import { readVolume } from "../../src/formats/volume.ts";
import { createRandom } from "../../src/random.ts";
import { type Allocated, countAllocations, takeWorst } from "./allocations.ts";
import { damage } from "./damage.ts";
import { zipOf } from "./make_pth.ts";
import { readReference } from "./reference.ts";

/** What became of the damaged files. */
export interface ReaderCounts {
  /** Met with a clear error. */
  refused: number;
  /** Read: finite values 0..1, a mask of 0 and 1, or a volume of its header's size. */
  read: number;
  /** The longest that one took, in ms of the processor. */
  slowest: number;
  /** The most that resident memory grew over what it was after the first thousand, in bytes. */
  growth: number;
  /** By format, the most that one file took of each kind of memory. */
  worst: Record<string, Allocated>;
}

/** Longest time that one small file may take, in ms of the processor: a busy machine lets everything wait. */
const FILE_LIMIT = 10_000;
/** Most pixels, or voxels times channels. */
const MOST = 2 ** 20;
/** Most that the process's memory may grow by. */
const GROWTH_LIMIT = 600e6;

/** Bytes that may be allocated beyond three times the file: what the values of the most pixels need. */
const STATED = 16 * MOST;
/** Bytes with which a codec of DICOM starts, anew after a damaged image; few are ever touched. */
const CODEC = 50 * 2 ** 20;
/** Milliseconds of the processor that this process has used. */
function used(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/** An undamaged file. */
interface Sample {
  readonly format: string;
  readonly file: Uint8Array<ArrayBuffer>;
}

/** What formats begin with, in hexadecimal digits; what begins otherwise is NIfTI or DICOM. */
const STARTS: readonly (readonly [string, string])[] = [
  ...[["1f8b", "gzip"], ["89504e47", "PNG"], ["ffd8", "JPEG"]] as const,
  ...[["4949", "TIFF"], ["4d4d", "TIFF"], ["934e554d", "NPY"]] as const,
  ...[["504b", "NPZ"], ["7b", "COCO RLE"]] as const,
];

/** What a file's first bytes say that it is. */
function formatOf(file: Uint8Array): string {
  const hex = file.subarray(0, 8).toHex();
  const found = STARTS.find(([start]) => hex.startsWith(start));
  if (found) return found[1];
  const size = new DataView(file.buffer).getInt32(0, true);
  const swapped = new DataView(file.buffer).getInt32(0, false);
  return [348, 540].some((one) => one === size || one === swapped)
    ? "NIfTI"
    : "DICOM";
}

/** Small undamaged files of every format. */
async function samples(): Promise<Sample[]> {
  const files: Uint8Array<ArrayBuffer>[] = [];
  for (const list of ["nifti", "dicom", "dicom_kinds"]) {
    for (const { file } of readReference<{ file: string }>(`${list}.jsonl`)) {
      files.push(Uint8Array.fromBase64(file));
    }
  }
  const walk = async (folder: URL) => {
    for await (const { name, isDirectory } of Deno.readDir(folder)) {
      const url = new URL(isDirectory ? `${name}/` : name, folder);
      if (isDirectory) await walk(url);
      else if (!/\.(md|txt)$/.test(name)) {
        files.push(new Uint8Array(await Deno.readFile(url)));
      }
    }
  };
  await walk(new URL("../fixtures/cases/", import.meta.url));
  files.push(
    new TextEncoder().encode('{"size":[2,3],"counts":"0131"}') as Uint8Array<
      ArrayBuffer
    >,
  );
  const array = files.find((file) => formatOf(file) === "NPY")!;
  files.push(zipOf([["a.npy", array]]), ...await pictures());
  return files.map((file) => ({ file, format: formatOf(file) }));
}

/** Small pictures by the codecs that sharp has, gray and color, of 8 and 16 bits. */
async function pictures(): Promise<Uint8Array<ArrayBuffer>[]> {
  const { default: sharp } = await import("sharp");
  const values = Uint8Array.from({ length: 24 * 18 * 3 }, (_, k) => k * k);
  const raw = { width: 24, height: 18, channels: 3 } as const;
  const color = () => sharp(values, { raw });
  const gray = () => color().toColourspace("b-w");
  const deep = () => color().toColourspace("grey16");
  const made = [
    ...(["lzw", "deflate", "packbits", "none", "jpeg"] as const).flatMap(
      (compression) =>
        [false, true].flatMap((tile) => {
          const how = { compression, tile, tileWidth: 16, tileHeight: 16 };
          return [color().tiff(how), gray().tiff(how)];
        }),
    ),
    deep().tiff({ compression: "lzw", predictor: "horizontal" }),
    gray().tiff({ compression: "ccittfax4", bitdepth: 1 }),
    ...[false, true].flatMap((progressive) => [
      color().jpeg({ progressive }),
      gray().jpeg({ progressive }),
      color().png({ progressive }),
      deep().png({ progressive }),
      color().png({ progressive, palette: true, colours: 8 }),
    ]),
  ];
  return await Promise.all(made.map(async (one) => {
    return new Uint8Array(await one.toBuffer());
  }));
}

/** Reads a file in one of the ways; throws where what is read is not as promised. */
async function readOne(file: Uint8Array, way: number): Promise<void> {
  const bounds = { maxVoxels: MOST, maxPixels: MOST };
  if (way === 2) {
    const { values } = await readVolume(file, { maxVoxels: MOST });
    const size = values.shape.reduce((product, side) => product * side, 1);
    if (size > MOST || values.data.length < size) {
      throw new Error(`${values.data.length} values for [${values.shape}]`);
    }
    return;
  }
  const read = way === 1 ? readMask : readImage;
  const { shape, data } = await read(file, bounds);
  const size = shape.reduce((product, side) => product * side, 1);
  if (size !== data.length || shape[0] * shape[1] > MOST) {
    throw new Error(`${data.length} values for [${shape}]`);
  }
  const wrong = data.findIndex((value) =>
    !(way === 1 ? value === 0 || value === 1 : value >= 0 && value <= 1)
  );
  if (wrong >= 0) throw new Error(`a value ${data[wrong]} at ${wrong}`);
}

/**
 * Reads damaged files.
 *
 * @param count How many.
 * @param seed Of the damage.
 * @param onFile Called with the number of each file before it is read.
 * @throws {Error} When a file is met by anything but a clear error or what the
 * readers promise, takes over ten seconds or more memory than three times itself and what is
 * stated of the largest image, or the process grows by over 600 MB.
 */
export async function fuzzReaders(
  count: number,
  seed: number,
  onFile: (index: number) => void = () => {},
): Promise<ReaderCounts> {
  const random = createRandom(seed);
  const all = await samples();
  const files = all.map(({ file }) => file);
  const ofFormat = Map.groupBy(all, ({ format }) => format);
  const formats = [...ofFormat.keys()];
  const counts: ReaderCounts = {
    ...{ refused: 0, read: 0, slowest: 0, growth: 0 },
    worst: {},
  };
  const { warn } = console;
  console.warn = () => {}; // full masks are told
  let before = Infinity;
  try {
    for (const [i, { file }] of all.entries()) { // codecs have memory of their own
      await readOne(file, i % 3).catch(() => {});
    }
    using watch = countAllocations();
    for (let index = 0; index < count; index++) {
      onFile(index);
      // every second file of a format that is drawn first: some have few samples
      const among = random.integer(2) > 0
        ? all
        : ofFormat.get(formats[random.integer(formats.length)])!;
      const { file: whole, format } = among[random.integer(among.length)];
      const head = random.integer(4) > 0 ? Math.min(whole.length, 1000) : 0;
      const file = damage(whole, [0, head || whole.length], random, files);
      const way = random.integer(3);
      const fail = (problem: unknown, cause?: unknown) =>
        new Error(`file ${index} of seed ${seed}: ${problem}`, { cause });
      const allocated = watch();
      const start = used();
      try {
        await readOne(file, way);
        counts.read++;
      } catch (error) {
        const { message } = error as Error;
        const clear =
          (error instanceof RangeError || error instanceof TypeError) &&
          /^Cannot (read|slice) .+ (as|must) .+current value/s.test(message) &&
          message.length < 2000;
        if (!clear) throw fail(error, error);
        counts.refused++;
      }
      const took = used() - start;
      const memory = allocated();
      takeWorst(counts.worst, format, memory);
      const most = 3 * file.length + STATED;
      const codec = format === "DICOM" || format === "gzip" ? CODEC : 0;
      if (memory.requested > most + codec) {
        throw fail(`took ${JSON.stringify(memory)} for ${file.length} bytes`);
      }
      counts.slowest = Math.max(counts.slowest, took);
      if (took > FILE_LIMIT) throw fail(`took ${took} ms`);
      if (index % 100 !== 99) continue;
      const { rss } = Deno.memoryUsage();
      if (index < 1000) before = rss;
      counts.growth = Math.max(counts.growth, rss - before);
      if (counts.growth > GROWTH_LIMIT) {
        throw fail(`${counts.growth} bytes more`);
      }
    }
  } finally {
    console.warn = warn;
  }
  return counts;
}
