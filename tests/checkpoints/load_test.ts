import assert from "node:assert/strict";
import { guessConfig } from "../../src/checkpoints/_adapt.ts";
import {
  loadModel,
  type LoadProgress,
  type WeightReport,
} from "../../src/checkpoints/load_model.ts";
import { toHuggingFace } from "../../src/checkpoints/names.ts";
import { openCheckpoint } from "../../src/checkpoints/open_checkpoint.ts";
import { saveModel } from "../../src/checkpoints/save_model.ts";
import { writeSafetensors } from "../../src/checkpoints/safetensors.ts";
import { sizeOf } from "../../src/engine/tensors.ts";
import { presets } from "../../src/model/config.ts";
import { Model } from "../../src/model/model.ts";
import type { HostWeights } from "../../src/model/weights.ts";
import {
  declareWeights,
  initializeWeights,
} from "../../src/model/declare_weights.ts";
import { pickle, pthOf } from "../helpers/make_pth.ts";
import { noisyWeights, smallConfig } from "../helpers/small_model.ts";
import { temporaryFolder } from "../helpers/temporary_folder.ts";

const folder = await temporaryFolder();

const weights = noisyWeights(smallConfig);
const declared = declareWeights(smallConfig);
const silent = { config: smallConfig, onReport: () => {} };

/** A checkpoint of what is SAM's in the small network, under other names. */
async function foreign(
  file: string,
  rename: (name: string) => string = (name) => name,
  change: (
    tensors: Map<
      string,
      HostWeights extends ReadonlyMap<string, infer T> ? T : never
    >,
  ) => void = () => {},
): Promise<string> {
  const tensors = new Map(
    [...weights].filter(([name]) => declared.get(name)!.origin === "sam")
      .map(([name, tensor]) => [rename(name), tensor]),
  );
  change(tensors);
  const path = `${folder}/${file}`;
  await Deno.writeFile(path, writeSafetensors(tensors));
  return path;
}

/** Whether a model has SAM's weights from the file and its own drawn afresh. */
function assertLoaded(model: Model, seed = 0) {
  const drawn = initializeWeights(
    smallConfig,
    seed,
    [...declared].filter(([, { origin }]) => origin === "spa")
      .map(([name]) => name),
  );
  for (const [name, { origin }] of declared) {
    const expected = origin === "sam" ? weights.get(name) : drawn.get(name);
    assert.deepEqual(model.weights.get(name), expected, name);
  }
}

Deno.test("loadModel() loads a plain state dict by segment-anything's names, with any prefix", async () => {
  for (const prefix of ["", "module.", "model.module."]) {
    const path = await foreign("plain.safetensors", (name) => prefix + name);
    assertLoaded(await loadModel(path, silent));
  }
});

Deno.test("loadModel() loads a state dict by Hugging Face's names", async () => {
  const path = await foreign("hugging.safetensors", toHuggingFace);
  assertLoaded(await loadModel(path, { ...silent, seed: 7 }), 7);
});

Deno.test("loadModel() reports what was loaded, missing and unexpected", async () => {
  const path = await foreign("more.safetensors", undefined, (tensors) => {
    tensors.set("optimizer.lr", { data: new Float32Array(1), shape: [] });
  });
  const reports: WeightReport[] = [];
  await loadModel(path, {
    config: smallConfig,
    onReport: (report) => reports.push(report),
  });
  const names = (origin: string) =>
    [...declared].filter(([, weight]) => weight.origin === origin)
      .map(([name]) => name);
  assert.deepEqual(reports, [{
    loaded: names("sam"),
    missing: names("spa"),
    unexpected: ["optimizer.lr"],
    misshapen: [],
  }]);
});

Deno.test("loadModel() refuses the checkpoint of another network, naming what differs", async () => {
  const cut = await foreign("cut.safetensors", undefined, (tensors) => {
    tensors.delete("image_encoder.neck.0.weight");
  });
  await assert.rejects(() => loadModel(cut, silent), {
    name: "TypeError",
    message: /of config "small": \d+ missing \(image_encoder\.neck\.0\.weight/,
  });
  const wide = await foreign("wide.safetensors", undefined, (tensors) => {
    tensors.set("mask_decoder.mask_tokens.weight", {
      data: new Float32Array(32),
      shape: [2, 16],
    });
  });
  await assert.rejects(() => loadModel(wide, silent), {
    name: "TypeError",
    message:
      /1 misshapen \(mask_decoder\.mask_tokens\.weight: \[2,16\] instead of \[1,16\]\)$/,
  });
});

Deno.test("loadModel() refuses adapters and LoRA, which change what comes out, unless they are to be dropped", async () => {
  const extra = (shape: number[]) => ({
    data: new Float32Array(sizeOf(shape)).fill(0.5),
    shape,
  });
  const cases: [file: string, name: string, family: string][] = [
    ["lora", "image_encoder.blocks.0.attn.qkv.lora_A.weight", "LoRA weights"],
    ["med", "image_encoder.blocks.0.Adapter.channel.0.weight", "SAM-Med2D"],
    ["msa", "image_encoder.blocks.0.MLP_Adapter.fc.weight", "adapters"],
    ["mask", "mask_decoder.transformer.lora_B.weight", "LoRA weights"],
    ["own", "image_encoder.blocks.0.gate", "ViT at 32 px"],
  ];
  for (const [file, name, family] of cases) {
    const path = await foreign(`${file}.safetensors`, undefined, (tensors) => {
      tensors.set(name, extra([2, 4]));
    });
    await assert.rejects(() => loadModel(path, silent), (error: Error) => {
      assert.ok(error instanceof TypeError);
      assert.ok(
        error.message.includes(`1 unexpected (${name})`),
        error.message,
      );
      assert.ok(error.message.includes(family), error.message);
      assert.match(error.message, /or dropUnknown be true to leave them out/);
      return true;
    });
    const reports: WeightReport[] = [];
    const model = await loadModel(path, {
      config: smallConfig,
      dropUnknown: true,
      onReport: (report) => reports.push(report),
    });
    assertLoaded(model);
    assert.deepEqual(reports[0].unexpected, [name]);
  }
});

Deno.test("weights without a config are told by their family, and adapters are not guessed away", () => {
  const shapes = new Map<string, readonly number[]>(
    [...declareWeights(presets["sam-vit-b"])].filter(([, { origin }]) =>
      origin === "sam"
    ).map(([name, { shape }]) => [name, shape]),
  );
  const adapted = new Map(shapes);
  adapted.set("image_encoder.blocks.0.Adapter.channel.0.weight", [192, 768]);
  assert.throws(
    () => guessConfig(adapted, "sam-med2d_b.pth"),
    /its \d+ tensors are those of SAM-Med2D at 1024 px and of no preset/,
  );
  assert.equal(guessConfig(adapted, "a.pth", true), presets["sam-vit-b"]);
  adapted.set("image_encoder.pos_embed", [1, 16, 16, 768]);
  assert.throws(
    () => guessConfig(adapted, "sam-med2d_b.pth", true),
    /those of SAM-Med2D at 256 px and of no preset/,
  );
  const lora = new Map(shapes);
  lora.set("image_encoder.blocks.0.attn.qkv.linear_a_q.lora", [4, 768]);
  assert.throws(
    () => guessConfig(lora, "samed.pth"),
    /those of ViT at 1024 px with LoRA weights and of no preset/,
  );
  const head = new Map(
    [...declareWeights(presets["lite-medsam"])].filter(([, { origin }]) =>
      origin === "sam"
    ).map(([name, { shape }]) => [name, shape]),
  );
  head.set("image_encoder.head.weight", [1000, 320]); // a classifier's
  head.set("image_encoder.norm_head.weight", [320]);
  const { encoder } = guessConfig(head, "lite_medsam.pth");
  assert.deepEqual(encoder, presets["lite-medsam"].encoder);
});

Deno.test("loadModel() asks which of a checkpoint's networks is meant", async () => {
  const path = `${folder}/two.safetensors`;
  const ofSam = [...weights].filter(([name]) =>
    declared.get(name)!.origin === "sam"
  );
  const doubled = (data: Float32Array) => data.map((value) => 2 * value);
  await Deno.writeFile(
    path,
    writeSafetensors([
      ...ofSam.map(([name, { data, shape }]) =>
        [`ema.${name}`, { data: doubled(data), shape }] as const
      ),
      ...ofSam.map(([name, tensor]) => [`model.${name}`, tensor] as const),
    ]),
  );
  await assert.rejects(() => loadModel(path, silent), {
    name: "RangeError",
    message:
      /as the option network must name one of its 2, "ema", "model": current value is undefined$/,
  });
  await assert.rejects(
    () => loadModel(path, { ...silent, network: "teacher" }),
    /one of its 2, "ema", "model": current value is teacher$/,
  );
  assertLoaded(await loadModel(path, { ...silent, network: "model" }));
  const ema = await loadModel(path, { ...silent, network: "ema" });
  for (const [name, { data }] of ofSam) {
    assert.deepEqual(ema.weights.get(name)!.data, doubled(data));
  }
  const plain = await foreign("plain.safetensors");
  await assert.rejects(
    () => loadModel(plain, { ...silent, network: "ema" }),
    /one of its 1, "": current value is ema$/,
  );
});

Deno.test("loadModel() takes a checkpoint for what is not read beside its weights, and says why a weight is not", async () => {
  const tiny = [...initializeWeights(presets.tiny, 3)];
  const storage = Float32Array.from(tiny.flatMap(([, { data }]) => [...data]));
  const path = `${folder}/beside.pth`;
  const write = (change: Record<string, Uint8Array>) => {
    let offset = 0;
    const weights = tiny.map(([name, { data, shape }]) => {
      const strides = shape.map((_, k) => sizeOf(shape.slice(k + 1)));
      const options = { offset, length: storage.length };
      offset += data.length;
      return [name, pickle.tensor([...shape], strides, options)];
    });
    const dict = pickle.dict({ ...Object.fromEntries(weights), ...change });
    Deno.writeFileSync(path, pthOf(dict, new Uint8Array(storage.buffer)));
  };
  const complex = pickle.tensor([1], [1], { type: "ComplexFloat" });
  write({ spectrum: complex });
  const reports: WeightReport[] = [];
  const onReport = (report: WeightReport) => reports.push(report);
  const model = await loadModel(path, { onReport });
  assert.deepEqual(new Map(tiny), model.weights);
  assert.deepEqual(reports[0].unexpected, ["spectrum"]);
  write({ "mask_decoder.mask_tokens.weight": complex });
  await assert.rejects(() => loadModel(path), {
    name: "RangeError",
    message:
      /"mask_decoder\.mask_tokens\.weight" must be of float64, .*Complex/,
  });
});

Deno.test("weights without a config are MedSAM's where the file's name says so", () => {
  const shapes = new Map(
    [...declareWeights(presets["sam-vit-b"])].filter(([, { origin }]) =>
      origin === "sam"
    ).map(([name, { shape }]) => [name, shape]),
  );
  const cases: [string, keyof typeof presets][] = [
    ["medsam_vit_b.pth", "medsam-vit-b"],
    ["/weights/MedSAM_finetuned.safetensors", "medsam-vit-b"],
    ["https://example.org/medsam_vit_b.pth?download=true", "medsam-vit-b"],
    ["wanglab/medsam-vit-base/", "medsam-vit-b"], // Hugging Face's folder
    ["fold#1 medsam.pth", "medsam-vit-b"],
    ["sam_vit_b_01ec64.pth", "sam-vit-b"],
    ["/medsam/sam_vit_b_01ec64.pth", "sam-vit-b"],
    ["https://example.org/sam_vit_b.pth?for=/medsam", "sam-vit-b"],
  ];
  for (const [source, name] of cases) {
    assert.equal(guessConfig(shapes, source).name, name, source);
  }
  const large = declareWeights(presets["sam-vit-l"]);
  const largeShapes = new Map([...large].map(([n, { shape }]) => [n, shape]));
  assert.equal(guessConfig(largeShapes, "medsam_l.pth").name, "sam-vit-l");
  const tiny = declareWeights(presets.tiny);
  const tinyShapes = new Map([...tiny].map(([n, { shape }]) => [n, shape]));
  assert.equal(guessConfig(tinyShapes, "medsam.pth").name, "tiny");
});

Deno.test("loadModel() takes the preset that the weights fit, or the one that is named", async () => {
  const path = `${folder}/tiny.safetensors`;
  await Deno.writeFile(
    path,
    writeSafetensors(initializeWeights(presets.tiny, 3), {}, {
      dtype: "float16",
    }),
  );
  assert.equal((await loadModel(path)).config, presets.tiny);
  assert.equal(
    (await loadModel(path, { config: "tiny" })).config,
    presets.tiny,
  );
  await assert.rejects(
    () => loadModel(path, { config: "sam_vit_b" as "sam-vit-b" }),
    /^RangeError: Cannot load the model .*tiny\.safetensors as config must be a ModelConfig or one of lite-medsam, .*small: current value is sam_vit_b$/,
  );
});

/** Splits the small model into two files and an index. */
async function shards(name: string): Promise<string> {
  const root = `${folder}/${name}`;
  await Deno.mkdir(root);
  const map: Record<string, string> = {};
  const all = [...weights].filter(([name]) =>
    declared.get(name)!.origin === "sam"
  );
  for (const [i, part] of [all.slice(0, 9), all.slice(9)].entries()) {
    const file = `model-0000${i + 1}-of-00002.safetensors`;
    await Deno.writeFile(`${root}/${file}`, writeSafetensors(part));
    for (const [name] of part) map[name] = file;
  }
  const index = JSON.stringify({ metadata: {}, weight_map: map });
  await Deno.writeTextFile(`${root}/model.safetensors.index.json`, index);
  return root;
}

Deno.test("loadModel() loads shards, by their folder or their index", async () => {
  const root = await shards("sharded");
  assertLoaded(await loadModel(root, silent));
  const index = `${root}/model.safetensors.index.json`;
  assertLoaded(await loadModel(index, silent));
  const whole = `${root}/model.safetensors`; // preferred where there is one
  await Deno.rename(await foreign("whole.safetensors"), whole);
  using checkpoint = await openCheckpoint(root);
  assert.equal(
    checkpoint.names.length,
    declared.size -
      [...declared.values()].filter(({ origin }) => origin === "spa").length,
  );
});

Deno.test("openCheckpoint() refuses an index that leaves its folder or lies", async () => {
  const root = await shards("lying");
  const path = `${root}/model.safetensors.index.json`;
  const { weight_map } = JSON.parse(await Deno.readTextFile(path));
  const [first, ...rest] = Object.keys(weight_map);
  const cases: [unknown, RegExp][] = [
    [{ ...weight_map, x: "../x" }, /file beside it for "x": .* is "\.\.\/x"$/],
    [{ ...weight_map, x: "/etc/passwd" }, /is "\/etc\/passwd"$/],
    [{ ...weight_map, x: ".." }, /is "\.\."$/],
    [{ ...weight_map, x: 5 }, /is 5$/],
    [{ ...weight_map, x: weight_map[first] }, /must name what .*: .* is "x"$/],
    [
      Object.fromEntries(rest.map((name) => [name, weight_map[name]])),
      /must say that .* lies in "model-00001-of-00002\.safetensors"/,
    ],
    [{}, /have a weight_map: current value is an object of 0$/],
    [null, /have a weight_map/],
  ];
  for (const [map, message] of cases) {
    await Deno.writeTextFile(path, JSON.stringify({ weight_map: map }));
    await assert.rejects(() => openCheckpoint(root), {
      name: "RangeError",
      message,
    });
  }
  await Deno.writeTextFile(path, "{");
  await assert.rejects(() => openCheckpoint(root), /must be JSON/);
  const map = { ...weight_map, x: "missing.safetensors" };
  await Deno.writeTextFile(path, JSON.stringify({ weight_map: map }));
  await assert.rejects(() => openCheckpoint(root), Deno.errors.NotFound);
  const empty = `${folder}/empty`;
  await Deno.mkdir(empty);
  await assert.rejects(
    () => openCheckpoint(empty),
    /the folder must hold one of model\.safetensors, /,
  );
});

Deno.test("openCheckpoint() of 4 GB takes no memory, and reads only what is asked for", async () => {
  const shape = [1024, 1024, 1024];
  const header = JSON.stringify({
    small: { dtype: "F32", shape: [2], data_offsets: [0, 8] },
    large: { dtype: "F32", shape, data_offsets: [8, 8 + 2 ** 32] },
  });
  const path = `${folder}/sparse.safetensors`; // holes, no disk space
  const file = await Deno.open(path, { write: true, create: true });
  const prefix = new Uint8Array(8 + header.length + 8);
  new DataView(prefix.buffer).setUint32(0, header.length, true);
  prefix.set(new TextEncoder().encode(header), 8);
  new DataView(prefix.buffer).setFloat32(8 + header.length, 1.5, true);
  await file.write(prefix);
  await file.truncate(prefix.length + 2 ** 32);
  file.close();
  const { readSync } = Deno.FsFile.prototype;
  let asked = 0;
  Deno.FsFile.prototype.readSync = function (bytes) {
    asked += bytes.length;
    return readSync.call(this, bytes);
  };
  try {
    using checkpoint = await openCheckpoint(path);
    assert.deepEqual(checkpoint.shape("large"), shape);
    const { data } = await checkpoint.read("small");
    assert.deepEqual(data, new Float32Array([1.5, 0]));
  } finally {
    Deno.FsFile.prototype.readSync = readSync;
  }
  assert.ok(asked >= prefix.length && asked < 1e5, `${asked} bytes`);
});

Deno.test("loadModel() downloads once, tells its progress, and keeps nothing that is no checkpoint", async () => {
  const path = `${folder}/served.safetensors`;
  await saveModel(new Model(smallConfig, weights), path);
  const bytes = await Deno.readFile(path);
  const requests: string[] = [];
  using server = serve(bytes, requests);
  const cacheFolder = `${folder}/cache`;
  const seen: LoadProgress[] = [];
  const onProgress = (progress: LoadProgress) => seen.push(progress);
  const url = `${server.base}/model.safetensors?download=true`;
  const model = await loadModel(url, { cacheFolder, onProgress });
  assert.deepEqual(model.config, smallConfig);
  const loads = seen.filter(({ phase }) => phase === "download");
  assert.deepEqual(loads.at(-1), {
    phase: "download",
    bytes: bytes.length,
    total: bytes.length,
  });
  const reads = seen.filter(({ phase }) => phase === "read");
  assert.equal(reads.length, weights.size);
  assert.equal(reads.at(-1)!.bytes, reads.at(-1)!.total);
  await loadModel(new URL(url), { cacheFolder });
  assert.equal(requests.length, 1);
  const kept = [...Deno.readDirSync(cacheFolder)].map(({ name }) => name);
  assert.equal(kept.length, 1);
  assert.match(kept[0], /^[0-9a-f]{16}-model\.safetensors$/);

  const answers: [string, RegExp][] = [
    ["missing", /as the server must answer 200: current value is 404$/],
    ["page", /must send a checkpoint: current value is text\/html; charset/],
    ["garbage", /^RangeError: Cannot read safetensors as /],
    ["half", /Cannot read safetensors as the data must be .*truncated/],
    ["huge", /must send <= 17179869184 bytes: current value is 99999999999$/],
  ];
  for (const [name, message] of answers) {
    await assert.rejects(
      () => loadModel(`${server.base}/${name}`, { cacheFolder }),
      message,
      name,
    );
  }
  assert.equal([...Deno.readDirSync(cacheFolder)].length, 1);
});

/** A server of good and bad answers. */
function serve(bytes: Uint8Array<ArrayBuffer>, requests: string[]) {
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    ({ url }) => {
      const { pathname } = new URL(url);
      requests.push(pathname);
      const html = { "content-type": "text/html; charset=utf-8" };
      switch (pathname) {
        case "/model.safetensors":
          return new Response(bytes);
        case "/page":
          return new Response("<p>sign in", { headers: html });
        case "/garbage":
          return new Response("garbage, and more of it");
        case "/half":
          return new Response(bytes.slice(0, bytes.length >> 1));
        case "/huge":
          return new Response(new ReadableStream(), {
            headers: { "content-length": "99999999999" },
          });
      }
      return new Response("no", { status: 404 });
    },
  );
  return {
    base: `http://127.0.0.1:${server.addr.port}`,
    [Symbol.dispose]: () => void server.shutdown(),
  };
}
