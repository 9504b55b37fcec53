/** The worker of fuzz_checkpoints.ts and fuzz_readers.ts: seed after seed. */
import { fuzzCheckpoints } from "./checkpoint_fuzzer.ts";
import { fuzzReaders } from "./reader_fuzzer.ts";

self.onmessage = async ({ data: { what, count, first, seeds, progress } }) => {
  const onFile = (index: number) => progress[1] = index;
  const fuzz = what === "readers" ? fuzzReaders : fuzzCheckpoints;
  for (let seed = first; seed < first + seeds; seed++) {
    progress[0] = seed;
    try {
      self.postMessage({ seed, counts: await fuzz(count, seed, onFile) });
    } catch (error) {
      self.postMessage({ seed, error: String(error) });
    }
  }
};
