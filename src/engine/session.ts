/**
 * ONNX Runtime in a Worker, seen from the main thread, which it never blocks.
 *
 * The Worker serves requests in the order in which they were posted, so that
 * many calls may be under way at once, and a tensor may be disposed as soon as
 * the call that uses it has been posted.
 *
 * @module
 */
import { Worker } from "node:worker_threads";
import {
  type Feed,
  type Reply,
  type Request,
  type SessionOptions,
  START_CALL,
} from "./session_messages.ts";
import {
  copyOf,
  dtypeOf,
  EngineTensor,
  type HostData,
  type HostTensor,
  type Storage,
} from "./tensors.ts";
import type { Program } from "./trace.ts";

/** Buffers from this size on are transferred instead of cloned. */
const TRANSFER_BYTES = 4096;

interface Waiting {
  resolve(outputs: HostData[]): void;
  reject(error: Error): void;
  /** What the call does, for its error. */
  action: string;
}

/** A tensor in the Worker. */
export interface WorkerStorage extends Storage {
  readonly handle: number;
}

/**
 * The next handle or session. All Workers share the count, so that a new one
 * knows none of those of a Worker that ended.
 */
let nextId = 1;

/** The Worker and what lives in it. */
export class OnnxRuntime {
  readonly #worker: Worker;
  readonly #port: MessagePort;
  readonly #waiting = new Map<number, Waiting>();
  #failure: Error | undefined;
  #nextCall = START_CALL;

  private constructor() {
    // Typed arrays go through a MessagePort of their own: the Worker's own
    // port of node:worker_threads takes 60 ns per byte.
    const { port1, port2 } = new MessageChannel();
    this.#port = port1;
    this.#port.onmessage = ({ data }) => this.#settle(data);
    this.#worker = new Worker(workerUrl(), {
      workerData: { port: port2 },
      // deno-lint-ignore no-explicit-any
      transferList: [port2 as any],
    });
    this.#worker.on("error", (error: Error) => this.#fail(error));
    this.#worker.on("exit", () => this.#fail(new Error("its Worker ended")));
    this.#rest();
  }

  /** Starts the Worker; fails where it cannot load onnxruntime-node. */
  static async start(): Promise<OnnxRuntime> {
    const runtime = new OnnxRuntime();
    await runtime.#wait("start ONNX Runtime", () => {});
    return runtime;
  }

  /** Whether the Worker has ended, so that all calls fail. */
  get ended(): boolean {
    return this.#failure !== undefined;
  }

  /** Compiles a program; an error in it fails each of its runs. */
  load(program: Program, options: SessionOptions): Session {
    const session = nextId++;
    const bytes = copyOf(program.bytes) as Uint8Array;
    const inputs = program.inputs.map(({ name, shape, dtype }) => ({
      name,
      shape,
      dtype,
    }));
    const outputs = [...program.outputs];
    this.#post(
      { kind: "load", session, options, bytes, inputs, outputs },
      [bytes],
    );
    return {
      options,
      run: (feeds, resident) => this.#run(session, program, feeds, resident),
      release: () => this.#post({ kind: "release", session }),
    };
  }

  /** Puts a tensor into the Worker. */
  upload({ data, shape }: HostTensor): EngineTensor<WorkerStorage> {
    const handle = nextId++;
    const tensor = { data: copyOf(data), shape: [...shape] };
    this.#post({ kind: "upload", handle, tensor }, [tensor.data]);
    const storage = this.#storage(handle);
    return new EngineTensor("onnx", tensor.shape, dtypeOf(data), storage);
  }

  async #run(
    session: number,
    program: Program,
    feeds: readonly (HostTensor | EngineTensor<WorkerStorage>)[],
    resident: readonly boolean[],
  ): Promise<(HostTensor | EngineTensor)[]> {
    const handles = resident.map((stays) => stays ? nextId++ : undefined);
    const sent: HostData[] = [];
    const posted = feeds.map((feed): Feed => {
      if (feed instanceof EngineTensor) return feed.storageIn("onnx").handle;
      const data = feed.owned ? feed.data : copyOf(feed.data);
      sent.push(data);
      return data;
    });
    const outputs = await this.#wait(`run "${program.name}"`, (call) => {
      const request = { kind: "run", call, session, feeds: posted, handles };
      this.#post(request as Request, sent);
    });
    return program.outputs.map(({ shape, dtype }, i) => {
      const handle = handles[i];
      if (handle === undefined) return { data: outputs[i], shape };
      return new EngineTensor("onnx", shape, dtype, this.#storage(handle));
    });
  }

  #storage(handle: number): WorkerStorage {
    return {
      handle,
      read: async () => {
        const [data] = await this.#wait("read a device tensor", (call) => {
          this.#post({ kind: "read", call, handle });
        });
        return data;
      },
      dispose: () => this.#post({ kind: "dispose", handle }),
    };
  }

  /** Posts a request that wants a reply, and keeps the process alive for it. */
  #wait(action: string, post: (call: number) => void): Promise<HostData[]> {
    if (this.#failure) return Promise.reject(failed(action, this.#failure));
    const call = this.#nextCall++;
    if (this.#waiting.size === 0) {
      this.#worker.ref();
      (this.#port as unknown as { ref(): void }).ref();
    }
    return new Promise((resolve, reject) => {
      this.#waiting.set(call, { resolve, reject, action });
      post(call);
    });
  }

  #post(request: Request, data: HostData[] = []): void {
    const buffers = data
      .filter((array) => array.byteLength >= TRANSFER_BYTES)
      .map((array) => array.buffer as ArrayBuffer);
    this.#port.postMessage(request, buffers);
  }

  #settle(reply: Reply): void {
    const waiting = this.#waiting.get(reply.call);
    this.#waiting.delete(reply.call);
    if (this.#waiting.size === 0) this.#rest();
    if ("error" in reply) {
      waiting?.reject(failed(waiting.action, new Error(reply.error)));
    } else {
      waiting?.resolve(reply.outputs);
    }
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    for (const { reject, action } of this.#waiting.values()) {
      reject(failed(action, error));
    }
    this.#waiting.clear();
    this.#rest();
  }

  /** Lets the process end while nothing is under way. */
  #rest(): void {
    this.#worker.unref();
    (this.#port as unknown as { unref(): void }).unref();
  }
}

/** A compiled program in the Worker. */
export interface Session {
  readonly options: SessionOptions;
  /** Runs it; results under `resident` stay in the Worker. */
  run(
    feeds: readonly (HostTensor | EngineTensor<WorkerStorage>)[],
    resident: readonly boolean[],
  ): Promise<(HostTensor | EngineTensor)[]>;
  /** Gives its memory back. */
  release(): void;
}

function failed(action: string, cause: Error): Error {
  return new Error(`Cannot ${action}: ${cause.message}`, { cause });
}

/** node:worker_threads takes files and data only, so a remote module is imported by one. */
function workerUrl(): URL {
  const url = new URL("./session_worker.ts", import.meta.url);
  if (url.protocol === "file:") return url;
  const code = `import ${JSON.stringify(url.href)};`;
  return new URL(`data:text/javascript,${encodeURIComponent(code)}`);
}
