/**
 * Reads image files for compare_readers.py, which starts it: a path on each line
 * of the input; on the output for each a line of JSON, and its values in the
 * file that the argument names: float32, [slice, row, column, channel].
 */
import { contiguous } from "../../src/arrays/contiguous.ts";
import { nameOf, readBytes } from "../../src/formats/_bytes.ts";
import { decodeImage } from "../../src/formats/_image_file.ts";
import { readImage } from "../../src/formats/read_image.ts";
import { isVolumeFile, readVolume } from "../../src/formats/volume.ts";

/** A volume's values, or a picture's as they are stored. */
async function read(path: string) {
  const bytes = await readBytes(path);
  if (isVolumeFile(bytes)) {
    const { values, affine, spacing } = await readVolume(path);
    const { data } = contiguous(values);
    return { data, shape: values.shape, affine, spacing };
  }
  const image = await decodeImage(bytes, {}, nameOf(path));
  const { height, width, channels } = image;
  const shown = await readImage(path); // which must take it as well
  const outside = shown.data.findIndex((value) => !(value >= 0 && value <= 1));
  if (outside >= 0) throw new Error(`${shown.data[outside]} at ${outside}`);
  return {
    data: Float32Array.from(image.values),
    shape: [1, height, width, channels],
  };
}

/** What became of a file: its values, a reason, or an error of another kind. */
async function report(path: string, valuesPath: string) {
  try {
    const { data, ...rest } = await read(path);
    await Deno.writeFile(valuesPath, new Uint8Array(data.buffer));
    return { ...rest, start: data.byteOffset, count: data.length };
  } catch (error) {
    const { message } = error as Error;
    const clear = (error instanceof TypeError || error instanceof RangeError) &&
      /^Cannot (read|slice) .+ (must|may) .+current value/s.test(message);
    return clear ? { refused: message } : { crashed: `${error}` };
  }
}

const [valuesPath] = Deno.args;
const encoder = new TextEncoder();
let rest = "";
for await (
  const text of Deno.stdin.readable.pipeThrough(new TextDecoderStream())
) {
  const lines = (rest + text).split("\n");
  rest = lines.pop()!;
  for (const path of lines) {
    const line = JSON.stringify(await report(path, valuesPath));
    Deno.stdout.writeSync(encoder.encode(`${line}\n`));
  }
}
