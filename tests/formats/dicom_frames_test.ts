import assert from "node:assert/strict";
import { readVolume } from "../../src/formats/volume.ts";
import { close } from "../helpers/close.ts";
import { element } from "../helpers/dicom_element.ts";

const ORIENTATION = "1\\0\\0\\0\\1\\0";

const numbers = (group: number, number: number, values: readonly unknown[]) =>
  element(group, number, "DS", values.join("\\"));

/** A file of 1 x 2 bytes per frame, of which frame k holds 10 k and 10 k + 1. */
function fileOf(
  frames: number,
  { before = [], groups = [] }: { before?: number[]; groups?: number[] },
): Uint8Array {
  const pixels = Array.from(
    { length: 2 * frames },
    (_, i) => 10 * (i >> 1) + i % 2,
  );
  return Uint8Array.from([
    ...[...new Array(128).fill(0), ...new TextEncoder().encode("DICM")],
    ...element(2, 0x10, "UI", "1.2.840.10008.1.2.1"),
    ...before,
    ...element(0x28, 2, "US", 1),
    ...element(0x28, 4, "CS", "MONOCHROME2"),
    ...element(0x28, 8, "IS", `${frames}`),
    ...element(0x28, 0x10, "US", 1),
    ...element(0x28, 0x11, "US", 2),
    ...numbers(0x28, 0x30, [0.5, 0.75]),
    ...element(0x28, 0x100, "US", 8),
    ...element(0x28, 0x101, "US", 8),
    ...element(0x28, 0x102, "US", 7),
    ...element(0x28, 0x103, "US", 0),
    ...groups,
    ...element(0x7fe0, 0x10, "OB", Uint8Array.from(pixels)),
  ]);
}

/** An enhanced file: slices 5 mm thick at these positions, each rescaled by its number. */
function enhanced(
  positions: readonly (readonly number[])[],
  orientation: (frame: number) => string = () => ORIENTATION,
): Uint8Array {
  const sequence = (number: number, item: number[]) =>
    element(0x20, number, "SQ", [item]);
  const shared = element(0x28, 0x9110, "SQ", [numbers(0x18, 0x50, [5])]);
  const each = positions.map((position, frame) => [
    ...sequence(0x9113, numbers(0x20, 0x32, position)),
    ...sequence(0x9116, element(0x20, 0x37, "DS", orientation(frame))),
    ...element(0x28, 0x9145, "SQ", [[
      ...element(0x28, 0x1052, "DS", `${100 * frame}`),
      ...element(0x28, 0x1053, "DS", "1"),
    ]]),
  ]);
  const groups = [
    ...element(0x5200, 0x9229, "SQ", [shared]),
    ...element(0x5200, 0x9230, "SQ", each),
  ];
  return fileOf(positions.length, { groups });
}

const at = (z: number) => [-10, -20, z];

Deno.test("readVolume() puts frames in order by their own positions, 3 mm apart though 5 mm thick", async () => {
  for (
    const [heights, shown] of [
      [[4, 7, 10], [0, 1, 110, 111, 220, 221]],
      [[10, 7, 4], [220, 221, 110, 111, 0, 1]],
      [[7, 10, 4], [220, 221, 0, 1, 110, 111]],
    ]
  ) {
    const volume = await readVolume(enhanced(heights.map(at)));
    assert.deepEqual([...volume.values.data], shown); // with their own intercepts
    close(volume.spacing!, [3, 0.5, 0.75]);
    const [left, posterior, foot] = [10, 20, 4];
    close(volume.affine!, [
      ...[-0.75, 0, 0, left],
      ...[0, -0.5, 0, posterior],
      ...[0, 0, 3, foot],
      ...[0, 0, 0, 1],
    ]);
  }
});

Deno.test("readVolume() leaves frames that make no grid as stored, without spacing and affine", async () => {
  const files = {
    "two times of each place": enhanced([4, 7, 4, 7].map(at)),
    "a gap": enhanced([4, 7, 13, 10, 19].map(at)),
    "one place": enhanced([4, 4, 4].map(at)),
    "a position missing": enhanced([at(4), [], at(10)]),
    "two directions": enhanced(
      [4, 7, 10].map(at),
      (frame) => frame === 1 ? "0\\1\\0\\0\\0\\-1" : ORIENTATION,
    ),
  };
  for (const [name, file] of Object.entries(files)) {
    const { values, spacing, affine } = await readVolume(file);
    const frames = values.shape[0];
    assert.deepEqual(
      [...values.data],
      Array.from({ length: frames }, (_, k) => [110 * k, 110 * k + 1]).flat(),
      name,
    );
    assert.deepEqual([spacing, affine], [undefined, undefined], name);
  }
});

Deno.test("readVolume() takes a dose grid's distances from its frames' offsets", async () => {
  const dose = (offsets: number[]) =>
    fileOf(3, {
      before: [
        ...numbers(0x20, 0x32, [1, 2, 100]),
        ...element(0x20, 0x37, "DS", ORIENTATION),
        ...numbers(0x3004, 0xc, offsets),
      ],
    });
  // Relative to the position; or absolute, of which the first is the position's.
  for (const offsets of [[0, 2.5, 5], [100, 102.5, 105]]) {
    const { values, spacing, affine } = await readVolume(dose(offsets));
    close(values.data, [0, 1, 10, 11, 20, 21]);
    close(spacing!, [2.5, 0.5, 0.75]);
    close(affine!.slice(8, 12), [0, 0, 2.5, 100]);
  }
  const down = await readVolume(dose([0, -2.5, -5]));
  close(down.values.data, [20, 21, 10, 11, 0, 1]);
  close(down.affine!.slice(8, 12), [0, 0, 2.5, 95]);
  const uneven = await readVolume(dose([0, 2.5, 9]));
  assert.equal(uneven.spacing, undefined);
});

Deno.test("readVolume() invents no distance between frames", async () => {
  const place = [
    ...numbers(0x20, 0x32, [1, 2, 3]),
    ...element(0x20, 0x37, "DS", ORIENTATION),
  ];
  const unknown = await readVolume(fileOf(3, { before: place }));
  assert.deepEqual(
    [unknown.spacing, unknown.affine],
    [undefined, undefined],
  );
  const stated = await readVolume(
    fileOf(3, { before: [...numbers(0x18, 0x88, [4]), ...place] }),
  );
  close(stated.spacing!, [4, 0.5, 0.75]);
  close(stated.affine!.slice(8, 12), [0, 0, 4, 3]);
  const single = await readVolume(fileOf(1, { before: place }));
  close(single.spacing!, [1, 0.5, 0.75]);
});
