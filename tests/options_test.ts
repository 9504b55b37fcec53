import assert from "node:assert/strict";
// @ts-types="@types/ndarray"
import ndarray from "ndarray";
import { checkOptions, isNdArray } from "../src/options.ts";

interface Options {
  readonly slice?: number;
  readonly window?: readonly [number, number] | "auto";
  readonly mask?: object;
  readonly onProgress?: () => void;
  readonly exact?: boolean;
}

/** Checks what a caller without types may give. */
const check = (options: unknown) =>
  checkOptions("read the image", options as Options, {
    slice: "number",
    window: "array | string",
    mask: "ndarray",
    onProgress: "function",
    exact: "boolean",
  });

Deno.test("checkOptions() takes options of the right types, and absent ones", () => {
  check({});
  check({ slice: 3, window: [0, 1], exact: false, onProgress: () => {} });
  check({ slice: undefined, window: "auto" });
  check({ mask: ndarray(new Uint8Array(4), [2, 2]) });
  check({ mask: ndarray(new Uint8Array(4), [2, 2]).transpose(1, 0) });
});

Deno.test("checkOptions() names an unknown option and the one that was meant", () => {
  const rest = "The options are slice, window, mask, onProgress, exact";
  for (
    const [name, meant] of [
      ["Slice", "slice"],
      ["windows", "window"],
      ["onprogress", "onProgress"],
      ["exat", "exact"],
    ]
  ) {
    assert.throws(
      () => check({ [name]: 1 }),
      new TypeError(
        `Cannot read the image as there is no option "${name}": did you mean "${meant}"? ${rest}`,
      ),
    );
  }
  assert.throws(
    () => check({ page: 1 }),
    new TypeError(
      `Cannot read the image as there is no option "page": ${rest}`,
    ),
  );
  assert.throws(() => check(JSON.parse('{ "__proto__": 1 }')), TypeError);
});

Deno.test("checkOptions() names a value of another type", () => {
  const cases: [object, string][] = [
    [{ slice: "3" }, '"slice" must be a number: current value is "3"'],
    [{ slice: null }, '"slice" must be a number: current value is null'],
    [
      { window: 3 },
      '"window" must be an array or a string: current value is 3',
    ],
    [
      { mask: [[0, 1]] },
      '"mask" must be an ndarray: current value is an array of 1',
    ],
    [
      { exact: { a: 1 } },
      '"exact" must be true or false: current value is an object with a',
    ],
    [
      { onProgress: ndarray(new Uint8Array(6), [2, 3]) },
      '"onProgress" must be a function: current value is an ndarray [2,3]',
    ],
  ];
  for (const [options, message] of cases) {
    assert.throws(
      () => check(options),
      new TypeError(`Cannot read the image as the option ${message}`),
    );
  }
});

Deno.test("checkOptions() refuses options that are no object", () => {
  for (
    const [given, shown] of [
      [null, "null"],
      ["auto", '"auto"'],
      [7, "7"],
      [[1, 2], "an array of 2"],
    ]
  ) {
    assert.throws(
      () => check(given),
      new TypeError(
        `Cannot read the image as the options must be an object: current value is ${shown}`,
      ),
    );
  }
});

Deno.test("isNdArray() tells ndarrays from what is none", () => {
  assert.ok(isNdArray(ndarray(new Float32Array(2), [2])));
  for (const other of [null, undefined, [], {}, new Uint8Array(3), "ndarray"]) {
    assert.equal(isNdArray(other), false);
  }
});
