import assert from "node:assert/strict";
import { readImage } from "../../src/formats/read_image.ts";
import { readVolume } from "../../src/formats/volume.ts";
import { readReference } from "../helpers/reference.ts";

/** A file of a rarer kind, and its values (tests/reference/make_dicom_kinds.py). */
interface Reference {
  name: string;
  file: string;
  shape: number[];
  values: number[];
  shown?: number[];
}

const references = readReference<Reference>("dicom_kinds.jsonl");

Deno.test("readVolume() reads DICOM files of rarer kinds as pydicom does", async (t) => {
  assert.ok(references.length >= 55);
  for (const { name, file, shape, values } of references) {
    await t.step(name, async () => {
      const volume = await readVolume(Uint8Array.fromBase64(file));
      assert.deepEqual(volume.values.shape, shape);
      const array = volume.values;
      let index = 0;
      const [depth, height, width, channels] = shape;
      for (let d = 0; d < depth; d++) {
        for (let h = 0; h < height; h++) {
          for (let w = 0; w < width; w++) {
            for (let c = 0; c < channels; c++, index++) {
              const value = array.get(d, h, w, c);
              assert.ok(
                Math.abs(value - values[index]) <=
                  1e-6 * (1 + Math.abs(values[index])),
                `[${d}, ${h}, ${w}, ${c}]: ${value} is not ${values[index]}`,
              );
            }
          }
        }
      }
    });
  }
});

Deno.test("readImage() shows a DICOM file by its sigmoid or table", async (t) => {
  const shown = references.filter((reference) => reference.shown);
  assert.ok(shown.length >= 7);
  for (const { name, file, shown: expected } of shown) {
    await t.step(name, async () => {
      const image = await readImage(Uint8Array.fromBase64(file));
      image.data.forEach((value, i) =>
        assert.ok(
          Math.abs(value - expected![i]) < 1e-6,
          `${i}: ${value} is not ${expected![i]}`,
        )
      );
    });
  }
});
