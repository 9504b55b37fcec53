import * as tf from "../../src/engine/tf.ts";
import assert from "node:assert/strict";
import {
  convolutionBlock,
  convolve3x3,
  mlp,
  project,
  spaceToBlocks,
  transformerBlock,
} from "../../src/model/layers.ts";
import { fuseLatents, projectImage } from "../../src/model/mask_decoder.ts";
import { assertClose } from "../helpers/engine_helpers.ts";
import {
  asTensors,
  noisyWeights,
  normals,
  normalTensor,
  smallConfig,
} from "../helpers/small_model.ts";

tf.enableProdMode();
await tf.setBackend("cpu");

Deno.test("spaceToBlocks() lists each block's pixels row by row", () => {
  const x = tf.reshape(tf.range(0, 16), [1, 4, 4, 1]);
  const blocks = tf.tidy(() => spaceToBlocks(x, 2));
  assert.deepEqual(blocks.shape, [1, 2, 2, 1, 4]);
  // deno-fmt-ignore
  assert.deepEqual([...blocks.dataSync()], [
    0, 1, 4, 5, 2, 3, 6, 7,
    8, 9, 12, 13, 10, 11, 14, 15,
  ]);
});

Deno.test("spaceToBlocks() keeps images and channels apart, of any aspect", () => {
  const [B, H, W, C, side] = [2, 6, 9, 2, 3];
  const data = normals([B, H, W, C], 1);
  const x = tf.tensor(data, [B, H, W, C]);
  const blocks = tf.tidy(() => spaceToBlocks(x, side));
  assert.deepEqual(blocks.shape, [B, 2, 3, C, 9]);
  const array = blocks.arraySync() as number[][][][][];
  for (let b = 0; b < B; b++) {
    for (let y = 0; y < H; y++) {
      for (let x = 0; x < W; x++) {
        for (let c = 0; c < C; c++) {
          const block = array[b][Math.floor(y / side)][Math.floor(x / side)];
          assert.equal(
            block[c][(y % side) * side + x % side],
            data[((b * H + y) * W + x) * C + c],
          );
        }
      }
    }
  }
});

Deno.test("convolve3x3() is tfjs's convolution, at any dilation", () => {
  tf.tidy(() => {
    const x = normalTensor([2, 5, 4, 3], 2) as tf.Tensor4D;
    const kernel = normalTensor([6, 3, 3, 3], 3); // PyTorch: [out, in, 3, 3]
    const bias = normalTensor([6], 4);
    for (const dilation of [1, 2, 4]) {
      const expected = tf.add(
        tf.conv2d(
          x,
          tf.transpose(kernel, [2, 3, 1, 0]) as tf.Tensor4D,
          1,
          "same",
          "NHWC",
          dilation,
        ),
        bias,
      );
      const actual = convolve3x3(x, kernel, bias, dilation);
      assert.deepEqual(actual.shape, expected.shape);
      assertClose(actual.dataSync(), expected.dataSync(), 1e-5);
    }
  });
});

Deno.test("convolutionBlock() adds what two convolutions make of the normalized cells", () => {
  tf.tidy(() => {
    const x = tf.tensor([1, 3, 5, 1], [1, 1, 2, 2]); // normalized: -1, 1; 1, -1
    const middle = (rows: number[][]) => {
      const taps = rows.flat().flatMap((v) => [0, 0, 0, 0, v, 0, 0, 0, 0]);
      return tf.tensor(taps, [rows.length, rows[0].length, 3, 3]);
    };
    const weights = {
      "b.norm.weight": tf.tensor1d([1, 1]),
      "b.norm.bias": tf.tensor1d([0, 0]),
      "b.conv1.weight": middle([[1, 0], [0, 2], [1, 1]]),
      "b.conv1.bias": tf.tensor1d([0, 0, 3]),
      "b.conv2.weight": middle([[1, 1, 0], [0, 0, 10]]),
      "b.conv2.bias": tf.tensor1d([0.5, 0]),
    };
    const y = convolutionBlock(weights, "b", x, 2);
    // hidden: relu(-1, 2, 3) and relu(1, -2, 3)
    const expected = [1 + 2.5, 3 + 30, 5 + 1.5, 1 + 30];
    assertClose(y.dataSync(), Float32Array.from(expected), 1e-5);
  });
});

Deno.test("project() multiplies by PyTorch's matrix and adds the bias", () => {
  tf.tidy(() => {
    const x = tf.tensor([1, 2, 3, 4], [1, 2, 2]);
    const matrix = tf.tensor([1, 10, 2, 20, 3, 30], [3, 2, 1, 1]);
    const y = project(x, matrix, tf.tensor1d([0.5, 0.25, 0]));
    assert.deepEqual(y.shape, [1, 2, 3]);
    // rows (1, 2) and (3, 4) times columns (1, 10), (2, 20), (3, 30)
    assert.deepEqual([...y.dataSync()], [21.5, 42.25, 63, 43.5, 86.25, 129]);
  });
});

Deno.test("mlp() has a ReLU after every layer but the last", () => {
  tf.tidy(() => {
    const weights = {
      "m.layers.0.weight": tf.tensor2d([[1], [-1]]),
      "m.layers.0.bias": tf.tensor1d([0, 0]),
      "m.layers.1.weight": tf.tensor2d([[-2, -3]]),
      "m.layers.1.bias": tf.tensor1d([1]),
    };
    const y = mlp(weights, "m", tf.tensor2d([[4], [-5]]));
    // relu(4, -4) = (4, 0): 1 - 8; relu(-5, 5) = (0, 5): 1 - 15
    assert.deepEqual([...y.dataSync()], [-7, -14]);
  });
});

Deno.test("transformerBlock() is a pre-norm block, worked in plain numbers", () => {
  const [n, C, H, heads] = [3, 4, 6, 2];
  const x = normals([n, C], 4);
  const values = {
    "b.norm1.weight": normals([C], 5),
    "b.norm1.bias": normals([C], 6),
    "b.attn.qkv.weight": normals([3 * C, C], 7),
    "b.attn.qkv.bias": normals([3 * C], 8),
    "b.attn.proj.weight": normals([C, C], 9),
    "b.attn.proj.bias": normals([C], 10),
    "b.norm2.weight": normals([C], 11),
    "b.norm2.bias": normals([C], 12),
    "b.mlp.lin1.weight": normals([H, C], 13),
    "b.mlp.lin1.bias": normals([H], 14),
    "b.mlp.lin2.weight": normals([C, H], 15),
    "b.mlp.lin2.bias": normals([C], 16),
  };
  type Name = keyof typeof values;
  const linear = (name: string, row: number[]) => {
    const [w, b] = [
      values[`${name}.weight` as Name],
      values[`${name}.bias` as Name],
    ];
    return Array.from(
      b,
      (bias, o) =>
        row.reduce((sum, v, i) => sum + v * w[o * row.length + i], bias),
    );
  };
  const norm = (name: string, row: number[]) => {
    const mean = row.reduce((a, b) => a + b) / row.length;
    const variance = row.reduce((s, v) => s + (v - mean) ** 2, 0) / row.length;
    return row.map((v, i) =>
      (v - mean) / Math.sqrt(variance + 1e-6) *
        values[`${name}.weight` as Name][i] +
      values[`${name}.bias` as Name][i]
    );
  };
  // the normal distribution's cdf by its series about 0
  const cdf = (v: number) => {
    let term = v, sum = v;
    for (let k = 1; k < 200; k++) sum += term *= v * v / (2 * k + 1);
    return 0.5 + Math.exp(-v * v / 2) / Math.sqrt(2 * Math.PI) * sum;
  };
  const rows = Array.from(
    { length: n },
    (_, i) => [...x.subarray(i * C, (i + 1) * C)],
  );
  const qkv = rows.map((row) => linear("b.attn.qkv", norm("b.norm1", row)));
  const c = C / heads;
  const attended = rows.map((row, i) => {
    const joined = Array.from({ length: heads }, (_, head) => {
      const part = (which: number, j: number) =>
        qkv[j].slice(which * C + head * c, which * C + (head + 1) * c);
      const scores = rows.map((_, j) =>
        Math.exp(
          part(0, i).reduce((s, v, k) => s + v * part(1, j)[k], 0) /
            Math.sqrt(c),
        )
      );
      const total = scores.reduce((a, b) => a + b);
      return Array.from(
        { length: c },
        (_, k) =>
          scores.reduce((s, score, j) => s + score / total * part(2, j)[k], 0),
      );
    }).flat();
    return linear("b.attn.proj", joined).map((v, k) => v + row[k]);
  });
  const expected = attended.flatMap((row) => {
    const hidden = linear("b.mlp.lin1", norm("b.norm2", row))
      .map((v) => v * cdf(v));
    return linear("b.mlp.lin2", hidden).map((v, k) => v + row[k]);
  });

  const shapes: Record<string, number[]> = {
    "b.attn.qkv.weight": [3 * C, C],
    "b.attn.proj.weight": [C, C],
    "b.mlp.lin1.weight": [H, C],
    "b.mlp.lin2.weight": [C, H],
  };
  const actual = tf.tidy(() => {
    const weights = Object.fromEntries(
      Object.entries(values).map(([name, data]) => [
        name,
        tf.tensor(data, shapes[name] ?? [data.length]),
      ]),
    );
    const block = transformerBlock(
      weights,
      "b",
      tf.tensor(x, [1, n, C]),
      heads,
    );
    return block.dataSync();
  });
  assertClose(actual, expected, 1e-5);
});

Deno.test("fuseLatents() is three 1 x 1 convolutions over [e_x ; z]", () => {
  const { channels: L, latentChannels: d } = smallConfig;
  const [B, n, N] = [2, 9, 3];
  tf.tidy(() => {
    const weights = asTensors(noisyWeights(smallConfig));
    const image = normalTensor([B, n, L], 20);
    const latents = normalTensor([B, N, d], 21);
    // as the paper has it: z tiled over the positions, concatenated, convolved
    let x: tf.Tensor = tf.concat([
      tf.tile(tf.reshape(image, [B, 1, n, L]), [1, N, 1, 1]),
      tf.tile(tf.reshape(latents, [B, N, 1, d]), [1, 1, n, 1]),
    ], 3);
    x = tf.reshape(x, [B * N, 3, 3, L + d]);
    for (let i = 0; i < 3; i++) {
      const matrix = weights[`fusion.layers.${i}.weight`];
      const [outputs, inputs] = matrix.shape;
      const kernel = tf.reshape(tf.transpose(matrix), [
        1,
        1,
        inputs!,
        outputs,
      ]);
      x = tf.relu(tf.add(
        tf.conv2d(x as tf.Tensor4D, kernel as tf.Tensor4D, 1, "valid"),
        weights[`fusion.layers.${i}.bias`],
      ));
    }
    const ofImage = projectImage(weights, smallConfig, image);
    const actual = fuseLatents(weights, smallConfig, ofImage, latents);
    assert.deepEqual(actual.shape, [B * N, n, L]);
    assertClose(actual.dataSync(), x.dataSync(), 1e-5);
  });
});
