/**
 * `node:worker_threads` in a browser, as far as `src/engine` uses it: a page
 * starts the Worker of ONNX Runtime from a text, which `file://` allows.
 *
 * @module
 */

/** The parts that the Worker needs to start. */
export interface EngineParts {
  /** Its code: the bundle of `worker.ts`. */
  readonly code: string;
  /** ONNX Runtime's WebAssembly. */
  readonly wasm: ArrayBuffer;
}

/** The message from the page to the Worker at its start. */
export interface StartMessage {
  readonly port: MessagePort;
  readonly wasm: ArrayBuffer;
}

/** Set in the Worker before `src/engine/session_worker.ts` is evaluated. */
export const workerData: { port?: MessagePort } = {};

/** Set in the page before an engine is chosen. */
export const engineParts: { current?: EngineParts } = {};

/** A Worker as `src/engine/session.ts` uses it, whichever file it names. */
export class Worker {
  readonly #worker: globalThis.Worker;

  constructor(_file: URL, { workerData: { port } }: {
    workerData: { port: MessagePort };
  }) {
    if (!engineParts.current) {
      throw new TypeError(
        "Cannot start ONNX Runtime as its files must be loaded first",
      );
    }
    const { code, wasm } = engineParts.current;
    const text = new Blob([code], { type: "text/javascript" });
    const url = URL.createObjectURL(text);
    this.#worker = new globalThis.Worker(url);
    const message: StartMessage = { port, wasm };
    this.#worker.postMessage(message, [port]);
    // a page lives on without them
    Object.assign(MessagePort.prototype, { ref() {}, unref() {} });
  }

  on(event: "error" | "exit", listener: (error: Error) => void): void {
    if (event === "exit") return; // a browser's Worker has no exit event
    this.#worker.onerror = ({ message }) => listener(new Error(message));
  }

  ref(): void {}
  unref(): void {}
}
