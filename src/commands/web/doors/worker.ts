/**
 * The Worker's first code in a browser: it waits for the page's port and for
 * ONNX Runtime's WebAssembly, then is `src/engine/session_worker.ts`.
 *
 * @module
 */
import { env } from "onnxruntime-web/wasm";
import { type StartMessage, workerData } from "./worker_threads.ts";

/** The parts of Deno that `session_worker.ts` uses. */
const deno = { env: { get: () => undefined, set: () => {} } };

onmessage = async ({ data: { port, wasm } }: MessageEvent<StartMessage>) => {
  Object.assign(globalThis, { Deno: deno });
  env.wasm.wasmBinary = wasm;
  env.wasm.numThreads = 1; // more would need headers that no folder can send
  workerData.port = port;
  await import("../../../engine/session_worker.ts");
};
