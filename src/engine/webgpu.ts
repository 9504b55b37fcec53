/**
 * tfjs-backend-webgpu on Deno's own WebGPU: its adapter, its errors, and one
 * kernel of it mended.
 *
 * @module
 */
import * as tf from "./tf.ts";
import { once } from "../once.ts";
import { EnvironmentError } from "../input_error.ts";

/** A computed specifier stays outside the module graph. */
const WEBGPU = "npm:@tensorflow/tfjs-backend-webgpu@4.22.0";

/** Adapters that are programs on the CPU. */
const SOFTWARE_ADAPTER =
  /llvmpipe|lavapipe|swiftshader|softpipe|software|basic render/i;

/** The shaders of tfjs-backend-webgpu 4.22.0 compare coordinates up to here. */
const MAX_PAD_RANK = 4;

/** Errors of a GPU that are watched for. */
const ERRORS = ["validation", "out-of-memory", "internal"] as const;

const loadBackend = once(() => import(WEBGPU).then(mendPad));

/**
 * Checks that there is a GPU.
 *
 * @param user What needs it, for the error: `the engine "webgpu"`.
 * @param allowSoftware Whether a program on the CPU will do.
 * @throws {Error} Where there is none.
 */
export async function requireAdapter(
  user: string,
  allowSoftware: boolean,
): Promise<void> {
  const adapter = await navigator.gpu?.requestAdapter();
  if (adapter && (allowSoftware || !isSoftware(adapter.info))) return;
  throw new EnvironmentError(
    `Cannot use ${user} as this machine has ` +
      (adapter
        ? `only a software adapter, ${nameOf(adapter.info)} ` +
          `(in code, useEngine() takes it with allowSoftware: true)`
        : `no adapter`) +
      `: it needs a GPU with a Vulkan, Metal or Direct3D 12 driver`,
  );
}

/** A readable name of an adapter; its `device` may be a mere number. */
function nameOf({ description, device }: GPUAdapterInfo): string {
  return `"${description || device || "unnamed"}"`;
}

function isSoftware(info: GPUAdapterInfo): boolean {
  const { vendor, architecture, device, description } = info;
  return info.isFallbackAdapter ||
    SOFTWARE_ADAPTER.test(
      [vendor, architecture, device, description].join(" "),
    );
}

/** Loads the backend. */
export async function loadWebGPU(allowSoftware: boolean): Promise<void> {
  await requireAdapter('the engine "webgpu"', allowSoftware);
  await loadBackend();
}

/**
 * Runs a synchronous function of kernels.
 *
 * @throws {Error} Where the GPU refuses one of them: tfjs does not check, and
 * its results would be zeros.
 */
export async function withDeviceErrors(run: () => void): Promise<void> {
  const { device } = tf.engine().findBackend("webgpu") as unknown as {
    device: GPUDevice;
  };
  for (const kind of ERRORS) device.pushErrorScope(kind);
  let found: Promise<GPUError | null>[];
  try {
    run();
  } finally {
    found = ERRORS.map(() => device.popErrorScope());
  }
  const error = (await Promise.all(found)).find((error) => error !== null);
  if (!error) return;
  throw new Error(
    `Cannot run on the engine "webgpu": ${error.message.trim()}`,
    { cause: error },
  );
}

/**
 * Pads tensors of more than four axes axis by axis, each as the middle one of
 * three: the backend's shader for them does not compile. Gradients of slices
 * are such pads.
 */
function mendPad(): void {
  const pad = tf.getKernel("PadV2", "webgpu").kernelFunc;
  tf.unregisterKernel("PadV2", "webgpu");
  tf.registerKernel({
    kernelName: "PadV2",
    backendName: "webgpu",
    kernelFunc: (call) => {
      const backend = call.backend as tf.KernelBackend;
      const x = call.inputs!.x as tf.TensorInfo;
      const paddings = call.attrs!.paddings as unknown as [number, number][];
      const { constantValue } = call.attrs!;
      if (x.shape.length <= MAX_PAD_RANK) return pad(call);
      const shape = [...x.shape];
      let result = x;
      paddings.forEach(([before, after], axis) => {
        if (before === 0 && after === 0) return;
        const size = tf.util.sizeFromShape;
        const [outer, inner] = [shape.slice(0, axis), shape.slice(axis + 1)];
        const flat = [size(outer), shape[axis], size(inner)];
        const padded = pad({
          backend,
          inputs: { x: { ...result, shape: flat } },
          attrs: {
            paddings: [[0, 0], [before, after], [0, 0]],
            constantValue,
          },
        }) as tf.TensorInfo;
        if (result !== x) backend.disposeData(result.dataId);
        shape[axis] += before + after;
        result = padded;
      });
      return result === x ? pad(call) : { ...result, shape };
    },
  });
}
