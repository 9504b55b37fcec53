/**
 * What ONNX Runtime computes on.
 *
 * @module
 */
import * as tf from "./tf.ts";
import type { OnnxRuntime } from "./session.ts";
import type { Provider } from "./session_messages.ts";
import { trace } from "./trace.ts";
import { requireAdapter } from "./webgpu.ts";
import { EnvironmentError } from "../input_error.ts";

/** All of its execution providers that an engine may name. */
export const PROVIDERS: readonly Provider[] = ["cpu", "webgpu", "cuda"];

/** The package whose install step fetches the provider "cuda". */
const PACKAGE = "npm:onnxruntime-node@1.30.0";

/**
 * Runs a small program on a provider.
 *
 * @throws {Error} Where it does not run: with ONNX Runtime's own reason.
 */
export async function checkProvider(
  runtime: OnnxRuntime,
  provider: Provider,
  allowSoftware: boolean,
): Promise<void> {
  const user = `the engine "onnx" with provider "${provider}"`;
  if (provider === "webgpu") await requireAdapter(user, allowSoftware);
  const program = trace(
    "negate",
    ({ x }: { x: tf.Tensor }) => ({ y: tf.neg(x) }),
    { x: { shape: [1], dtype: "float32" } },
  );
  const session = runtime.load(program, { threads: 1, provider });
  try {
    await session.run([{ data: new Float32Array(1), shape: [1] }], [false]);
  } catch (cause) {
    const install = provider === "cuda"
      ? `. To install it (Linux on x64), set "nodeModulesDir": "auto" in ` +
        `deno.json, then run: deno install --allow-scripts=${PACKAGE}`
      : "";
    const { message } = (cause as Error).cause as Error;
    throw new EnvironmentError(
      `Cannot use ${user} as ONNX Runtime does not run on it: ` +
        message.trim() + install,
      { cause },
    );
  } finally {
    session.release();
  }
}
