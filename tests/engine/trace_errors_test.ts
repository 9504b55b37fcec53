/** What a traced function must not do, and what it is told. */
import * as tf from "../../src/engine/tf.ts";
import assert from "node:assert/strict";
import { useEngine } from "../../src/engine/engine.ts";
import { jit } from "../../src/engine/jit.ts";
import { host } from "../helpers/engine_helpers.ts";
import "../helpers/gradients.ts";

/** Runs a function named "f" on x [2, 3]. */
async function run(fn: (x: tf.Tensor) => unknown): Promise<Float32Array> {
  await useEngine("onnx", { threads: 1 });
  const program = jit(
    ({ x }: { x: tf.Tensor }) => ({ y: fn(x) as tf.Tensor }),
    { name: "f" },
  );
  const x = host(Float32Array.of(1, 2, 3, 4, 5, 6), [2, 3]);
  return (await program({ x })).y.data as Float32Array;
}

function refuses(
  what: string,
  fn: (x: tf.Tensor) => unknown,
  message: RegExp,
): void {
  Deno.test(`tracing refuses ${what}`, async () => {
    await assert.rejects(run(fn), (error: Error) => {
      assert.match(error.message, message);
      assert.match(error.message, /"f"/, "the function is named");
      return true;
    });
    // The next function is traced as if nothing had happened.
    assert.deepEqual([...await run(tf.neg)], [-1, -2, -3, -4, -5, -6]);
    assert.ok(Math.random() < 1);
  });
}

const variable = tf.variable(tf.scalar(2));
const disposed = tf.scalar(1);
disposed.dispose();

for (
  const [name, read] of Object.entries({
    dataSync: (x: tf.Tensor) => x.dataSync(),
    arraySync: (x: tf.Tensor) => x.arraySync(),
    data: (x: tf.Tensor) => x.data(),
    array: (x: tf.Tensor) => x.array(),
    print: (x: tf.Tensor) => x.print(),
    toString: (x: tf.Tensor) => `${x}`,
    bufferSync: (x: tf.Tensor) => x.bufferSync(),
  })
) {
  refuses(
    `${name}() of a tensor`,
    (x) => {
      read(tf.exp(x));
      return x;
    },
    new RegExp(`asks for the values of a tensor \\(${name}\\)`),
  );
}
refuses(
  "a read whose error the function hides",
  (x) => {
    try {
      x.dataSync();
    } catch { /* hidden */ }
    return x;
  },
  /asks for the values of a tensor \(dataSync\)/,
);
refuses(
  "tf.booleanMaskAsync",
  (x) => {
    tf.booleanMaskAsync(x, tf.greater(x, 0)).catch(() => {});
    return x;
  },
  /asks for the values/,
);
for (
  const [name, draw] of Object.entries({
    randomNormal: () => tf.randomNormal([2, 3]),
    randomUniform: () => tf.randomUniform([2, 3], 0, 1, "float32", 7),
    truncatedNormal: () => tf.truncatedNormal([2, 3]),
    dropout: (x: tf.Tensor) => tf.dropout(x, 0.5),
    "Math.random": () => tf.scalar(Math.random()),
  })
) {
  refuses(
    name,
    (x) => tf.add(x, draw(x)),
    new RegExp(`draws random numbers \\(${name}\\).*make them an input`),
  );
}
refuses(
  "Variable.assign",
  (x) => {
    variable.assign(tf.sum(x) as tf.Scalar);
    return x;
  },
  /assigns the variable "\w+"; return the new value instead/,
);
refuses(
  "an optimizer",
  (x) => {
    tf.train.sgd(0.1).minimize(() => tf.sum(tf.mul(x, variable)) as tf.Scalar);
    return x;
  },
  /assigns the variable/,
);
refuses("tf.time", (x) => {
  tf.time(() => {}).catch(() => {});
  return x;
}, /measures time/);
refuses(
  "a kernel without translation",
  (x) => tf.spectral.rfft(x),
  /Cannot trace "f": the tfjs kernel \w+ has no translation to ONNX/,
);
refuses(
  "a translated kernel's unknown option",
  (x) => tf.mirrorPad(x, [[1, 1], [1, 1]], "symmetric"),
  /Cannot trace "f": MirrorPad: mode symmetric is not supported/,
);
refuses(
  "the gradient of resizing with half pixel centers",
  (x) =>
    tf.grad((y) =>
      tf.image.resizeBilinear(
        tf.reshape(y, [2, 3, 1]) as tf.Tensor3D,
        [4, 6],
        false,
        true,
      )
    )(x),
  /ResizeBilinearGrad: halfPixelCenters has no correct gradient/,
);
refuses(
  "a tensor that is disposed",
  (x) => tf.add(x, disposed),
  /disposed/,
);
refuses(
  "a tensor of text",
  (x) => {
    tf.tensor(["text"]);
    return x;
  },
  /Cannot trace "f": it uses a tensor of type string/,
);
refuses(
  "shapes that do not fit",
  (x) => tf.matMul(x, x),
  /Cannot trace "f": Cannot multiply \[2,3\] by \[2,3\] as their inner extents/,
);
refuses("a result that is no tensor", () => 3, /"y".* current value is 3/);

Deno.test("a failed tracing leaves no tensors", async () => {
  const tensors = tf.memory().numTensors;
  await assert.rejects(run((x) => tf.exp(x).dataSync()));
  assert.equal(tf.memory().numTensors, tensors);
});

Deno.test("tracing refuses an async function", async () => {
  await useEngine("onnx");
  const program = jit(
    (async ({ x }: { x: tf.Tensor }) => ({
      y: tf.scalar((await x.data())[0]),
    })) as unknown as (
      i: { x: tf.Tensor },
    ) => { y: tf.Tensor },
    { name: "f" },
  );
  await assert.rejects(
    program({ x: host(new Float32Array(1), [1]) }),
    /Cannot trace "f": .*asks for the values of a tensor \(data\)/,
  );
});

for (const engine of ["onnx", "cpu"] as const) {
  Deno.test(`a result that is no record is refused (${engine})`, async () => {
    await useEngine(engine);
    const x = host(new Float32Array(1), [1]);
    for (
      const [result, current] of [
        [Promise.resolve(), "a Promise"],
        [undefined, "undefined"],
      ]
    ) {
      const fn = (_: { x: tf.Tensor }): { y: tf.Tensor } => result as never;
      await assert.rejects(
        jit(fn, { name: "f" })({ x }),
        new RegExp(
          `Cannot use the result of "f" as it must be a record of tensors: ` +
            `current value is ${current}`,
        ),
      );
    }
  });
}

Deno.test("constants may be read while tracing", async () => {
  const half = (x: tf.Tensor) => tf.mul(x, tf.scalar(0.5).dataSync()[0]);
  assert.deepEqual([...await run(half)], [0.5, 1, 1.5, 2, 2.5, 3]);
  const ones = (x: tf.Tensor) => tf.mul(x, tf.ones([2, 3]).dataSync().length);
  assert.deepEqual([...await run(ones)], [6, 12, 18, 24, 30, 36]);
});

Deno.test("tensors may be disposed while tracing", async () => {
  const fn = (x: tf.Tensor) => {
    const y = tf.neg(x);
    const z = tf.square(y);
    y.dispose();
    return z;
  };
  assert.deepEqual([...await run(fn)], [1, 4, 9, 16, 25, 36]);
});

Deno.test("a failed run names the program and the cause", async () => {
  await useEngine("onnx");
  const program = jit(
    ({ x, at }: { x: tf.Tensor; at: tf.Tensor }) => ({ y: tf.gather(x, at) }),
    { name: "lookup", resident: ["y"] },
  );
  const double = jit(
    ({ y }: { y: tf.Tensor }) => ({ z: tf.add(y, y) }),
    { name: "double" },
  );
  const x = host(new Float32Array(3), [3]);
  await assert.rejects(
    program({ x, at: host(Int32Array.of(7), [1]) }),
    /Cannot run "lookup": .*Gather.*7/s,
  );
  const { y } = await program({ x, at: host(Int32Array.of(1), [1]) });
  assert.deepEqual([...(await double({ y })).z.data], [0]);
  y.dispose();
});

Deno.test("tracing refuses a tensor that another function left behind", async () => {
  let left: tf.Tensor | undefined;
  await run((x) => left = tf.keep(tf.neg(x)));
  await assert.rejects(
    run((x) => tf.add(x, left!)),
    /Cannot trace "f": .*(cannot be read now|asks for the values)/,
  );
  left!.dispose();
});
