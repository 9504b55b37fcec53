/**
 * Operations that ONNX has and tfjs lacks: one node in a traced program, a
 * composite of tfjs operations on other backends, with explicit gradients.
 *
 * @module
 */
import * as tf from "./tf.ts";
import type { Tensor } from "./tensors.ts";

/**
 * Layer normalization over the last axis (Ba, Kiros, Hinton, arXiv 1607.06450).
 *
 * @param x `[..., C]`
 * @param gamma `[C]`
 * @param beta `[C]`
 * @param epsilon Added to the variance.
 */
export function layerNorm<T extends Tensor>(
  x: T,
  gamma: Tensor,
  beta: Tensor,
  epsilon: number,
): T {
  const normalize = tf.customGrad((...args) => {
    const [x, gamma, beta, save] = args as unknown as [
      Tensor,
      Tensor,
      Tensor,
      tf.GradSaveFunc,
    ];
    const [y, mean, inverse] =
      runFused("LayerNorm", { x, gamma, beta }, { epsilon }) ??
        normalized(x, gamma, beta, epsilon);
    save([x, gamma, mean, inverse]);
    return { value: y, gradFunc: layerNormGradient };
  });
  return normalize(x, gamma, beta) as T;
}

function normalized(
  x: Tensor,
  gamma: Tensor,
  beta: Tensor,
  epsilon: number,
): Tensor[] {
  const mean = tf.mean(x, -1, true); // [..., 1]
  const centered = tf.sub(x, mean);
  const variance = tf.mean(tf.square(centered), -1, true);
  const inverse = tf.rsqrt(tf.add(variance, epsilon)); // [..., 1]
  const y = tf.add(tf.mul(tf.mul(centered, inverse), gamma), beta);
  return [y, mean, inverse];
}

function layerNormGradient(dy: Tensor, saved: Tensor[]): Tensor[] {
  const [x, gamma, mean, inverse] = saved;
  const normal = tf.mul(tf.sub(x, mean), inverse);
  const scaled = tf.mul(dy, gamma);
  const along = tf.mean(tf.mul(scaled, normal), -1, true);
  const centered = tf.sub(scaled, tf.mean(scaled, -1, true));
  const dx = tf.mul(tf.sub(centered, tf.mul(normal, along)), inverse);
  const rows = [...x.shape.keys()].slice(0, -1);
  return [dx, tf.sum(tf.mul(dy, normal), rows), tf.sum(dy, rows)];
}

/**
 * Gaussian error linear unit, x Phi(x), exact (Hendrycks, Gimpel, arXiv
 * 1606.08415).
 */
export function gelu<T extends Tensor>(x: T): T {
  return activate(x) as T;
}

const activate = tf.customGrad((...args) => {
  const [x, save] = args as unknown as [Tensor, tf.GradSaveFunc];
  save([x]);
  const [value] = runFused("Gelu", { x }, {}) ?? [tf.mul(x, gaussianCdf(x))];
  return { value, gradFunc: geluGradient };
});

function geluGradient(dy: Tensor, [x]: Tensor[]): Tensor {
  const density = tf.mul(
    tf.exp(tf.mul(tf.square(x), -0.5)),
    1 / Math.sqrt(2 * Math.PI),
  );
  return tf.mul(dy, tf.add(gaussianCdf(x), tf.mul(x, density)));
}

/**
 * A product of matrices and a bias, in one pass.
 *
 * @param x `[R, in]`
 * @param matrix `[out, in]`
 * @param bias `[out]`
 * @returns `[R, out]`
 */
export function affine(x: Tensor, matrix: Tensor, bias: Tensor): Tensor {
  return multiplied(x, matrix, bias);
}

const multiplied = tf.customGrad((...args) => {
  const [x, matrix, bias, save] = args as unknown as [
    Tensor,
    Tensor,
    Tensor,
    tf.GradSaveFunc,
  ];
  save([x, matrix]);
  const [value] = runFused("Affine", { x, matrix, bias }, {}) ??
    [tf.add(tf.matMul(x, matrix, false, true), bias)];
  const gradFunc = (dy: Tensor, [x, matrix]: Tensor[]) => [
    tf.matMul(dy, matrix),
    tf.matMul(dy, x, true, false),
    tf.sum(dy, 0),
  ];
  return { value, gradFunc };
});

/** How {@linkcode convolve} goes over an image. */
export interface Convolution {
  /** Pixels from one place to the next. Default: 1. */
  readonly stride?: 1 | 2;
  /** Zeros around the image, in pixels. Default: 0. */
  readonly padding?: number;
  /** Whether each channel is convolved by itself. Default: false. */
  readonly depthwise?: boolean;
}

/**
 * A convolution with PyTorch's layouts and padding, channels first. It has no
 * gradient on the engine `onnx`: it is for weights that are not trained.
 *
 * @param x `[B, C, H, W]`
 * @param kernel `[out, C, k, k]`; `[C, 1, k, k]` where it is depthwise.
 * @param bias `[out]`
 * @returns `[B, out, H', W']`
 */
export function convolve(
  x: Tensor,
  kernel: Tensor,
  bias: Tensor,
  { stride = 1, padding = 0, depthwise = false }: Convolution = {},
): Tensor {
  const group = depthwise ? x.shape[1]! : 1;
  const fused = runFused(
    "Convolve",
    { x, kernel, bias },
    { stride, padding, group },
  );
  if (fused) return fused[0];
  const channelsLast = tf.transpose(x, [0, 2, 3, 1]) as tf.Tensor4D;
  const filter = tf.transpose(
    kernel,
    depthwise ? [2, 3, 0, 1] : [2, 3, 1, 0],
  ) as tf.Tensor4D;
  const around: [number, number] = [padding, padding];
  const image = tf.pad(channelsLast, [[0, 0], around, around, [0, 0]]);
  const y = depthwise
    ? tf.depthwiseConv2d(image, filter, stride, "valid")
    : tf.conv2d(image, filter, stride, "valid");
  return tf.transpose(tf.add(y, bias), [0, 3, 1, 2]);
}

function gaussianCdf(x: Tensor): Tensor {
  return tf.mul(tf.add(tf.erf(tf.mul(x, Math.SQRT1_2)), 1), 0.5);
}

/** Runs a kernel of the trace backend; nothing on backends that lack it. */
function runFused(
  kernel: string,
  inputs: Record<string, Tensor>,
  attributes: Record<string, number>,
): Tensor[] | undefined {
  if (!tf.getKernel(kernel, tf.getBackend())) return undefined;
  const result: unknown = tf.engine().runKernel(
    kernel,
    inputs as unknown as tf.NamedTensorMap,
    attributes as unknown as tf.NamedAttrMap,
  );
  return Array.isArray(result) ? result : [result as Tensor];
}
