/** Run by engine_session_test.ts without --allow-ffi. */
import * as tf from "../../src/engine/tf.ts";
import { useEngine } from "../../src/engine/engine.ts";
import { jit } from "../../src/engine/jit.ts";

const { name, reason } = await useEngine("auto");
console.log(name, reason);
const negate = jit(({ x }: { x: tf.Tensor }) => ({ y: tf.neg(x) }), {
  name: "negate",
});
const { y } = await negate({ x: { data: Float32Array.of(1, 2), shape: [2] } });
console.log(...y.data);
