/** The worker of fuzz_checkpoints.ts and fuzz_readers.ts. */
import { fuzzCheckpoints } from "./checkpoint_fuzzer.ts";
import { fuzzReaders } from "./reader_fuzzer.ts";

self.onmessage = async ({ data: { what, count, seed, progress } }) => {
  const onFile = (index: number) => progress[0] = index;
  const fuzz = what === "readers" ? fuzzReaders : fuzzCheckpoints;
  self.postMessage(await fuzz(count, seed, onFile));
};
