/**
 * The Worker in which ONNX Runtime runs: `session.run` blocks its thread.
 *
 * @module
 */
import { workerData } from "node:worker_threads";
import type { InferenceSession, Tensor } from "onnxruntime-node";
import { type Reply, type Request, START_CALL } from "./session_messages.ts";
import { SpareBuffers } from "./spare_buffers.ts";
import { type DType, free, type HostData, sizeOf, zeros } from "./tensors.ts";
import type { Port } from "./trace.ts";

interface Loaded {
  session: InferenceSession;
  inputs: Port[];
  outputs: Port[];
}

/** Its log would repeat on stderr the errors that the calls report. */
const FATAL = 4;

/** ONNX Runtime reports its use to Microsoft, unless this variable is set. */
const TELEMETRY = "ORT_DISABLE_TELEMETRY";

const port = workerData.port as MessagePort;
const sessions = new Map<number, Promise<Loaded>>();
const tensors = new Map<number, Tensor>();
/** Buffers of results; uploads are too rare to keep theirs. */
const results = new WeakSet<Tensor>();
const spare = new SpareBuffers();
let ort: typeof import("onnxruntime-node");

async function load(request: Request & { kind: "load" }): Promise<Loaded> {
  const { bytes, options: { threads, provider }, inputs, outputs } = request;
  const session = await ort.InferenceSession.create(bytes, {
    executionProviders: [provider],
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    graphOptimizationLevel: "all",
    logSeverityLevel: FATAL,
    // Memory plans take half as much memory again and are no faster than the
    // arena alone.
    enableMemPattern: false,
    extra: {
      // Threads that spin while they wait slow down whatever else runs.
      session: { intra_op: { allow_spinning: "0" } },
      optimization: {
        // Both cost more than they save on traced programs.
        disable_specified_optimizers: "SkipLayerNormFusion;MatMulAddFusion",
      },
    },
  });
  return { session, inputs, outputs };
}

async function run(request: Request & { kind: "run" }): Promise<HostData[]> {
  const { session, inputs, outputs } = await sessions.get(request.session)!;
  const feeds: Record<string, Tensor> = {};
  inputs.forEach(({ name, shape, dtype }, i) => {
    const feed = request.feeds[i];
    feeds[name] = typeof feed === "number"
      ? resident(feed)
      : new ort.Tensor(dtype, feed, shape);
  });
  const made = outputs.map(({ shape, dtype }, i) => {
    const stays = request.handles[i] !== undefined;
    return new ort.Tensor(dtype, buffer(dtype, sizeOf(shape), stays), shape);
  });
  const fetches = Object.fromEntries(
    outputs.map(({ name }, i) => [name, made[i]]),
  );
  await session.run(feeds, fetches, { logSeverityLevel: FATAL });
  for (const feed of request.feeds) if (typeof feed !== "number") free(feed);
  return made.map((tensor, i) => {
    const handle = request.handles[i];
    if (handle === undefined) return tensor.data as HostData;
    tensors.set(handle, tensor);
    results.add(tensor);
    return new Uint8Array(0);
  });
}

/** A buffer for a result; results that stay may use one of a disposed tensor. */
function buffer(dtype: DType, size: number, stays: boolean): HostData {
  const reused = stays ? spare.take(dtype, size) : undefined;
  return reused ?? zeros(dtype, size);
}

function dispose(handle: number): void {
  const tensor = tensors.get(handle);
  if (!tensor) return;
  tensors.delete(handle);
  if (results.has(tensor)) spare.keep(tensor.data as HostData);
}

function resident(handle: number): Tensor {
  const tensor = tensors.get(handle);
  if (tensor) return tensor;
  throw new Error(
    "a device tensor is missing as the call that makes it failed",
  );
}

async function serve(request: Request): Promise<HostData[] | undefined> {
  switch (request.kind) {
    case "load": {
      const loaded = load(request);
      loaded.catch(() => {}); // each run reports it
      sessions.set(request.session, loaded);
      return;
    }
    case "run":
      return await run(request);
    case "upload": {
      const { data, shape } = request.tensor;
      const type = data instanceof Float32Array
        ? "float32"
        : data instanceof Int32Array
        ? "int32"
        : "bool";
      tensors.set(request.handle, new ort.Tensor(type, data, shape));
      return;
    }
    case "read":
      return [(resident(request.handle).data as HostData).slice()];
    case "dispose":
      return dispose(request.handle) as undefined;
    case "release": {
      const loaded = sessions.get(request.session);
      sessions.delete(request.session);
      spare.clear(); // some may be of sizes that nothing else makes
      await (await loaded)?.session.release();
    }
  }
}

function reply(message: Reply): void {
  const buffers = "outputs" in message
    ? message.outputs.map(({ buffer }) => buffer as ArrayBuffer)
    : [];
  port.postMessage(message, buffers);
}

async function answer(request: Request): Promise<void> {
  const call = "call" in request ? request.call : undefined;
  try {
    const outputs = await serve(request);
    if (call !== undefined) reply({ call, outputs: outputs ?? [] });
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    if (call !== undefined) reply({ call, error: message });
  }
}

let queue = (async () => {
  try {
    Deno.env.set(TELEMETRY, Deno.env.get(TELEMETRY) || "1"); // "0" makes it report
    ort = await import("onnxruntime-node");
    ort.env.logLevel = "fatal";
    reply({ call: START_CALL, outputs: [] });
  } catch (error) {
    reply({
      call: START_CALL,
      error: `onnxruntime-node does not load: ${error}`,
    });
  }
})();
port.onmessage = ({ data }: MessageEvent<Request>) => {
  queue = queue.then(() => answer(data));
};
