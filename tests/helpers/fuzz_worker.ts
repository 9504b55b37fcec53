/** The worker of fuzz_checkpoints.ts. */
import { fuzzCheckpoints } from "./checkpoint_fuzzer.ts";

self.onmessage = async ({ data: { count, seed, progress } }) => {
  const onFile = (index: number) => progress[0] = index;
  self.postMessage(await fuzzCheckpoints(count, seed, onFile));
};
