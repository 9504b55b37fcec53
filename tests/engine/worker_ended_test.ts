import assert from "node:assert/strict";
import { Worker } from "node:worker_threads";
import { upload, useEngine } from "../../src/engine/engine.ts";
import { jit } from "../../src/engine/jit.ts";
import * as tf from "../../src/engine/tf.ts";

Deno.test("a Worker that ended is replaced: programs go on, its tensors are gone", async () => {
  const workers = new Set<Worker>();
  const { unref } = Worker.prototype;
  Worker.prototype.unref = function () {
    workers.add(this);
    return unref.call(this);
  };
  try {
    await useEngine("onnx", { threads: 1 });
    const double = jit(
      ({ x }: { x: tf.Tensor }) => ({ y: tf.mul(x, 2) }),
      { name: "double" },
    );
    const x = { data: Float32Array.of(3), shape: [1] };
    const kept = (await upload({ x })).x;
    assert.deepEqual([...(await double({ x: kept })).y.data], [6]);

    const [worker] = workers;
    await worker.terminate();
    const failed = () => assert.rejects(kept.read(), /Worker ended/);
    await failed(); // at once, and again
    assert.deepEqual([...(await double({ x })).y.data], [6]);
    await failed();
    await assert.rejects(double({ x: kept }), /device tensor is missing/);
    assert.equal(workers.size, 2);
  } finally {
    Worker.prototype.unref = unref;
  }
});
