import assert from "node:assert/strict";
import {
  type Choices,
  describePicked,
  type Picked,
  pickedFromLine,
  pickedFromPath,
  typedKeys,
} from "../../src/notebook/picked.ts";

const all: Choices = {
  candidates: 4,
  width: 16,
  height: 12,
  offered: new Set(["accept", "undo", "none", "outside"]),
};
const clickOnly: Choices = { ...all, candidates: 0, offered: new Set() };

Deno.test("pickedFromPath() reads the paths of links, and nothing else", () => {
  const picks: Record<string, Picked> = {
    "candidate/3": { kind: "candidate", index: 3 },
    accept: { kind: "accept" },
    undo: { kind: "undo" },
    none: { kind: "none" },
    "point/15/0/0": { kind: "point", x: 15, y: 0, label: 0 },
    "point/0/11/1": { kind: "point", x: 0, y: 11, label: 1 },
  };
  for (const [path, picked] of Object.entries(picks)) {
    assert.deepEqual(pickedFromPath(path, all), picked);
  }
  const foreign = [
    ..."candidate/4 candidate/-1 candidate/1e0 candidate/ candidate/0/ Accept"
      .split(" "),
    ..."point/16/0/1 point/0/12/1 point/0/0/2 point/0.5/0/1 point/0/0 quit"
      .split(" "),
    "",
    "candidate/%30",
    "candidate/" + "0".repeat(100),
  ];
  for (const path of foreign) {
    assert.equal(pickedFromPath(path, all), undefined, path);
  }
});

Deno.test("pickedFromLine() reads keys, words and clicks", () => {
  const lines: [string, Picked | undefined][] = [
    [" 2 ", { kind: "candidate", index: 1 }],
    ["A", { kind: "accept" }],
    ["accept", { kind: "accept" }],
    ["u", { kind: "undo" }],
    ["n", { kind: "none" }],
    ["3, 4.5", { kind: "point", x: 3, y: 4.5, label: 1 }],
    ["+3,4", { kind: "point", x: 3, y: 4, label: 1 }],
    ["-3,4", { kind: "point", x: 3, y: 4, label: 0 }],
    ["0", undefined],
    ["5", undefined],
    ["16,0", undefined],
    ["", undefined],
    ["acc", undefined],
  ];
  for (const [line, picked] of lines) {
    assert.deepEqual(pickedFromLine(line, all), picked, line);
  }
});

Deno.test("what is not offered cannot be picked", () => {
  for (const line of ["1", "a", "u", "n", "-3,4"]) {
    assert.equal(pickedFromLine(line, clickOnly), undefined, line);
  }
  for (const path of ["candidate/0", "accept", "undo", "none", "point/3/4/0"]) {
    assert.equal(pickedFromPath(path, clickOnly), undefined, path);
  }
  assert.deepEqual(pickedFromPath("point/3/4/1", clickOnly), {
    kind: "point",
    x: 3,
    y: 4,
    label: 1,
  });
});

Deno.test("a question names the keys it understands, and picks have words", () => {
  assert.equal(
    typedKeys(all),
    "1 to 4 picks, a accepts, n none of these, u undoes, x,y clicks inside, -x,y outside",
  );
  assert.equal(typedKeys(clickOnly), "x,y clicks inside");
  assert.equal(
    describePicked({ kind: "point", x: 3, y: 4, label: 0 }),
    "Click outside at (3, 4)",
  );
  assert.equal(
    describePicked({ kind: "candidate", index: 0 }),
    "Candidate 1 picked",
  );
});
