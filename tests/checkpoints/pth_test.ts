import assert from "node:assert/strict";
import { gzipSync } from "node:zlib";
import { temporaryFolder } from "../helpers/temporary_folder.ts";
import { bytesSource } from "../../src/checkpoints/_byte_source.ts";
import { openSource } from "../../src/checkpoints/open_checkpoint.ts";
import { openCheckpoint } from "../../src/checkpoints/open_checkpoint.ts";
import {
  bytes,
  little,
  pickle,
  pthOf,
  STORAGE,
  zipOf,
} from "../helpers/make_pth.ts";

const fixture = (name: string) =>
  new URL(`../fixtures/${name}`, import.meta.url); // by make_pth_fixtures.py

Deno.test("openCheckpoint() reads a state dict of torch.save, protocols 2 and 5", async () => {
  for (const name of ["state_dict.pth", "protocol5.pth"]) {
    using checkpoint = await openCheckpoint(fixture(name));
    assert.equal(checkpoint.format, "PyTorch checkpoint");
    assert.deepEqual(checkpoint.names, [
      "lin.weight",
      "lin.bias",
      "norm.weight",
      "norm.bias",
      "norm.running_mean",
      "norm.running_var",
      "norm.num_batches_tracked",
    ]);
    assert.deepEqual(checkpoint.shape("lin.weight"), [2, 3]);
    assert.equal(checkpoint.type("lin.weight"), "float32");
    assert.deepEqual(await checkpoint.read("lin.weight"), {
      data: new Float32Array([-0.5, -0.25, 0, 0.25, 0.5, 0.75]),
      shape: [2, 3],
    });
    assert.deepEqual(await checkpoint.read("norm.num_batches_tracked"), {
      data: new Int32Array([0]),
      shape: [],
    });
  }
});

Deno.test("openCheckpoint() finds the tensors within a training loop's dict", async () => {
  using checkpoint = await openCheckpoint(fixture("training.pth"));
  assert.equal(checkpoint.names[0], "model.module.lin.weight");
  assert.equal(checkpoint.names.length, 7); // the optimizer has no step yet
  const { data } = await checkpoint.read("model.module.lin.bias");
  assert.deepEqual(data, new Float32Array([-8, -4]));
});

Deno.test("a dict that a checkpoint holds twice is read twice", () => {
  const inner = pickle.dict({ b: pickle.tensor([4], [1]) });
  const body = bytes("}q\x05(", pickle.text("model"), inner, "q\x00");
  const ema = bytes(body, pickle.text("ema"), "h\x00u");
  const { names } = openSource(bytesSource(pthOf(ema)));
  assert.deepEqual(names, ["model.b", "ema.b"]);
});

Deno.test("values beside the tensors that torch.load takes with weights_only=True are passed over", () => {
  const { global, text, tuple, int } = pickle;
  const body = pickle.dict({
    model: pickle.dict({ x: pickle.tensor([4], [1]) }),
    size: bytes(global("torch", "Size"), tuple(tuple(int(1), int(2))), "R"),
    device: bytes(global("torch", "device"), tuple(text("cuda"), int(0)), "R"),
    dtypes: tuple(global("torch", "float32"), global("torch", "complex64")),
    dtype: global("torch", "bfloat16"),
    seed: bytes("\x8a\x09", new Uint8Array(8).fill(255), 0), // 2^64 - 1
  });
  const { names, skipped } = openSource(bytesSource(pthOf(body)));
  assert.deepEqual(names, ["model.x"]);
  assert.equal(skipped.size, 0);
});

/**
 * What CPython 3.11 pickles for `{"loss": numpy.float64(0.5), "step":
 * numpy.int64(7), "classes": numpy.arange(3, dtype="f4"), "args":
 * argparse.Namespace(lr=0.1, out=PosixPath("/runs/x"), seed=1), "path":
 * PosixPath("a/b"), "root": PureWindowsPath("C:/a")}`, without start and stop.
 */
const TRAINING_SCRIPTS: Record<string, string> = {
  "numpy 2.4.6, protocol 2":
    "fShYBAAAAGxvc3NjbnVtcHkuX2NvcmUubXVsdGlhcnJheQpzY2FsYXIKcQBjbnVtcHkKZHR5cGUK" +
    "cQFYAgAAAGY4iYiHUihLA1gBAAAAPHECTk5OSv////9K/////0sAdGJjX2NvZGVjcwplbmNvZGUK" +
    "cQNYCQAAAAAAAAAAAMOgP1gGAAAAbGF0aW4xcQSGUoZSWAQAAABzdGVwaABoAVgCAAAAaTiJiIdS" +
    "KEsDaAJOTk5K/////0r/////SwB0YmgDWAgAAAAHAAAAAAAAAGgEhlKGUlgHAAAAY2xhc3Nlc2Nu" +
    "dW1weS5fY29yZS5tdWx0aWFycmF5Cl9yZWNvbnN0cnVjdApjbnVtcHkKbmRhcnJheQpLAIVoA1gB" +
    "AAAAYmgEhlKHUihLAUsDhWgBWAIAAABmNImIh1IoSwNoAk5OTkr/////Sv////9LAHRiiWgDWA0A" +
    "AAAAAAAAAADCgD8AAABAaASGUnRiWAQAAABhcmdzY2FyZ3BhcnNlCk5hbWVzcGFjZQopgX0oWAIA" +
    "AABsckc/uZmZmZmZmlgDAAAAb3V0Y3BhdGhsaWIKUG9zaXhQYXRoCnEFWAEAAAAvWAQAAABydW5z" +
    "WAEAAAB4h1JYBAAAAHNlZWRLAXViWAQAAABwYXRoaAVYAQAAAGFxBlgBAAAAYoZSWAQAAAByb290" +
    "Y3BhdGhsaWIKUHVyZVdpbmRvd3NQYXRoClgDAAAAQzpcaAaGUnU=",
  "numpy 2.4.6, protocol 5":
    "fSiMBGxvc3OMFm51bXB5Ll9jb3JlLm11bHRpYXJyYXmMBnNjYWxhcpOUjAVudW1weYwFZHR5cGWT" +
    "lIwCZjiJiIdSKEsDjAE8lE5OTkr/////Sv////9LAHRiQwgAAAAAAADgP4ZSjARzdGVwaABoAYwC" +
    "aTiJiIdSKEsDaAJOTk5K/////0r/////SwB0YkMIBwAAAAAAAACGUowHY2xhc3Nlc4wTbnVtcHku" +
    "X2NvcmUubnVtZXJpY4wLX2Zyb21idWZmZXKTKJYMAAAAAAAAAAAAAAAAAIA/AAAAQGgBjAJmNImI" +
    "h1IoSwNoAk5OTkr/////Sv////9LAHRiSwOFjAFDdFKMBGFyZ3OMCGFyZ3BhcnNljAlOYW1lc3Bh" +
    "Y2WTKYF9KIwCbHJHP7mZmZmZmZqMA291dIwHcGF0aGxpYpSMCVBvc2l4UGF0aJOUjAEvjARydW5z" +
    "jAF4h1KMBHNlZWRLAXVijARwYXRoaASMAWGUjAFihlKMBHJvb3RoA4wPUHVyZVdpbmRvd3NQYXRo" +
    "k4wDQzpcaAWGUnU=",
  "numpy 1.24.2, protocol 2":
    "fShYBAAAAGxvc3NjbnVtcHkuY29yZS5tdWx0aWFycmF5CnNjYWxhcgpxAGNudW1weQpkdHlwZQpx" +
    "AVgCAAAAZjiJiIdSKEsDWAEAAAA8cQJOTk5K/////0r/////SwB0YmNfY29kZWNzCmVuY29kZQpx" +
    "A1gJAAAAAAAAAAAAw6A/WAYAAABsYXRpbjFxBIZShlJYBAAAAHN0ZXBoAGgBWAIAAABpOImIh1Io" +
    "SwNoAk5OTkr/////Sv////9LAHRiaANYCAAAAAcAAAAAAAAAaASGUoZSWAcAAABjbGFzc2VzY251" +
    "bXB5LmNvcmUubXVsdGlhcnJheQpfcmVjb25zdHJ1Y3QKY251bXB5Cm5kYXJyYXkKSwCFaANYAQAA" +
    "AGJoBIZSh1IoSwFLA4VoAVgCAAAAZjSJiIdSKEsDaAJOTk5K/////0r/////SwB0YoloA1gNAAAA" +
    "AAAAAAAAwoA/AAAAQGgEhlJ0YlgEAAAAYXJnc2NhcmdwYXJzZQpOYW1lc3BhY2UKKYF9KFgCAAAA" +
    "bHJHP7mZmZmZmZpYAwAAAG91dGNwYXRobGliClBvc2l4UGF0aApxBVgBAAAAL1gEAAAAcnVuc1gB" +
    "AAAAeIdSWAQAAABzZWVkSwF1YlgEAAAAcGF0aGgFWAEAAABhcQZYAQAAAGKGUlgEAAAAcm9vdGNw" +
    "YXRobGliClB1cmVXaW5kb3dzUGF0aApYAwAAAEM6XGgGhlJ1",
  "numpy 1.24.2, protocol 5":
    "fSiMBGxvc3OMFW51bXB5LmNvcmUubXVsdGlhcnJheYwGc2NhbGFyk5SMBW51bXB5jAVkdHlwZZOU" +
    "jAJmOImIh1IoSwOMATyUTk5OSv////9K/////0sAdGJDCAAAAAAAAOA/hlKMBHN0ZXBoAGgBjAJp" +
    "OImIh1IoSwNoAk5OTkr/////Sv////9LAHRiQwgHAAAAAAAAAIZSjAdjbGFzc2VzjBJudW1weS5j" +
    "b3JlLm51bWVyaWOMC19mcm9tYnVmZmVykyiWDAAAAAAAAAAAAAAAAACAPwAAAEBoAYwCZjSJiIdS" +
    "KEsDaAJOTk5K/////0r/////SwB0YksDhYwBQ3RSjARhcmdzjAhhcmdwYXJzZYwJTmFtZXNwYWNl" +
    "kymBfSiMAmxyRz+5mZmZmZmajANvdXSMB3BhdGhsaWKUjAlQb3NpeFBhdGiTlIwBL4wEcnVuc4wB" +
    "eIdSjARzZWVkSwF1YowEcGF0aGgEjAFhlIwBYoZSjARyb290aAOMD1B1cmVXaW5kb3dzUGF0aJOM" +
    "A0M6XGgFhlJ1",
};

Deno.test("numpy's scalars and arrays, arguments and paths beside weights are passed over", async () => {
  for (const [what, pickled] of Object.entries(TRAINING_SCRIPTS)) {
    const body = bytes(
      "}(",
      pickle.text("about"),
      Uint8Array.fromBase64(pickled),
      pickle.text("model"),
      pickle.dict({ x: pickle.tensor([4], [1]) }),
      "u",
    );
    const checkpoint = openSource(bytesSource(pthOf(body)));
    assert.deepEqual(checkpoint.names, ["model.x"], what);
    const { data } = await checkpoint.read("model.x");
    assert.deepEqual(data, Float32Array.of(1, 2, 3, 4));
  }
});

Deno.test("a dict of nothing but what is passed over is no checkpoint", () => {
  const { text, global, tuple } = pickle;
  const path = bytes(global("pathlib", "PosixPath"), tuple(text("a")), "R");
  assert.throws(
    () => openSource(bytesSource(pthOf(pickle.dict({ path })))),
    /must hold a dict of tensors: current value is a dict of 1$/,
  );
});

Deno.test("tensors of kinds that are not read are skipped until they are asked for", async () => {
  const { global, text, tuple, int } = pickle;
  const layout = bytes(
    global("torch.serialization", "_get_layout"),
    tuple(text("torch.sparse_coo")),
    "R",
  );
  const x = pickle.tensor([4], [1]);
  const untyped = bytes(
    tuple(
      text("storage"),
      global("torch.storage", "UntypedStorage"),
      text("1"),
      text("cpu"),
      int(2),
    ),
    "Q",
  );
  const body = pickle.dict({
    x,
    complex: pickle.tensor([2], [1], { type: "ComplexFloat" }),
    expanded: pickle.tensor([5], [0]),
    sparse: bytes(
      global("torch._utils", "_rebuild_sparse_tensor"),
      tuple(layout, tuple(x, x, tuple(int(4)))),
      "R",
    ),
    unsigned: bytes(
      global("torch._utils", "_rebuild_tensor_v3"),
      tuple(
        untyped,
        int(0),
        tuple(int(1)),
        tuple(int(1)),
        bytes("\x89"),
        bytes("N"),
        global("torch", "uint16"),
      ),
      "R",
    ),
  });
  const checkpoint = openSource(bytesSource(pthOf(body)));
  assert.deepEqual(checkpoint.names, ["x"]);
  const types = "be of float64, float32, .*, bool: current value is torch";
  const expected: Record<string, RegExp> = {
    complex: new RegExp(`"complex" must ${types}\\.ComplexFloatStorage$`),
    expanded: /no more elements than its storage, 4 .*: .* shape \[5\]/,
    sparse: /^Cannot read .* as "sparse" must be dense: .* is sparse$/,
    unsigned: new RegExp(`"unsigned" must ${types}\\.uint16$`),
  };
  assert.deepEqual([...checkpoint.skipped.keys()], Object.keys(expected));
  for (const [name, message] of Object.entries(expected)) {
    const error = { name: "RangeError", message };
    await assert.rejects(() => checkpoint.read(name), error);
    assert.throws(() => checkpoint.shape(name), error);
  }
});

Deno.test("a checkpoint's element types are widened", async () => {
  using checkpoint = await openCheckpoint(fixture("types.pth"));
  const ramp = [-2, -1, 0, 1, 2];
  const floats = { float64: 0.1, float32: 0.1, float16: 0.5, bfloat16: 0.5 };
  for (const [type, scale] of Object.entries(floats)) {
    const { data } = await checkpoint.read(type);
    assert.equal(checkpoint.type(type), type);
    assert.deepEqual(data, Float32Array.from(ramp, (i) => i * scale));
  }
  const integers = { int64: 1000, int32: 1000, int16: 1000, int8: 10 };
  for (const [type, scale] of Object.entries(integers)) {
    const { data } = await checkpoint.read(type);
    assert.equal(checkpoint.type(type), type);
    assert.deepEqual(data, Int32Array.from(ramp, (i) => i * scale));
  }
  const read = async (name: string) => (await checkpoint.read(name)).data;
  assert.deepEqual(await read("uint8"), new Int32Array([2, 1, 0, 1, 2]));
  assert.deepEqual(await read("bool"), new Uint8Array([0, 0, 0, 1, 1]));
  assert.deepEqual(await read("scalar"), new Float32Array([7.5]));
  assert.deepEqual(await read("empty"), new Float32Array(0));
});

Deno.test("views of one storage are read by their offset and strides", async () => {
  using checkpoint = await openCheckpoint(fixture("types.pth"));
  const views: Record<string, [number[], number[]]> = {
    parameter: [[3, 4], [-2, -1, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9]],
    whole: [[3, 4], [-2, -1, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9]],
    transposed: [[4, 3], [-2, 2, 6, -1, 3, 7, 0, 4, 8, 1, 5, 9]],
    rows: [[2, 4], [2, 3, 4, 5, 6, 7, 8, 9]],
    column: [[3], [-1, 3, 7]],
    every_other: [[2, 2], [-2, 0, 6, 8]],
  };
  for (const [name, [shape, values]] of Object.entries(views)) {
    const tensor = await checkpoint.read(name);
    assert.deepEqual(tensor, { data: new Float32Array(values), shape }, name);
  }
});

Deno.test("a ZIP64 archive with a comment is read", async () => {
  const body = pickle.dict({ x: pickle.tensor([4], [1]) });
  const archive = zipOf([
    ["a/data.pkl", bytes("\x80\x02", body, ".")],
    ["a/data/0", STORAGE],
    ["a/byteorder", bytes("little")],
  ], { zip64: true, comment: "PK\x05\x06 is no end" });
  const { data } = await openSource(bytesSource(archive)).read("x");
  assert.deepEqual(data, new Float32Array([1, 2, 3, 4]));
});

Deno.test("a checkpoint refuses NaN unless told otherwise, and reads nothing once closed", async () => {
  const checkpoint = await openCheckpoint(fixture("infinite.pth"));
  await assert.rejects(
    () => checkpoint.read("x"),
    /every value of "x" must be finite: current value at 1 is NaN$/,
  );
  const { data } = await checkpoint.read("x", { finite: false });
  assert.deepEqual(data, new Float32Array([1, NaN]));
  await assert.rejects(() => checkpoint.read("y"), /one of its 1: .* is y$/);
  checkpoint.close();
  checkpoint.close();
  await assert.rejects(() => checkpoint.read("x"), /as it is closed$/);
});

Deno.test("openCheckpoint() says how to save anew what it cannot read", async () => {
  const cases: [string, RegExp][] = [
    [
      "legacy.pth",
      /legacy\.pth as it must be in the zip format .* save it anew there with torch\.save\(torch\.load\(path, map_location="cpu"\), path\): current value is the legacy format$/,
    ],
    [
      "module.pth",
      /save the state dict alone, as torch\.save\(checkpoint\["model"\], path\) .* is __main__\.Net$/,
    ],
    [
      "expanded.pth",
      /"x" must have no more elements than its storage, 1 \(save tensor\.contiguous\(\) instead\): .* shape \[1000\], strides \[0\], offset 0$/,
    ],
  ];
  for (const [name, message] of cases) {
    await assert.rejects(() => openCheckpoint(fixture(name)), {
      name: "RangeError",
      message,
    });
  }
  const refuses = (text: string, message: RegExp) =>
    assert.throws(() => openSource(bytesSource(bytes(text))), message);
  const legacy = "\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.\x80\x02M\xe9\x03.";
  for (const protocol of ["\x02", "\x03"]) {
    refuses(
      `\x80${protocol}${legacy}`,
      /save it anew .* is the legacy format$/,
    );
  }
  for (const protocol of ["\x04", "\x05"]) {
    const frame = "\x95\x0d\0\0\0\0\0\0\0";
    refuses(`\x80${protocol}${frame}${legacy}`, /is the legacy format$/);
  }
  refuses(
    "\x80\x04\x95\xf7\0\0\0\0\0\0\0}\x94.",
    /give its tensors to torch\.save: current value is a bare pickle$/,
  );
  const named = (name: string) => name.padEnd(257, "\0");
  refuses(
    `${named("sys_info")}ustar\x0000`,
    /unpack it, or if PyTorch before 0\.1\.10 wrote it, .* is a tar archive$/,
  );
  refuses("\x1f\x8b\x08\0", /use gunzip: .* is compressed by gzip$/);
  refuses("\n<!DOCTYPE html><p>404", /current value is a web page$/);
  refuses(
    "version https://git-lfs.github.com/spec/v1\noid sha256:0\n",
    /git lfs pull: current value is a Git LFS pointer$/,
  );
  refuses(
    '{ "weight_map": {}, "metadata": {} }',
    /or the folder of shards: current value is JSON, such as an index/,
  );
  refuses("", /file must be >= 10 bytes: current value is 0$/);
});

Deno.test("safetensors whose header's length begins as a pickle does are read", async () => {
  for (const length of [0x280, 0x380, 0x30280]) {
    const header = JSON.stringify({
      x: { dtype: "F32", shape: [4], data_offsets: [0, 16] },
    }).padEnd(length);
    const file = bytes(little(length, 8), header, STORAGE);
    const { data } = await openSource(bytesSource(file)).read("x");
    assert.deepEqual(data, new Float32Array([1, 2, 3, 4]));
  }
});

Deno.test({
  name: "openCheckpoint() closes the file that it refuses",
  ignore: Deno.build.os !== "linux",
  fn: async () => {
    const before = [...Deno.readDirSync("/proc/self/fd")].length;
    for (let i = 0; i < 5; i++) {
      await assert.rejects(() => openCheckpoint(fixture("module.pth")));
      (await openCheckpoint(fixture("types.pth"))).close();
    }
    assert.equal([...Deno.readDirSync("/proc/self/fd")].length, before);
  },
});

Deno.test("a checkpoint packed by gzip holds the same; damaged ones and bombs are refused", async () => {
  const folder = await temporaryFolder();
  const tiny = await Deno.readFile("data/models/tiny.safetensors");
  const packed = gzipSync(tiny);
  const path = `${folder}/tiny.safetensors.gz`;
  await Deno.writeFile(path, packed);
  using plain = await openCheckpoint("data/models/tiny.safetensors");
  using same = await openCheckpoint(path);
  assert.deepEqual(same.names, plain.names);
  const [name] = same.names;
  assert.deepEqual(await same.read(name), await plain.read(name));

  await Deno.writeFile(path, packed.subarray(0, 1e6));
  await assert.rejects(
    openCheckpoint(path),
    /^RangeError: Cannot read checkpoint tiny\.safetensors\.gz as its gzip stream must be whole and undamaged: current value is /,
  );
  await Deno.writeFile(path, gzipSync(new Uint8Array(1e6)));
  await assert.rejects(
    openCheckpoint(path),
    /must hold at most \d+ bytes, 8 times its own: current value is more$/,
  );
});
