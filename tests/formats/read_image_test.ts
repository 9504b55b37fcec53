import assert from "node:assert/strict";
import { join } from "node:path";
import { fileCase } from "../../src/datasets/_file_case.ts";
import { readBytes } from "../../src/formats/_bytes.ts";
import { readImage } from "../../src/formats/read_image.ts";
import { readMask } from "../../src/formats/read_mask.ts";
import { close } from "../helpers/close.ts";
import { sharedFile } from "../helpers/reference.ts";

/** Small files written by Pillow 13.0.0 (int16: by hand, after the TIFF specification), with the values they hold. */
const FILES = {
  // [[0, 51, 255]], 8-bit gray
  gray:
    "iVBORw0KGgoAAAANSUhEUgAAAAMAAAABCAAAAAA+i0toAAAADElEQVR4nGNgMP4PAAFpATPE7yvwAAAAAElFTkSuQmCC",
  // [[(255, 0, 51), (0, 102, 255)]], 8-bit color
  color:
    "iVBORw0KGgoAAAANSUhEUgAAAAIAAAABCAIAAAB7QOjdAAAAD0lEQVR4nGP4z2DMkPYfAAiYAphUCtDPAAAAAElFTkSuQmCC",
  // The same with alpha 0 and 128
  alpha:
    "iVBORw0KGgoAAAANSUhEUgAAAAIAAAABCAYAAAD0In+KAAAAEUlEQVR4nGP4z2DMwJD2vwEADOMDGBHkJssAAAAASUVORK5CYII=",
  // Indices [[0, 1, 2]] into black, (255, 0, 0), (0, 0, 128)
  palette:
    "iVBORw0KGgoAAAANSUhEUgAAAAMAAAABAgMAAABmjvwnAAAACVBMVEUAAAD/AAAAAICKH8EsAAAACklEQVR4nGOQAAAAGgAZLYj0NgAAAABJRU5ErkJggg==",
  // [[0, 1000], [30000, 65535]], 16-bit gray
  grey16:
    "iVBORw0KGgoAAAANSUhEUgAAAAIAAAACEAAAAAAHTY67AAAAEklEQVR4nGNgYGB+wVBq8P8/AArwA48y62iwAAAAAElFTkSuQmCC",
  grey16Tiff:
    "SUkqAAgAAAAJAAABBAABAAAAAgAAAAEBBAABAAAAAgAAAAIBAwABAAAAEAAAAAMBAwABAAAAAQAAAAYBAwABAAAAAQAAABEBBAABAAAAegAAABYBBAABAAAAAgAAABcBBAABAAAACAAAABwBAwABAAAAAQAAAAAAAAAAAOgDMHX//w==",
  // [[-1000, 0, 40]], signed 16-bit gray
  int16Tiff:
    "SUkqAA4AAAAY/AAAKAAKAAABAwABAAAAAwAAAAEBAwABAAAAAQAAAAIBAwABAAAAEAAAAAMBAwABAAAAAQAAAAYBAwABAAAAAQAAABEBBAABAAAACAAAABUBAwABAAAAAQAAABYBAwABAAAAAQAAABcBBAABAAAABgAAAFMBAwABAAAAAgAAAAAAAAA=",
  // [[-1.5, 0, 1.5]], 32-bit floating-point gray
  floatTiff:
    "SUkqAAgAAAAKAAABBAABAAAAAwAAAAEBBAABAAAAAQAAAAIBAwABAAAAIAAAAAMBAwABAAAAAQAAAAYBAwABAAAAAQAAABEBBAABAAAAhgAAABYBBAABAAAAAQAAABcBBAABAAAADAAAABwBAwABAAAAAQAAAFMBAwABAAAAAwAAAAAAAAAAAMC/AAAAAAAAwD8=",
  // [[0, 51, 255]] and a second page [[255, 204, 0]]
  twoPagesTiff:
    "SUkqAAgAAAAJAAABBAABAAAAAwAAAAEBBAABAAAAAQAAAAIBAwABAAAACAAAAAMBAwABAAAAAQAAAAYBAwABAAAAAQAAABEBBAABAAAAegAAABYBBAABAAAAAQAAABcBBAABAAAAAwAAABwBAwABAAAAAQAAAIgAAAAAM/8AAABJSSoACAAAAAkAAAEEAAEAAAADAAAAAQEEAAEAAAABAAAAAgEDAAEAAAAIAAAAAwEDAAEAAAABAAAABgEDAAEAAAABAAAAEQEEAAEAAAD6AAAAFgEEAAEAAAABAAAAFwEEAAEAAAADAAAAHAEDAAEAAAABAAAAAAAAAP/MAAAAAA==",
  // Stored 16 wide, 8 high, left half white; EXIF orientation 6 (turn right)
  turnedJpeg:
    "/9j/4AAQSkZJRgABAQAAAQABAAD/4QAiRXhpZgAATU0AKgAAAAgAAQESAAMAAAABAAYAAAAAAAD/2wBDAAMCAgMCAgMDAwMEAwMEBQgFBQQEBQoHBwYIDAoMDAsKCwsNDhIQDQ4RDgsLEBYQERMUFRUVDA8XGBYUGBIUFRT/wAALCAAIABABAREA/8QAFQABAQAAAAAAAAAAAAAAAAAACQr/xAAUEAEAAAAAAAAAAAAAAAAAAAAA/9oACAEBAAA/AFTSrv/Z",
};

const file = (name: keyof typeof FILES) => Uint8Array.fromBase64(FILES[name]);

/** Asserts values to 1e-6, which is what Float32Array leaves of them. */
Deno.test("readImage() divides 8-bit gray by 255 and gives one channel", async () => {
  const image = await readImage(file("gray"));
  assert.deepEqual(image.shape, [1, 3, 1]);
  close(image.data, [0, 0.2, 1]);
});

Deno.test("readImage() gives color as red, green, blue per pixel", async () => {
  const image = await readImage(file("color"));
  assert.deepEqual(image.shape, [1, 2, 3]);
  close(image.data, [1, 0, 0.2, 0, 0.4, 1]);
});

Deno.test("readImage() drops alpha and keeps the colors under it", async () => {
  const image = await readImage(file("alpha"));
  assert.deepEqual(image.shape, [1, 2, 3]);
  close(image.data, [1, 0, 0.2, 0, 0.4, 1]);
});

Deno.test("readImage() looks a palette's colors up", async () => {
  const image = await readImage(file("palette"));
  close(image.data, [0, 0, 0, 1, 0, 0, 0, 0, 128 / 255]);
});

Deno.test("readImage() keeps all 16 bits of gray, in PNG and in TIFF", async () => {
  for (const name of ["grey16", "grey16Tiff"] as const) {
    const image = await readImage(file(name), { window: [0, 65535] });
    assert.deepEqual(image.shape, [2, 2, 1]);
    close(image.data, [0, 1000 / 65535, 30000 / 65535, 1]);
  }
});

Deno.test("readImage() windows 16 bits at the 0.5th and 99.5th percentile by default", async () => {
  // numpy.percentile([0, 1000, 30000, 65535], [0.5, 99.5]) = 15, 65001.975
  const range = 65001.975 - 15;
  const image = await readImage(file("grey16"));
  close(image.data, [0, (1000 - 15) / range, (30000 - 15) / range, 1]);
});

Deno.test("readImage() takes a window in stored units and clips outside it", async () => {
  const deep = await readImage(file("grey16"), { window: [500, 1500] });
  close(deep.data, [0, 0.5, 1, 1]);
  const shallow = await readImage(file("gray"), { window: [51, 153] });
  close(shallow.data, [0, 0, 1]);
});

Deno.test("readImage() keeps negative values of signed and floating-point TIFF", async () => {
  const signed = await readImage(file("int16Tiff"), { window: [-1000, 1000] });
  close(signed.data, [0, 0.5, 0.52]);
  const float = await readImage(file("floatTiff"), { window: [-1.5, 4.5] });
  assert.deepEqual(float.shape, [1, 3, 1]);
  close(float.data, [0, 0.25, 0.5]);
});

Deno.test("readImage() applies the EXIF orientation", async () => {
  const image = await readImage(file("turnedJpeg"));
  assert.deepEqual(image.shape, [16, 8, 1]);
  // Turned right, the left half is on top.
  assert.equal(image.get(0, 0, 0), 1);
  assert.equal(image.get(0, 7, 0), 1);
  assert.equal(image.get(15, 0, 0), 0);
});

Deno.test("readImage() reads the page of a TIFF that it is asked for", async () => {
  const second = await readImage(file("twoPagesTiff"), { page: 1 });
  close(second.data, [1, 0.8, 0]);
  await assert.rejects(
    readImage(file("twoPagesTiff"), { page: 2 }),
    /RangeError: Cannot read image as page must be 0 \.\. 1: current value is 2/,
  );
});

/** A little-endian TIFF, after the specification: each page has one strip, of gray or of red, green and blue. */
function tiffOf(
  pages: { side: number; channels: 1 | 3; samples: Uint8Array | Uint16Array }[],
): Uint8Array {
  const sizes = pages.map(({ samples }) => 128 + samples.byteLength);
  const view = new DataView(
    new ArrayBuffer(8 + sizes.reduce((sum, size) => sum + size)),
  );
  const bytes = new Uint8Array(view.buffer);
  bytes.set([0x49, 0x49, 42, 0, 8]); // "II", 42, the first directory's place
  let start = 8;
  pages.forEach(({ side, channels, samples }, i) => {
    const entries = [
      [256, side], // width
      [257, side], // height
      [258, 8 * samples.BYTES_PER_ELEMENT], // bits per sample
      [262, channels === 3 ? 2 : 1], // RGB, or black is zero
      [273, start + 128], // the strip's place
      [277, channels],
      [278, side], // rows per strip
      [279, samples.byteLength],
    ];
    view.setUint16(start, entries.length, true);
    entries.forEach(([tag, value], k) => {
      const at = start + 2 + 12 * k;
      view.setUint16(at, tag, true);
      view.setUint16(at + 2, 4, true); // LONG
      view.setUint32(at + 4, 1, true);
      view.setUint32(at + 8, value, true);
    });
    const next = i + 1 < pages.length ? start + sizes[i] : 0;
    view.setUint32(start + 2 + 12 * entries.length, next, true);
    bytes.set(new Uint8Array(samples.buffer), start + 128);
    start += sizes[i];
  });
  return bytes;
}

Deno.test("readImage() reads a page by its own size and sample type, not those of page 0", async () => {
  const samples = Uint16Array.from({ length: 36 }, (_, i) => 1000 + i);
  const bytes = tiffOf([
    { side: 4, channels: 3, samples: new Uint8Array(48) },
    { side: 6, channels: 1, samples },
  ]);
  assert.deepEqual((await readImage(bytes)).shape, [4, 4, 3]);
  const image = await readImage(bytes, { page: 1, window: [0, 65535] });
  assert.deepEqual(image.shape, [6, 6, 1]);
  close(image.data, [...samples].map((value) => value / 65535));
  await assert.rejects(
    readImage(bytes, { page: 1, maxPixels: 16 }),
    /RangeError: .* at most 16 pixels: current value is 6 x 6/,
  );
});

Deno.test("a case's mask must have the size of the page that its image is", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const bytes = tiffOf([
      { side: 4, channels: 1, samples: new Uint8Array(16) },
      { side: 6, channels: 1, samples: new Uint8Array(36) },
    ]);
    const [image, mask] = ["image.tif", "rater1.tif"].map((name) =>
      join(folder, name)
    );
    await Deno.writeFile(image, bytes);
    await Deno.writeFile(
      mask,
      tiffOf([{ side: 6, channels: 1, samples: new Uint8Array(36).fill(1) }]),
    );
    const item = fileCase({
      ...{ id: "case", patient: "case", image },
      masks: new Map([["1", mask]]),
      options: { page: 1 },
    });
    assert.deepEqual((await item.readMask("1")).shape, [6, 6]);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("readImage() reads a path, a file URL and a data URL alike", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const path = join(folder, "50 % gray#1.png");
    await Deno.writeFile(path, file("gray"));
    const url = new URL(`file://${encodeURI(folder)}/50%20%25%20gray%231.png`);
    const data = `data:image/png;base64,${FILES.gray}`;
    for (const source of [path, url, data, new URL(data)]) {
      close((await readImage(source)).data, [0, 0.2, 1]);
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("readImage() says so when a file is missing", async () => {
  await assert.rejects(
    readImage("no/such/slice.png"),
    /NotFound: Cannot read image as the file must exist: current value is no\/such\/slice\.png/,
  );
});

Deno.test("readImage() says why a source cannot be read", async () => {
  await using server = Deno.serve(
    { port: 0, onListen() {} },
    () => new Response("", { status: 404, statusText: "Not Found" }),
  );
  await assert.rejects(
    readImage(`http://localhost:${server.addr.port}/slice.png`),
    /Error: Cannot read image as its source must be readable: current value is http.*slice\.png \(404 Not Found\)/,
  );
});

Deno.test("readBytes() stops a server that sends more than it may", async () => {
  let sent = 0;
  await using server = Deno.serve({ port: 0, onListen() {} }, () => {
    const body = new ReadableStream({
      pull(controller) {
        if (sent > 2 ** 26) return controller.close();
        sent += 2 ** 16;
        controller.enqueue(new Uint8Array(2 ** 16));
      },
    });
    return new Response(body);
  });
  const url = `http://localhost:${server.addr.port}`;
  await assert.rejects(
    readBytes(url, 2 ** 20),
    /must be readable: .* \(longer than 1048576 bytes\)/,
  );
  assert(sent < 2 ** 26, `${sent} bytes sent`);
});

Deno.test("readImage() says so when a file is empty", async () => {
  await assert.rejects(
    readImage(new Uint8Array(0)),
    /TypeError: Cannot read image as the file must not be empty: current value is 0 bytes/,
  );
});

Deno.test("readImage() refuses what is not a PNG, JPEG or TIFF image", async () => {
  const text = new TextEncoder().encode("Dear radiologist, find enclosed");
  await assert.rejects(
    readImage(text),
    /TypeError: Cannot read image as the file must be a PNG, JPEG or TIFF image/,
  );
  const svg = new TextEncoder().encode(
    '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>',
  );
  await assert.rejects(
    readImage(svg),
    /TypeError: Cannot read image as its format must be PNG, JPEG or TIFF: current value is svg/,
  );
});

Deno.test("readImage() refuses a truncated PNG, JPEG and TIFF", async () => {
  const { default: sharp } = await import("sharp");
  const noise = new Uint8Array(100 * 100);
  for (let i = 0; i < noise.length; i++) noise[i] = (i * i * 31) >> 5;
  const raw = { width: 100, height: 100, channels: 1 } as const;
  for (const format of ["png", "jpeg", "tiff"] as const) {
    const whole = await sharp(noise, { raw }).toFormat(format).toBuffer();
    await readImage(new Uint8Array(whole));
    for (const share of [0.3, 0.6, 0.9]) {
      const part = new Uint8Array(whole).slice(0, whole.length * share);
      await assert.rejects(
        readImage(part),
        /TypeError: Cannot read image as the file must be (complete|a PNG)/,
        `${format} cut at ${share}`,
      );
    }
  }
});

/** A PNG whose header claims a size, with next to no data. */
function claim(width: number, height: number): Uint8Array {
  const bytes = file("gray");
  const view = new DataView(bytes.buffer);
  view.setUint32(16, width);
  view.setUint32(20, height);
  let crc = -1; // of the IHDR chunk, without which the header is refused
  for (const byte of bytes.subarray(12, 29)) {
    crc ^= byte;
    for (let k = 0; k < 8; k++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  view.setInt32(29, ~crc);
  return bytes;
}

Deno.test("readImage() refuses a huge image by its header, before decoding", async () => {
  await assert.rejects(
    readImage(claim(100_000, 100_000)),
    /RangeError: Cannot read image as it must have at most 67108864 pixels: current value is 100000 x 100000/,
  );
  await assert.rejects(
    readImage(file("gray"), { maxPixels: 2 }),
    /at most 2 pixels: current value is 3 x 1/,
  );
});

Deno.test("readImage() refuses an image without pixels", async () => {
  await assert.rejects(readImage(claim(0, 5)), /TypeError: Cannot read image/);
});

Deno.test("readImage() refuses a window that is not two rising numbers", async () => {
  for (const window of [[5, 5], [9, 1], [NaN, 1], [0, Infinity]]) {
    await assert.rejects(
      readImage(file("gray"), { window: window as [number, number] }),
      /RangeError: Cannot read image as window must be two finite numbers, the lower first: current value is \[/,
    );
  }
});

Deno.test("readMask() counts every stored value above 0 as inside", async () => {
  const mask = await readMask(file("gray"), { threshold: 1 });
  assert.deepEqual(mask.shape, [1, 3]);
  assert.deepEqual([...mask.data], [0, 1, 1]);
  const labels = await readMask(file("palette"));
  assert.deepEqual([...labels.data], [0, 1, 1]);
  const deep = await readMask(file("grey16"), { threshold: 1 });
  assert.deepEqual([...deep.data], [0, 1, 1, 1]);
});

Deno.test("readMask() begins at 128 in a JPEG, where losses leave small values", async () => {
  const { default: sharp } = await import("sharp");
  const disc = new Uint8Array(32 * 32);
  for (let i = 0; i < disc.length; i++) {
    disc[i] = Math.hypot((i % 32) - 15.5, (i >> 5) - 15.5) < 9 ? 255 : 0;
  }
  const raw = { width: 32, height: 32, channels: 1 } as const;
  const jpeg = await sharp(disc, { raw }).jpeg({ quality: 60 }).toBuffer();
  const mask = await readMask(new Uint8Array(jpeg));
  assert.deepEqual([...mask.data], [...disc.map((v) => v ? 1 : 0)]);
});

const retina = sharedFile("formats/retina.jpg");
Deno.test({
  name: "readImage() reads a real fundus photograph in color",
  ignore: !retina,
  async fn() {
    const image = await readImage(retina!);
    assert.deepEqual(image.shape, [1411, 1411, 3]);
    // Means and pixels by Pillow 13.0.0; decoders round differently.
    const sums = [0, 0, 0];
    image.data.forEach((value, i) => sums[i % 3] += value);
    const means = sums.map((sum) => 255 * sum / 1411 ** 2);
    close(means, [159.4335, 63.545, 46.1154], 0.5);
    for (
      const [row, column, color] of [
        [700, 700, [183, 42, 24]],
        [100, 900, [182, 71, 54]],
        [706, 1000, [223, 73, 49]],
      ] as const
    ) {
      const pixel = color.map((_, c) => 255 * image.get(row, column, c));
      close(pixel, color, 3);
    }
  },
});
