/**
 * Kernels of linear algebra: products of matrices, convolution, resizing.
 *
 * @module
 */
import * as tf from "./tf.ts";
import type { Graph, Value } from "./graph.ts";
import { activate } from "./kernels_elementwise.ts";
import { binary, cast, matMul, slice, transpose } from "./operators.ts";
import { type Refuse, registerKernels } from "./trace_backend.ts";

/** tfjs has channels last, ONNX channels second; filters [h, w, in, out] and [out, in, h, w]. */
const TO_NCHW = [0, 3, 1, 2];
const TO_NHWC = [0, 2, 3, 1];
const TO_OIHW = [3, 2, 0, 1];

registerKernels({
  BatchMatMul: (g, { a, b }, { transposeA, transposeB }) =>
    matMul(g, a, b, transposeA, transposeB),
  _FusedMatMul: (g, { a, b, ...rest }, attrs, refuse) => {
    const product = matMul(g, a, b, attrs.transposeA, attrs.transposeB);
    return finish(g, product, rest, attrs, refuse);
  },
  Einsum: (g, inputs, { equation }) => {
    const parts = Object.values(inputs);
    const { allDims, idDims, summedDims } = tf.backend_util
      .decodeEinsumEquation(equation, parts.length);
    const extents = new Array<number>(allDims.length);
    parts.forEach((part, i) =>
      idDims[i].forEach((dim, axis) => extents[dim] = part.shape[axis])
    );
    // decodeEinsumEquation lists the result's dimensions first
    const shape = extents.slice(0, extents.length - summedDims.length);
    return g.node("Einsum", parts, { shape, dtype: parts[0].dtype }, {
      attributes: { equation: equation.replaceAll(" ", "") },
    });
  },

  // The engine's own kernels: see fused.ts.
  Affine: (g, { x, matrix, bias }) => {
    const type = {
      shape: [x.shape[0], matrix.shape[0]],
      dtype: "float32",
    } as const;
    const attributes = { transB: 1 };
    return g.node("Gemm", [x, matrix, bias], type, { attributes });
  },
  Convolve: (g, { x, kernel, bias }, { stride, padding, group }) => {
    const [batch, , height, width] = x.shape;
    const [channels, , ...sides] = kernel.shape;
    const [rows, columns] = [height, width].map((size, i) =>
      Math.floor((size + 2 * padding - sides[i]) / stride) + 1
    );
    const type = {
      shape: [batch, channels, rows, columns],
      dtype: "float32",
    } as const;
    return g.node("Conv", [x, kernel, bias], type, {
      attributes: {
        strides: [stride, stride],
        pads: [padding, padding, padding, padding],
        group,
      },
    });
  },
  Conv2D: conv2d,
  FusedConv2D: (g, { x, filter, ...rest }, attrs, refuse) =>
    finish(g, conv2d(g, { x, filter }, attrs, refuse), rest, attrs, refuse),
  DepthwiseConv2dNative: (g, { x, filter }, attrs, refuse) => {
    const [height, width, channels, multiplier] = filter.shape;
    const info = convInfo(x.shape, filter.shape, attrs, refuse, true);
    const kernel = g.node(
      "Reshape",
      [
        transpose(g, filter, [2, 3, 0, 1]),
        g.int64([channels * multiplier, 1, height, width]),
      ],
      { shape: [channels * multiplier, 1, height, width], dtype: "float32" },
    );
    return convolve(g, x, kernel, info, channels);
  },
  Conv2DBackpropInput: (g, { dy, filter }, attrs, refuse) => {
    const info = convInfo(attrs.inputShape, filter.shape, attrs, refuse);
    const { top, bottom, left, right } = info.padInfo;
    const type = {
      shape: [info.batchSize, info.inChannels, info.inHeight, info.inWidth],
      dtype: "float32",
    } as const;
    // Rows and columns that no window reached.
    const rest = (size: number, out: number, filter: number, stride: number) =>
      size - (out - 1) * stride - filter;
    const padding = [
      rest(
        info.inHeight,
        info.outHeight,
        info.filterHeight,
        info.strideHeight,
      ) +
      top + bottom,
      rest(info.inWidth, info.outWidth, info.filterWidth, info.strideWidth) +
      left + right,
    ];
    const inputs = [transpose(g, dy, TO_NCHW), transpose(g, filter, TO_OIHW)];
    const result = g.node("ConvTranspose", inputs, type, {
      attributes: {
        strides: [info.strideHeight, info.strideWidth],
        pads: [top, left, bottom, right],
        output_padding: padding,
      },
    });
    return transpose(g, result, TO_NHWC);
  },
  /** A convolution of x with dy, batch and channels exchanged. */
  Conv2DBackpropFilter: (g, { x, dy }, attrs, refuse) => {
    const info = convInfo(x.shape, attrs.filterShape, attrs, refuse);
    const { top, bottom, left, right } = info.padInfo;
    const extent = (size: number, out: number, stride: number) =>
      size - (out - 1) * stride;
    const height = top + bottom +
      extent(info.inHeight, info.outHeight, info.strideHeight);
    const width = left + right +
      extent(info.inWidth, info.outWidth, info.strideWidth);
    const { inChannels, outChannels, filterHeight, filterWidth } = info;
    const inputs = [
      transpose(g, x, [3, 0, 1, 2]),
      transpose(g, dy, [3, 0, 1, 2]),
    ];
    const type = {
      shape: [inChannels, outChannels, height, width],
      dtype: "float32",
    } as const;
    const whole = g.node("Conv", inputs, type, {
      attributes: {
        dilations: [info.strideHeight, info.strideWidth],
        pads: [top, left, bottom, right],
      },
    });
    const size = [inChannels, outChannels, filterHeight, filterWidth];
    return transpose(g, slice(g, whole, [0, 0, 0, 0], size), [2, 3, 0, 1]);
  },

  ResizeBilinear: (g, { images }, { size, alignCorners, halfPixelCenters }) => {
    const [batch, , , channels] = images.shape;
    const shape = [batch, channels, ...size];
    const mode = alignCorners
      ? "align_corners"
      : halfPixelCenters
      ? "half_pixel"
      : "asymmetric";
    const x = transpose(g, cast(g, images, "float32"), TO_NCHW);
    const absent = g.denseConstant(new Float32Array(0), {
      shape: [0],
      dtype: "float32",
    });
    const inputs = [x, absent, absent, g.int64(shape)];
    const resized = g.node("Resize", inputs, { shape, dtype: "float32" }, {
      attributes: { mode: "linear", coordinate_transformation_mode: mode },
    });
    return transpose(g, resized, TO_NHWC);
  },
  ResizeBilinearGrad: (g, { images, dy }, attrs, refuse) => {
    if (attrs.halfPixelCenters) { // tfjs's own gradient ignores it
      refuse("halfPixelCenters has no correct gradient in tfjs");
    }
    const { alignCorners } = attrs;
    const [, height, width] = images.shape;
    const [, outHeight, outWidth] = dy.shape;
    const vertical = interpolation(g, height, outHeight, alignCorners);
    const horizontal = interpolation(g, width, outWidth, alignCorners);
    const rows = matMul(g, transpose(g, dy, TO_NCHW), horizontal);
    return transpose(g, matMul(g, vertical, rows, true), TO_NHWC);
  },
});

function conv2d(
  g: Graph,
  { x, filter }: Record<string, Value>,
  attrs: ConvAttributes,
  refuse: Refuse,
): Value {
  const info = convInfo(x.shape, filter.shape, attrs, refuse);
  return convolve(g, x, transpose(g, filter, TO_OIHW), info, 1);
}

type ConvParameters = Parameters<typeof tf.backend_util.computeConv2DInfo>;

interface ConvAttributes {
  strides: ConvParameters[2];
  pad: ConvParameters[4];
  dilations?: ConvParameters[3];
  dataFormat?: string;
  dimRoundingMode?: ConvParameters[5];
}

type Conv2DInfo = ReturnType<typeof tf.backend_util.computeConv2DInfo>;

function convInfo(
  inputShape: readonly number[],
  filterShape: readonly number[],
  attrs: ConvAttributes,
  refuse: Refuse,
  depthwise = false,
): Conv2DInfo {
  if (attrs.dataFormat && attrs.dataFormat !== "NHWC") {
    refuse(`dataFormat must be NHWC: current value is ${attrs.dataFormat}`);
  }
  return tf.backend_util.computeConv2DInfo(
    inputShape as ConvParameters[0],
    filterShape as ConvParameters[1],
    attrs.strides,
    attrs.dilations ?? 1,
    attrs.pad,
    attrs.dimRoundingMode,
    depthwise,
  );
}

function convolve(
  g: Graph,
  x: Value,
  filter: Value,
  info: Conv2DInfo,
  group: number,
): Value {
  const { top, bottom, left, right } = info.padInfo;
  const type = {
    shape: [info.batchSize, info.outChannels, info.outHeight, info.outWidth],
    dtype: "float32",
  } as const;
  const result = g.node("Conv", [transpose(g, x, TO_NCHW), filter], type, {
    attributes: {
      strides: [info.strideHeight, info.strideWidth],
      dilations: [info.dilationHeight, info.dilationWidth],
      pads: [top, left, bottom, right],
      group,
    },
  });
  return transpose(g, result, TO_NHWC);
}

/** Bias and activation of a fused kernel. */
function finish(
  g: Graph,
  x: Value,
  { bias, preluActivationWeights }: Record<string, Value>,
  attrs: { activation?: string; leakyreluAlpha?: number },
  refuse: Refuse,
): Value {
  if (preluActivationWeights) refuse("activation prelu is not supported");
  const sum = bias ? binary(g, "Add", x, bias) : x;
  return activate(g, sum, attrs.activation, attrs.leakyreluAlpha, refuse);
}

/** Bilinear resizing of one axis as a matrix [to, from], rows summing to 1. */
function interpolation(
  g: Graph,
  from: number,
  to: number,
  alignCorners: boolean,
): Value {
  const matrix = new Float32Array(to * from);
  const scale = alignCorners && to > 1 ? (from - 1) / (to - 1) : from / to;
  for (let row = 0; row < to; row++) {
    const position = row * scale;
    const low = Math.min(from - 1, Math.floor(position));
    const high = Math.min(from - 1, Math.ceil(position));
    matrix[row * from + low] += 1 - (position - low);
    matrix[row * from + high] += position - low;
  }
  return g.constant(matrix, { shape: [to, from], dtype: "float32" });
}
