import assert from "node:assert/strict";
import {
  type Choices,
  describePicked,
  describeStep,
  type Offered,
  pickedFromLine,
  pickedFromPath,
  typedKeys,
} from "../../src/notebook/picked.ts";
import type { Action } from "../../src/spa/feedback.ts";

const all: Choices = {
  candidates: 4,
  width: 16,
  height: 12,
  offered: new Set(
    [
      ..."accept undo redo none outside closer wider box paint".split(" "),
    ] as Offered[],
  ),
  steps: 3,
};
const clickOnly: Choices = {
  ...{ ...all, candidates: 0, offered: new Set(), steps: undefined },
};

Deno.test("pickedFromPath() reads the paths of links, and nothing else", () => {
  const picks: Record<string, Action> = {
    "candidate/3": { kind: "choose", candidate: 3 },
    accept: { kind: "accept" },
    "accept/3": { kind: "accept", candidate: 3 },
    "accept/largest": { kind: "accept", largestComponent: true },
    "accept/0/largest/holes": {
      kind: "accept",
      candidate: 0,
      largestComponent: true,
      fillHoles: true,
    },
    "accept/small-37": { kind: "accept", minimumSize: 37 },
    "accept/1/small-9/holes": {
      ...{ kind: "accept", candidate: 1, minimumSize: 9, fillHoles: true },
    },
    redo: { kind: "redo" },
    "jump/0": { kind: "jump", step: 0 },
    "jump/3": { kind: "jump", step: 3 },
    "paint/1/2.5/3,4_15,11": {
      ...{ kind: "paint", label: 1, radius: 2.5 },
      path: [{ x: 3, y: 4 }, { x: 15, y: 11 }],
    },
    "paint/0/1/0,0.5": {
      ...{ kind: "paint", label: 0, radius: 1, path: [{ x: 0, y: 0.5 }] },
    },
    closer: { kind: "zoom", factor: 1.5 },
    wider: { kind: "zoom", factor: 1 / 1.5 },
    "box/3/4/16/9": {
      kind: "look",
      region: { left: 2.5, top: 3.5, right: 15.5, bottom: 8.5 },
    },
    undo: { kind: "undo" },
    none: { kind: "again" },
    "point/15/0/0": { kind: "click", point: { x: 15, y: 0, label: 0 } },
    "point/0/11/1": { kind: "click", point: { x: 0, y: 11, label: 1 } },
  };
  for (const [path, picked] of Object.entries(picks)) {
    assert.deepEqual(pickedFromPath(path, all), picked);
  }
  const foreign = [
    ..."candidate/4 candidate/-1 candidate/1e0 candidate/ candidate/0/ Accept"
      .split(" "),
    ..."box/3/4/17/9 box/3/4/3/9 box/3/9/5/4 box/3/4/5 box/0.5/1/2/3"
      .split(" "),
    ..."accept/4 accept/-1 accept/ accept/holes/largest accept/1/2 zoom wider/"
      .split(" "),
    ..."point/16/0/1 point/0/12/1 point/0/0/2 point/0.5/0/1 point/0/0 quit"
      .split(" "),
    ..."jump/4 jump/-1 jump/ jump/1.5 accept/small accept/small-/holes paint"
      .split(" "),
    ..."paint/2/1/3,4 paint/1/0/3,4 paint/1/1/ paint/1/1/3 paint/1/1/3,4_"
      .split(" "),
    ..."paint/1/1/16,4 paint/1/1/3,12 paint/1/17/3,4 paint/1/1/3,4,5 paint/1/1/-1,4"
      .split(" "),
    "paint/1/1/" + "3,4_".repeat(3000) + "3,4",
    "",
    "candidate/%30",
    "candidate/" + "0".repeat(100),
  ];
  for (const path of foreign) {
    assert.equal(pickedFromPath(path, all), undefined, path);
  }
});

Deno.test("pickedFromLine() reads keys, words and clicks", () => {
  const lines: [string, Action | undefined][] = [
    [" 2 ", { kind: "choose", candidate: 1 }],
    ["A", { kind: "accept" }],
    ["accept", { kind: "accept" }],
    ["a2", { kind: "accept", candidate: 1 }],
    ["a 4 largest holes", {
      kind: "accept",
      candidate: 3,
      largestComponent: true,
      fillHoles: true,
    }],
    ["accept holes", { kind: "accept", fillHoles: true }],
    ["+", { kind: "zoom", factor: 1.5 }],
    [" - ", { kind: "zoom", factor: 1 / 1.5 }],
    ["box 3, 4,16,9", {
      kind: "look",
      region: { left: 2.5, top: 3.5, right: 15.5, bottom: 8.5 },
    }],
    ["a2 small 9 holes", {
      ...{ kind: "accept", candidate: 1, minimumSize: 9, fillHoles: true },
    }],
    ["a small-9", { kind: "accept", minimumSize: 9 }],
    ["r", { kind: "redo" }],
    ["Redo", { kind: "redo" }],
    ["jump 2", { kind: "jump", step: 2 }],
    ["brush 1.5 3,4 5,6.5", {
      ...{ kind: "paint", label: 1, radius: 1.5 },
      path: [{ x: 3, y: 4 }, { x: 5, y: 6.5 }],
    }],
    ["erase 2  3,4", {
      ...{ kind: "paint", label: 0, radius: 2, path: [{ x: 3, y: 4 }] },
    }],
    ["jump 4", undefined],
    ["brush 2", undefined],
    ["brush 2 16,4", undefined],
    ["brush 2 3,4 x", undefined],
    ["a0", undefined],
    ["a5", undefined],
    ["aholes", undefined],
    ["u", { kind: "undo" }],
    ["n", { kind: "again" }],
    ["3, 4.5", { kind: "click", point: { x: 3, y: 4.5, label: 1 } }],
    ["+3,4", { kind: "click", point: { x: 3, y: 4, label: 1 } }],
    ["-3,4", { kind: "click", point: { x: 3, y: 4, label: 0 } }],
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
  for (
    const line of [
      ...["1", "a", "a1", "u", "r", "n", "+", "-", "-3,4"],
      ...["jump 0", "brush 1 3,4"],
    ]
  ) {
    assert.equal(pickedFromLine(line, clickOnly), undefined, line);
  }
  const paths =
    "candidate/0 accept accept/0 undo redo none closer wider point/3/4/0 box/3/4/5/6 jump/0 paint/1/1/3,4";
  for (const path of paths.split(" ")) {
    assert.equal(pickedFromPath(path, clickOnly), undefined, path);
  }
  assert.deepEqual(pickedFromPath("point/3/4/1", clickOnly), {
    kind: "click",
    point: { x: 3, y: 4, label: 1 },
  });
});

Deno.test("a question names the keys it understands, and picks have words", () => {
  assert.equal(
    typedKeys(all),
    "1 to 4 picks, a accepts (a2 candidate 2; a largest, a small 9, a holes repair), n none of these, u undoes, r redoes, + looks closer, - wider, x,y clicks inside, -x,y outside, box left,top,right,bottom looks there, brush radius x,y x,y paints a stroke, erase erases one",
  );
  assert.equal(typedKeys(clickOnly), "x,y clicks inside");
  assert.equal(
    describePicked({ kind: "click", point: { x: 3, y: 4, label: 0 } }),
    "Click outside at (3, 4)",
  );
  assert.equal(
    describePicked({ kind: "choose", candidate: 0 }),
    "Candidate 1 picked",
  );
  assert.equal(
    describePicked({ kind: "accept", candidate: 2, fillHoles: true }),
    "Candidate 3 accepted, holes filled",
  );
  assert.equal(
    describePicked({ kind: "accept", minimumSize: 9 }),
    "Recommendation accepted, no parts under 9 pixels",
  );
  const region = { left: 1.5, top: 2, right: 8.25, bottom: 9 };
  assert.equal(describeStep({ kind: "look", region }), "Another region");
  const stroke = { label: 0, radius: 1.5, path: [{ x: 3, y: 4 }] } as const;
  assert.equal(
    describeStep({ kind: "paint", ...stroke }),
    "Eraser of radius 1.5 from (3, 4)",
  );
});
