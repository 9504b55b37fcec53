/**
 * Time and memory of opening a checkpoint and of reading all its tensors:
 *
 *     python3 tests/reference/make_pth.py sam-vit-b vit-b.pth
 *     deno run -A tests/measure_checkpoint.ts vit-b.pth
 */
import { openCheckpoint } from "../src/checkpoints/open_checkpoint.ts";
import { runCommand } from "../src/commands/command_line.ts";
import type { HostTensor } from "../src/engine/tensors.ts";

await runCommand(async () => {
  const start = performance.now();
  using checkpoint = await openCheckpoint(Deno.args[0]);
  const opened = performance.now() - start;
  const tensors: HostTensor[] = []; // kept, as a model keeps them
  for (const name of checkpoint.names) {
    tensors.push(await checkpoint.read(name));
  }
  const read = performance.now() - start;
  const bytes = tensors.reduce((sum, { data }) => sum + data.byteLength, 0);
  console.log(
    `${tensors.length} tensors, ${(bytes / 1e6).toFixed(0)} MB: opened in ${
      opened.toFixed(0)
    } ms, all read after ${read.toFixed(0)} ms; peak memory ${peakMemory()}`,
  );
});

/** The process's peak resident memory, where the system tells. */
function peakMemory(): string {
  try {
    const status = Deno.readTextFileSync("/proc/self/status");
    const kilobytes = Number(status.match(/VmHWM:\s+(\d+)/)![1]);
    return `${(kilobytes / 1000).toFixed(0)} MB`;
  } catch {
    return "unknown";
  }
}
