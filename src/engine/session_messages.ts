/**
 * The messages between the main thread and the Worker of ONNX Runtime.
 *
 * @module
 */
import type { HostData, HostTensor } from "./tensors.ts";
import type { Port } from "./trace.ts";

/** An input of a run: values, or the handle of a tensor in the Worker. */
export type Feed = HostData | number;

/** What ONNX Runtime computes on. */
export type Provider = "cpu" | "webgpu" | "cuda";

/** How a program is run. */
export interface SessionOptions {
  readonly threads: number;
  readonly provider: Provider;
}

/** Requests to the Worker; those with `call` get a reply. */
export type Request =
  | {
    kind: "load";
    session: number;
    options: SessionOptions;
    bytes: Uint8Array;
    inputs: Port[];
    outputs: Port[];
  }
  | {
    kind: "run";
    call: number;
    session: number;
    feeds: Feed[];
    /** Per output: the handle under which it stays, or none to send it. */
    handles: (number | undefined)[];
  }
  | { kind: "upload"; handle: number; tensor: HostTensor }
  | { kind: "read"; call: number; handle: number }
  | { kind: "dispose"; handle: number }
  | { kind: "release"; session: number };

/** The Worker's replies. */
export type Reply =
  | { call: number; outputs: HostData[] }
  | { call: number; error: string };

/** The call that stands for the Worker's start. */
export const START_CALL = 0;
