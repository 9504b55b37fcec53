import assert from "node:assert/strict";
import { LEVELS, makeFamilies } from "../../src/commands/make_families.ts";
import { openDataset } from "../../src/datasets/open_dataset.ts";
import { phantoms } from "../../src/phantoms/phantom.ts";

Deno.test("a family's masks lie in each other, from part to whole, each much larger", async () => {
  const folder = await Deno.makeTempDir();
  const again = await Deno.makeTempDir();
  try {
    const dataset = phantoms({ count: 9, seed: 4 });
    const names = await makeFamilies(folder, dataset, 9, 2);
    assert.ok(names.length >= 3, `${names.length} families`);
    const written = await openDataset(folder);
    assert.deepEqual(written.cases.map(({ id }) => id), names.sort());
    for (const item of written.cases) {
      assert.deepEqual(item.raters, [...LEVELS].sort());
      const image = await item.readImage();
      const [part, object, whole] = await Promise.all(
        LEVELS.map(async (level) => (await item.readMask(level)).data),
      );
      assert.equal(part.length, image.shape[0] * image.shape[1]);
      const area = (mask: ArrayLike<number>) =>
        Array.from(mask).reduce((sum, value) => sum + value, 0);
      assert.ok(area(part) > 0);
      assert.ok(area(object) >= 1.6 * area(part), item.id);
      assert.ok(area(whole) >= 1.6 * area(object), item.id);
      for (let i = 0; i < part.length; i++) {
        assert.ok(part[i] <= object[i] && object[i] <= whole[i], item.id);
      }
    }
    await makeFamilies(again, dataset, 9, 2);
    const mask = `${names[0]}/rater_whole.png`;
    assert.deepEqual(
      await Deno.readFile(`${again}/${mask}`),
      await Deno.readFile(`${folder}/${mask}`),
    );
  } finally {
    await Deno.remove(folder, { recursive: true });
    await Deno.remove(again, { recursive: true });
  }
});
