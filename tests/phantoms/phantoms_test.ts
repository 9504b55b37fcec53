import assert from "node:assert/strict";
import { join } from "node:path";
import { openDataset } from "../../src/datasets/open_dataset.ts";
import { makePhantoms } from "../../src/commands/make_phantoms.ts";
import {
  phantom,
  PHANTOM_KINDS,
  PHANTOM_RATERS,
  type PhantomKind,
  phantoms,
} from "../../src/phantoms/phantom.ts";

const area = (mask: { data: Uint8Array }) =>
  mask.data.reduce((sum, value) => sum + value, 0);

/** Whether every pixel of `inner` is in `outer`. */
const within = (inner: { data: Uint8Array }, outer: { data: Uint8Array }) =>
  inner.data.every((value, i) => value <= outer.data[i]);

const percentile = (values: number[], share: number) =>
  values.toSorted((a, b) => a - b)[Math.floor(share * values.length)];

Deno.test("phantom() gives the same phantom for the same seed, another for another", () => {
  for (const kind of PHANTOM_KINDS) {
    const first = phantom({ kind, seed: 5 });
    assert.deepEqual(phantom({ kind, seed: 5 }), first);
    assert.notDeepEqual(
      phantom({ kind, seed: 6 }).image.data,
      first.image.data,
    );
  }
});

Deno.test("phantom() has each kind's size and channels, and values in 0..1", () => {
  const shapes: Record<PhantomKind, number[]> = {
    fundus: [128, 128, 3],
    nodule: [71, 71, 1],
    kidney: [128, 128, 1],
  };
  for (const kind of PHANTOM_KINDS) {
    for (let seed = 0; seed < 20; seed++) {
      const { image, masks } = phantom({ kind, seed });
      assert.deepEqual(image.shape, shapes[kind]);
      assert.ok(image.data.every((value) => value >= 0 && value <= 1));
      assert.deepEqual(Object.keys(masks), PHANTOM_RATERS);
      for (const mask of Object.values(masks)) {
        assert.deepEqual(mask.shape, image.shape.slice(0, 2));
        assert.ok(mask.data.every((value) => value === 0 || value === 1));
      }
    }
  }
});

Deno.test("phantom() paints the same scene at another size", () => {
  const small = phantom({ kind: "kidney", seed: 2 });
  const large = phantom({ kind: "kidney", seed: 2, size: 256 });
  assert.deepEqual(large.image.shape, [256, 256, 1]);
  assert.equal(large.hasPart, small.hasPart);
  const ratio = area(large.masks.without_part) / area(small.masks.without_part);
  assert.ok(ratio > 3.6 && ratio < 4.4, `${ratio} is not about 4`);
});

Deno.test("phantom()'s raters differ as their names say", () => {
  for (const kind of PHANTOM_KINDS) {
    let parts = 0;
    for (let seed = 0; seed < 60; seed++) {
      const { masks, hasPart } = phantom({ kind, seed });
      const { generous, strict, with_part, without_part, smooth } = masks;
      const name = `${kind} ${seed}`;
      assert.ok(area(strict) > 0, name);
      assert.ok(within(strict, without_part), name);
      assert.ok(within(without_part, with_part), name);
      assert.ok(area(strict) < area(without_part), name);
      assert.ok(area(generous) > area(with_part), name);
      assert.ok(area(smooth) > 0, name);
      if (hasPart) parts++;
      else assert.deepEqual(with_part.data, without_part.data, name);
    }
    assert.ok(parts >= 30, `${kind}: ${parts} of 60 have a part`);
  }
});

Deno.test("phantom() leaves no rater with an empty mask", () => {
  for (const kind of PHANTOM_KINDS) {
    for (let seed = 1000; seed < 1120; seed++) {
      const { masks } = phantom({ kind, seed });
      for (const [rater, mask] of Object.entries(masks)) {
        assert.ok(area(mask) > 0, `${kind} ${seed} ${rater}`);
      }
    }
  }
});

Deno.test("phantom()'s smooth rater has a shorter border than with_part", () => {
  const border = (data: Uint8Array, side: number) => {
    let count = 0;
    for (let i = 0; i < data.length - side; i++) {
      count += Number(data[i] !== data[i + 1]) +
        Number(data[i] !== data[i + side]);
    }
    return count;
  };
  const relative = { with_part: 0, smooth: 0 };
  for (let seed = 0; seed < 60; seed++) {
    const { masks, image } = phantom({ kind: "nodule", seed });
    for (const rater of ["with_part", "smooth"] as const) {
      const mask = masks[rater];
      relative[rater] += border(mask.data, image.shape[1]) /
        Math.sqrt(area(mask));
    }
  }
  assert.ok(relative.smooth < 0.95 * relative.with_part);
});

Deno.test("phantom() draws nodules as large as those of LIDC-IDRI", () => {
  const areas = Array.from(
    { length: 400 },
    (_, seed) => area(phantom({ kind: "nodule", seed }).masks.without_part),
  );
  // Quantiles of LIDC-IDRI's masks in 71 x 71 crops, pixels
  const lidc: [number, number][] = [
    [0.05, 22],
    [0.25, 47],
    [0.5, 80],
    [0.75, 186],
    [0.95, 770],
  ];
  for (const [share, expected] of lidc) {
    const actual = percentile(areas, share);
    assert.ok(
      actual > expected / 1.35 && actual < expected * 1.35,
      `${actual} at ${share} is not about ${expected}`,
    );
  }
});

Deno.test("phantom() shows its object brighter than what surrounds it", () => {
  for (const kind of PHANTOM_KINDS) {
    for (let seed = 0; seed < 30; seed++) {
      const { image, masks } = phantom({ kind, seed });
      const channel = image.shape[2] === 3 ? 1 : 0; // green shows the cup
      const plane = image.pick(null, null, channel);
      const [inside, ring]: [number[], number[]] = [[], []];
      for (let y = 0; y < plane.shape[0]; y++) {
        for (let x = 0; x < plane.shape[1]; x++) {
          if (masks.strict.get(y, x)) inside.push(plane.get(y, x));
          if (masks.generous.get(y, x) && !masks.with_part.get(y, x)) {
            ring.push(plane.get(y, x));
          }
        }
      }
      // A lower quartile, as a nodule on the chest wall borders on bright tissue
      const around = percentile(ring, 0.25);
      const contrast = percentile(inside, 0.5) - around;
      assert.ok(contrast > 0.03, `${kind} ${seed}: ${contrast}`);
    }
  }
});

Deno.test("phantom() refuses unknown kinds, broken seeds and absurd sizes", () => {
  assert.throws(
    () => phantom({ kind: "brain" as "kidney", seed: 1 }),
    /RangeError: Cannot paint phantom as kind must be one of fundus, nodule, kidney: current value is brain/,
  );
  assert.throws(
    () => phantom({ kind: "kidney", seed: 0.5 }),
    /RangeError: Cannot paint phantom as seed must be a whole number: current value is 0\.5/,
  );
  for (const size of [0, 31, 1025, 64.5]) {
    assert.throws(
      () => phantom({ kind: "kidney", seed: 1, size }),
      /RangeError: Cannot paint phantom as size must be a whole number of 32 to 1024/,
    );
  }
});

Deno.test("phantoms() lists cases by seed and number, each a phantom of its own", async () => {
  const { cases } = phantoms({
    count: 5,
    seed: 2,
    kinds: ["nodule", "fundus"],
  });
  assert.deepEqual(cases.map(({ id }) => id), [
    "nodule-2-0",
    "fundus-2-1",
    "nodule-2-2",
    "fundus-2-3",
    "nodule-2-4",
  ]);
  const same = phantom({ kind: "fundus", seed: 2 * 2 ** 20 + 1 });
  assert.deepEqual((await cases[1].readImage()).data, same.image.data);
  const mask = await cases[1].readMask("smooth");
  assert.deepEqual(mask.data, same.masks.smooth.data);
  await assert.rejects(
    cases[1].readMask("expert"),
    /RangeError: Cannot read mask of case fundus-2-1 as rater must be one of generous, .*: current value is expert/,
  );
});

Deno.test("phantoms() refuses a count of none and an empty list of kinds", () => {
  assert.throws(
    () => phantoms({ count: 0 }),
    /RangeError: Cannot list phantoms as count must be a whole number of 1 to/,
  );
  assert.throws(
    () => phantoms({ count: 1, kinds: [] }),
    /RangeError: Cannot list phantoms as kinds must name at least one/,
  );
  assert.throws(
    () => phantoms({ count: 1, kinds: ["brain" as "kidney"] }),
    /kind must be one of .*: current value is brain/,
  );
});

Deno.test("the samples in data/phantoms are what makePhantoms() writes, pixel for pixel", async () => {
  const folder = await Deno.makeTempDir();
  try {
    await makePhantoms(folder);
    const made = await openDataset(folder);
    const shipped = await openDataset(
      new URL("../../data/phantoms", import.meta.url).pathname,
    );
    assert.deepEqual(
      shipped.cases.map(({ id }) => id),
      made.cases.map(({ id }) => id),
    );
    for (const [k, item] of shipped.cases.entries()) {
      const other = made.cases[k];
      assert.deepEqual(item.raters.toSorted(), PHANTOM_RATERS.toSorted());
      assert.deepEqual(item.raters, other.raters);
      assert.deepEqual(await item.readImage(), await other.readImage());
      for (const rater of item.raters) {
        assert.deepEqual(
          await item.readMask(rater),
          await other.readMask(rater),
          `${item.id} ${rater}`,
        );
      }
    }
    // Regenerating changes no file, so that git sees no difference.
    const again = join(folder, "again");
    await makePhantoms(again);
    for (const { id } of made.cases) {
      for (const { name } of Deno.readDirSync(join(folder, id))) {
        assert.deepEqual(
          await Deno.readFile(join(again, id, name)),
          await Deno.readFile(join(folder, id, name)),
        );
      }
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("the phantoms command writes new phantoms as a data set", async () => {
  const out = await Deno.makeTempDir();
  try {
    const run = async (...args: string[]) => {
      const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
        args: ["run", "-A", "src/commands/make_phantoms.ts", ...args],
        env: { NO_COLOR: "1" },
      }).output();
      return [code, new TextDecoder().decode(code === 0 ? stdout : stderr)];
    };
    const [code, said] = await run("--count", "3", "--seed", "2", "--out", out);
    assert.equal(code, 0, `${said}`);
    const written = await openDataset(out);
    const painted = phantoms({ count: 3, seed: 2 });
    assert.deepEqual(
      written.cases.map(({ id }) => id),
      painted.cases.map(({ id }) => id).sort(),
    );
    const [one] = painted.cases;
    const same = written.cases.find(({ id }) => id === one.id)!;
    assert.deepEqual(
      (await same.readMask("strict")).data,
      (await one.readMask("strict")).data,
    );
    assert.deepEqual(await run("--count", "0"), [
      1,
      "Cannot paint the phantoms as --count must be a whole number, 1..100000: current value is 0\n",
    ]);
  } finally {
    await Deno.remove(out, { recursive: true });
  }
});
