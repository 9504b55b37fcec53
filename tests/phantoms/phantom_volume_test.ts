import assert from "node:assert/strict";
import { digest } from "../../src/digest.ts";
import {
  PHANTOM_VOLUME_KINDS,
  PHANTOM_VOLUME_RATERS,
  phantomVolume,
} from "../../src/phantoms/phantom_volume.ts";

const sum = (values: ArrayLike<number>) =>
  Array.from(values).reduce((a, b) => a + b, 0);

Deno.test("a phantom volume is the same again, and another with another seed", () => {
  for (const kind of PHANTOM_VOLUME_KINDS) {
    const one = phantomVolume({ kind, seed: 2 });
    const bytes = ({ volume, masks }: typeof one) =>
      [volume.values, ...Object.values(masks)]
        .map(({ data }) => digest([data as Float32Array]));
    assert.deepEqual(bytes(phantomVolume({ kind, seed: 2 })), bytes(one));
    const other = bytes(phantomVolume({ kind, seed: 3 }));
    assert.ok(other.every((value, i) => value !== bytes(one)[i]));
  }
});

Deno.test("raters of a phantom volume are nested: strict in without_part in with_part in generous", () => {
  for (const kind of PHANTOM_VOLUME_KINDS) {
    for (const seed of [0, 2]) {
      const { masks, volume } = phantomVolume({ kind, seed });
      const nested = [
        "strict",
        "without_part",
        "with_part",
        "generous",
      ] as const;
      nested.slice(1).forEach((larger, i) => {
        const small = masks[nested[i]].data, large = masks[larger].data;
        assert.ok(small.every((value, v) => value <= large[v]));
        assert.ok(sum(small) < sum(large));
      });
      for (const rater of PHANTOM_VOLUME_RATERS) {
        const [D, H, W] = volume.values.shape;
        assert.deepEqual(masks[rater].shape, [D, H, W]);
        const areas = Array.from(
          { length: D },
          (_, z) => sum(masks[rater].data.subarray(z * H * W, (z + 1) * H * W)),
        );
        // the object ends in the volume, a vessel may not, and neither has a gap
        if (kind === "kidney" || !["with_part", "generous"].includes(rater)) {
          assert.equal(areas[0], 0);
          assert.equal(areas[D - 1], 0);
        }
        const first = areas.findIndex((area) => area > 0);
        const last = areas.findLastIndex((area) => area > 0);
        assert.ok(areas.slice(first, last + 1).every((area) => area > 0));
        assert.ok(last - first >= 5);
      }
    }
  }
});

Deno.test("a phantom volume takes a shape, and refuses what it cannot paint", () => {
  const { volume } = phantomVolume({
    kind: "nodule",
    seed: 1,
    shape: [8, 40, 33],
  });
  assert.deepEqual(volume.values.shape, [8, 40, 33, 1]);
  assert.ok(volume.values.data.every((value) => value >= 0 && value <= 1));
  assert.throws(
    () => phantomVolume({ kind: "fundus" as "nodule", seed: 1 }),
    /one of nodule, kidney: current value is fundus/,
  );
  assert.throws(() => phantomVolume({ kind: "kidney", seed: 0.5 }), /0\.5/);
  assert.throws(
    () => phantomVolume({ kind: "kidney", seed: 0, shape: [4, 96, 96] }),
    /current value is \[4,96,96\]/,
  );
});
