import assert from "node:assert/strict";

/** What evaluations are made of: it works without them. */
const BELOW = ["arrays", "metrics", "model", "spa"];

/** The rooms that the files of one import from. */
function importedBy(room: string): Set<string> {
  const folder = new URL(`../src/${room}/`, import.meta.url);
  const rooms = [...Deno.readDirSync(folder)].flatMap(({ name }) => {
    const text = Deno.readTextFileSync(new URL(name, folder));
    return [...text.matchAll(/from "\.\.\/(\w+)\//g)].map(([, other]) => other);
  });
  return new Set(rooms);
}

for (const room of BELOW) {
  Deno.test(`src/${room} knows nothing of evaluations`, () => {
    assert.ok(!importedBy(room).has("evaluation"));
  });
}

Deno.test("src/metrics knows arrays alone", () => {
  assert.deepEqual([...importedBy("metrics")], ["arrays"]);
  assert.ok(importedBy("spa").has("metrics")); // the simulated user's Dice
});
