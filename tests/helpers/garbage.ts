import process from "node:process";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

/** Collects garbage; a WeakRef holds its target until the turn ends. */
export async function collectGarbage(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 10));
  collect();
}

/** Bytes of this thread's typed arrays, and of nothing else that changes. */
export async function bytesHeld(): Promise<number> {
  await collectGarbage();
  return process.memoryUsage().external;
}
