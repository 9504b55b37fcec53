import assert from "node:assert/strict";
import { startCpuTime } from "../helpers/cpu_time.ts";
import { deflateRawSync } from "node:zlib";
import { bytesSource } from "../../src/checkpoints/_byte_source.ts";
import { openSource } from "../../src/checkpoints/open_checkpoint.ts";
import {
  bytes,
  type Lies,
  little,
  pickle,
  pthOf,
  STORAGE,
  zipOf,
} from "../helpers/make_pth.ts";

/** Expects a clear error, soon, from opening and reading these bytes. */
async function refuses(file: Uint8Array, message: RegExp) {
  const spent = startCpuTime();
  await assert.rejects(async () => {
    const checkpoint = openSource(bytesSource(file));
    for (const name of checkpoint.names) await checkpoint.read(name);
  }, (error) => {
    assert.ok(error instanceof RangeError, `${error}`);
    assert.match(error.message, /^Cannot read .* as .* must .*current value/);
    assert.match(error.message, message);
    assert.ok(error.message.length < 400);
    return true;
  });
  assert.ok(spent() < 5000, `${spent()} ms`);
}

const refusesPickle = (body: Uint8Array, message: RegExp) =>
  refuses(pthOf(body), message);

const good = pickle.dict({ x: pickle.tensor([4], [1]) });

Deno.test("the untampered file of these tests is read", async () => {
  const { data } = await openSource(bytesSource(pthOf(good))).read("x");
  assert.deepEqual(data, new Float32Array([1, 2, 3, 4]));
});

Deno.test("a pickle that calls anything is refused by the name of what it calls", async () => {
  const calls: [string, string][] = [
    ["os", "system"],
    ["posix", "system"],
    ["builtins", "eval"],
    ["builtins", "getattr"],
    ["__builtin__", "exec"],
    ["subprocess", "Popen"],
    ["torch", "load"],
    ["torch.hub", "load"],
    ["numpy.core.multiarray", "fromfile"],
    ["argparse", "Namespace.__class__"],
    ["pathlib", "Path.unlink"],
    ["torch._utils", "_rebuild_tensor_v2.__globals__"],
    ["collections", "OrderedDict.__init__"],
    ["constructor", "constructor"],
    ["__proto__", "toString"],
  ];
  for (const [module, name] of calls) {
    const full = new RegExp(
      `current value is ${module}\\.${name}$`,
    );
    const argument = pickle.tuple(pickle.text("touch /tmp/owned"));
    await refusesPickle(
      bytes(pickle.global(module, name), argument, "R"),
      full,
    );
    await refusesPickle( // STACK_GLOBAL of protocol 4
      bytes(pickle.text(module), pickle.text(name), "\x93", argument, "R"),
      full,
    );
  }
});

Deno.test("other ways to make objects are refused", async () => {
  const instance = "(icollections\nOrderedDict\n"; // INST
  await refusesPickle(bytes(instance), /operation .*: current value is 0x69$/);
  const ordered = pickle.global("collections", "OrderedDict");
  await refusesPickle(bytes("(", ordered, "o"), /0x6f$/); // OBJ
  await refusesPickle(bytes(ordered, ")\x81"), /0x81$/); // NEWOBJ
  await refusesPickle(bytes(ordered, ")}\x92"), /0x92$/); // NEWOBJ_EX
  await refusesPickle(bytes("\x82\x01"), /0x82$/); // EXT1
  await refusesPickle(bytes("P0\n"), /0x50$/); // PERSID
  await refusesPickle(
    bytes(pickle.global("torch", "FloatStorage"), ")R"),
    /must call what it may: current value is torch\.FloatStorage$/,
  );
  await refusesPickle(
    bytes(pickle.text("x"), ")R"),
    /call what it may, with a tuple: current value is "x" called with a list of 0$/,
  );
  await refusesPickle(
    bytes(pickle.global("torch", "float32"), ")R"),
    /call what it may: current value is torch\.float32$/,
  );
  await refusesPickle(
    bytes(ordered, pickle.int(3), "R"),
    /OrderedDict called with 3$/,
  );
  await refusesPickle(bytes(ordered, "}b"), /set attributes of a dict only/);
});

Deno.test("a pickle that is cut, or takes what it has not put, is refused", async () => {
  const whole = bytes("\x80\x02", good, ".");
  for (let length = 0; length < whole.length; length++) {
    const cut = whole.subarray(0, length);
    await refuses(zipOf([["a/data.pkl", cut], ["a/data/0", STORAGE]]), /./);
  }
  for (const operation of ["0", "t", "u", "e", "s", "a", "R", "Q", "\x86"]) {
    await refusesPickle(bytes(operation), /an empty stack$/);
  }
  await refusesPickle(bytes("h\x07"), /recall .*: current value is memo 7$/);
  await refusesPickle(bytes("j", little(4e9, 4)), /memo 4000000000$/);
  await refusesPickle(
    bytes("X", little(4e9, 4), "x"),
    /announces .* 4000000000/,
  );
  await refusesPickle(bytes("\x8d", new Uint8Array(8).fill(255)), /announces/);
  await refusesPickle(bytes("X", little(1, 4), "\xff"), /must be UTF-8/);
  await refusesPickle(
    bytes("\x8a\xff", new Uint8Array(255)),
    /dict of tensors: current value is a number of 255 bytes$/,
  );
  await refusesPickle(bytes("\x80\x09"), /protocol must be 2 to 5: .* 9$/);
  await refusesPickle(bytes("c", "m".repeat(5000), "\nx\n"), /<= 200 bytes/);
});

Deno.test("what is no dict of tensors is refused", async () => {
  for (const body of ["N", "]", "}", "K\x05", "(K\x01K\x02t"]) {
    await refusesPickle(bytes(body), /hold a dict of tensors: /);
  }
  await refusesPickle(bytes("}]N", "s"), /keys must be strings or numbers/);
  await refusesPickle(bytes("]NNs"), /set pairs of a dict/);
  await refusesPickle(bytes("}Na"), /append to a list/);
  await refusesPickle(
    pickle.dict({ ["k".repeat(300)]: pickle.tensor([4], [1]) }),
    /keys must be <= 256 long: current value is 300$/,
  );
  let named = pickle.tensor([4], [1]);
  for (let i = 0; i < 3; i++) named = pickle.dict({ ["k".repeat(200)]: named });
  await refusesPickle(
    named,
    /names must be <= 512 long: current value is 602$/,
  );
  const inner = pickle.dict({ b: pickle.tensor([4], [1]) });
  await refusesPickle(
    pickle.dict({ a: inner, "a.b": pickle.tensor([4], [1]) }),
    /name of its own: current value is "a\.b"$/,
  );
  const twice = [pickle.tensor([4], [1]), pickle.tensor([5], [0])] // one expanded
    .map((tensor) => bytes(pickle.text("x"), tensor, "s"));
  await refusesPickle(bytes("}", ...twice), /name of its own: .* is "x"$/);
});

Deno.test("a pickle within itself, nested deep or shared to explode is refused", async () => {
  const itself = bytes("}q\x00", pickle.text("x"), "h\x00s");
  await refusesPickle(itself, /none within itself: current value is "x"$/);
  const list = bytes("]q\x00h\x00a"); // harmless: lists are not looked into
  await refusesPickle(list, /dict of tensors/);
  let deep = good;
  for (let i = 0; i < 9; i++) deep = pickle.dict({ d: deep });
  await refusesPickle(deep, /nest <= 8 deep/);
  // 60 dicts, each holding the one before it twice: 2^60 ways down
  const doubled = [bytes("}q\x00")];
  for (let i = 1; i < 60; i++) {
    const before = bytes("h", i - 1);
    doubled.push(bytes(
      "}q",
      i,
      pickle.text("a"),
      before,
      "s",
      pickle.text("b"),
      before,
      "s",
    ));
  }
  await refusesPickle(bytes(...doubled), /nest <= 8 deep/);
  // 7 dicts, each holding the one before it a hundred times: 10^14 ways down
  const wide = [bytes("}q\x00")];
  for (let i = 1; i <= 7; i++) {
    wide.push(bytes("}q", i));
    for (let k = 0; k < 100; k++) {
      wide.push(bytes(pickle.text(`${k}`), "h", i - 1, "s"));
    }
  }
  await refusesPickle(bytes(...wide), /hold <= 262144 values, shared ones/);
  const tuples = bytes("N", "q\x00h\x00\x86".repeat(100)); // 2^100 leaves
  await refusesPickle(tuples, /dict of tensors: current value is a list of 2$/);
  await refusesPickle(bytes("(".repeat(300_000)), /announces|stack/);
});

Deno.test("a pickle that works long is refused, however short its operations are", async () => {
  const much = /must do <= 2000000 operations: current value is 2\d{6}$/;
  await refusesPickle(bytes("}".repeat(2_000_001)), much);
  const ordered = bytes(pickle.global("collections", "OrderedDict"), "q\x00");
  const pair = bytes(pickle.text("k"), "N\x86q\x01");
  const pairs = bytes("(", "h\x01".repeat(50_000), "lq\x02");
  const call = "h\x00h\x02\x85R0"; // of 50,000 pairs, in 7 bytes
  await refusesPickle(bytes(ordered, pair, pairs, call.repeat(300)), much);
  const long = bytes("(", "N".repeat(50_000), "tq\x02"); // arguments
  const calls = "h\x00h\x02R0".repeat(300);
  await refusesPickle(bytes(ordered, pair, long, calls), /made of pairs/);
  await refusesPickle(
    bytes(ordered, "(]", "N".repeat(50_000), "tq\x02", calls),
    much,
  );
});

Deno.test("a global named by anything but two short strings is refused at once", async () => {
  const named = (what: Uint8Array, message: RegExp) =>
    refusesPickle(bytes(what, pickle.text("x"), "\x93"), message);
  const strings = /name a global by two strings: current value is /;
  await named(bytes("]q\x00h\x00a"), /is a list of 1 and "x"$/); // cyclic
  const doubled = [bytes("]q\x00")]; // 10^40 leaves
  for (let i = 1; i <= 40; i++) {
    doubled.push(bytes("(", ...Array(10).fill(bytes("h", i - 1)), "tq", i));
  }
  await named(bytes(...doubled), /is a list of 10 and "x"$/);
  await named(bytes("]", "\x85".repeat(1_900_000)), /is a list of 1 and "x"$/);
  await named(bytes("}"), /is a dict of 0 and "x"$/);
  await named(bytes("N"), strings);
  await refusesPickle(bytes(pickle.text("x"), "K\x01\x93"), /is "x" and 1$/);
  const long = pickle.text("x\n".repeat(1e6));
  await refusesPickle(bytes(long, long, "\x93"), /current value is x\\nx\\n/);
  await refusesPickle(bytes("\x93"), /an empty stack$/);
});

/** Numbers that a table of V8's unseeded hashes puts into one of its chains. */
function colliding(count: number): number[] {
  const hash = (key: number) => { // V8's ComputeUnseededHash
    let x = (~key + (key << 15)) | 0;
    x ^= x >>> 12;
    x = (x + (x << 2)) | 0;
    x ^= x >>> 4;
    x = Math.imul(x, 2057);
    return x ^ (x >>> 16);
  };
  const numbers: number[] = [];
  for (let key = 0; numbers.length < count; key++) {
    if ((hash(key) & 0x1fff) === 7) numbers.push(key);
  }
  return numbers;
}

Deno.test("numbers chosen to collide in a table of hashes cost no more than others", async () => {
  const numbers = colliding(10_000);
  const sets = bytes(...numbers.map((n) => bytes(pickle.int(n), "Ns")));
  await refusesPickle(bytes("}", ...Array(20).fill(sets)), /a dict of 200000$/);
  const puts = numbers.map((n) => bytes("r", little(n, 4)));
  await refusesPickle(bytes("N", ...puts), /number what it stores in turn/);
  const key = pickle.text("k".repeat(2 ** 20)); // compared by each that follows
  await refusesPickle(bytes("}", key, "Ns"), /<= 256 long: .* is 1048576$/);
});

Deno.test("a tensor that leaves its storage is refused", async () => {
  const cases: [number[], number[], number][] = [
    [[5], [1], 0],
    [[4], [1], 1],
    [[2], [4], 0],
    [[2, 2], [3, 2], 0],
    [[1], [1], 2 ** 31 - 1],
    [[0], [1], 5],
    [[2], [2 ** 31 - 1], 0],
  ];
  const expanded: [number[], number[]][] = [
    [[2 ** 31 - 1, 2 ** 31 - 1, 2 ** 31 - 1], [0, 0, 0]], // 1e28 elements
    [[1000], [0]],
    [[5], [0]],
  ];
  for (const [shape, strides] of expanded) {
    await refusesPickle(
      pickle.dict({ x: pickle.tensor(shape, strides) }),
      /"x" must have no more elements than its storage, 4 .* is shape \[/,
    );
  }
  for (const [shape, strides, offset] of cases) {
    await refusesPickle(
      pickle.dict({ x: pickle.tensor(shape, strides, { offset }) }),
      /lie in its storage of 4 elements: current value is shape \[/,
    );
  }
  const malformed: [number[], number[], number][] = [
    [[-1], [1], 0],
    [[4], [-1], 0],
    [[4], [1], -4],
    [[4], [1, 1], 0],
    [Array(9).fill(1), Array(9).fill(1), 0],
  ];
  for (const [shape, strides, offset] of malformed) {
    await refusesPickle(
      pickle.dict({ x: pickle.tensor(shape, strides, { offset }) }),
      /must have a storage, an offset, a size and strides/,
    );
  }
});

Deno.test("a storage that is not what the archive holds is refused", async () => {
  const x = (options: { length?: number; type?: string; key?: string }) =>
    pickle.dict({ x: pickle.tensor([1], [1], options) });
  await refusesPickle(x({ length: 5 }), /5 of float32 .*: .* is 16 bytes$/);
  await refusesPickle(x({ length: 2 ** 31 - 1 }), /2147483647 of float32/);
  await refusesPickle(x({ length: -4 }), /a type, a key and a length/);
  await refusesPickle(x({ type: "Double" }), /4 of float64 .* is 16 bytes$/);
  await refusesPickle(x({ type: "Quantized" }), /torch\.QuantizedStor/);
  await refusesPickle(x({ key: "7" }), /storage "7" .* is missing$/);
  await refusesPickle(x({ key: "../../data.pkl" }), /is missing$/);
  await refusesPickle(bytes("NQ"), /a type, a key and a length/);
  const big = { type: "Long", length: 2 };
  await refusesPickle(
    pickle.dict({ x: pickle.tensor([2], [1], big) }),
    /every int64 must fit int32 in "x"/,
  );
});

Deno.test("a size that is changed after its tensor was made changes nothing", async () => {
  // the size is a list, remembered as memo 0 and appended to later
  const size = bytes("]q\x00", pickle.int(4), "a");
  const honest = pickle.tensor([4], [1]);
  const asTuple = bytes("(", pickle.int(4), "t");
  const at = String.fromCharCode(...honest).indexOf(
    String.fromCharCode(...asTuple),
  );
  const body = bytes(
    honest.subarray(0, at),
    size,
    honest.subarray(at + asTuple.length),
    "q\x01",
    "0h\x00",
    pickle.int(1_000_000),
    "a0}",
    pickle.text("x"),
    "h\x01s",
  );
  const checkpoint = openSource(bytesSource(pthOf(body)));
  assert.deepEqual(checkpoint.shape("x"), [4]);
  assert.equal((await checkpoint.read("x")).data.length, 4);
});

/** An archive in which storage 0 tells lies. */
function lying(lies: Lies): Uint8Array {
  return zipOf([
    ["a/data.pkl", bytes("\x80\x02", good, ".")],
    ["a/data/0", STORAGE, lies],
    ["a/version", bytes("3\n")],
  ]);
}

Deno.test("an archive that lies about an entry is refused", async () => {
  const there = /must lie where the directory says/;
  await refuses(lying({ size: 17 }), /must end before the next begins/);
  await refuses(lying({ size: 2 ** 31 }), there);
  await refuses(lying({ size: 12 }), /4 of float32 .* is 12 bytes$/);
  await refuses(lying({ packed: 3 }), /must be 16 bytes: current value is 3$/);
  await refuses(lying({ header: 0 }), there);
  await refuses(lying({ header: 3 }), there);
  await refuses(lying({ header: 2 ** 31 }), /must lie in the file/);
  await refuses(lying({ localName: "b/data/0" }), there);
  await refuses(lying({ checksum: 1 }), /CRC-32 1 \(the file is damaged, /);
  await refuses(lying({ flags: 1 }), /not be encrypted: .* "a\/data\/0"$/);
  await refuses(lying({ size: 0xffffffff }), /must have its ZIP64 sizes/);
});

Deno.test("a zip bomb is refused before a byte of it is inflated", async () => {
  const packed = deflateRawSync(new Uint8Array(50_000_000));
  const lies = { method: 8, size: 50_000_000, packed: packed.length };
  const archive = zipOf([["a/data.pkl", packed, lies]]);
  const before = Deno.memoryUsage().external; // of this thread's arrays
  await refuses(
    archive,
    /"a\/data\.pkl" must be stored, .* not compressed: .* is method 8$/,
  );
  assert.ok(Deno.memoryUsage().external - before < 40e6);
  const overlapping = zipOf([
    ["a/data.pkl", bytes("\x80\x02", good, ".")],
    ["a/data.pkl", bytes("x"), { header: 0, size: 30 }],
  ]);
  await refuses(overlapping, /must end before the next begins/);
});

Deno.test("an archive that is cut, doubled or miscounted is refused", async () => {
  for (const zip64 of [false, true]) {
    const whole = zipOf([
      ["a/data.pkl", bytes("\x80\x02", good, ".")],
      ["a/data/0", STORAGE],
    ], { zip64 });
    for (let length = 4; length < whole.length; length += 3) {
      await refuses(whole.subarray(0, length), /./);
    }
    await refuses(bytes(whole, "left over"), /is it truncated/);
    await refuses(whole.slice(1), /./); // no longer begins as a zip
  }
  const part: [string, Uint8Array] = ["a/data.pkl", bytes("N.")];
  await refuses(zipOf([part, part]), /2 entries with 1 names$/);
  await refuses(zipOf([part], { count: 2 }), /must list 2 entries|its entries/);
  await refuses(zipOf([part], { count: 60_000 }), /60000 entries$/);
  await refuses(
    zipOf([part], { zip64: true, count: 2 ** 52 }),
    /hold its entries/,
  );
  await refuses(zipOf([["data.pkl", bytes("N.")]]), /one data\.pkl, .* is 0$/);
  await refuses(
    zipOf([part, ["b/data.pkl", bytes("N.")]]),
    /one data\.pkl, .*: current value is 2$/,
  );
  await refuses(
    zipOf([part, ["a/constants.pkl", bytes("N.")]]),
    /a TorchScript archive$/,
  );
  const script = bytes("def forward(self): ...");
  const packed = new Uint8Array(deflateRawSync(script)); // as torch.jit.save does
  const lies = { method: 8, size: script.length, packed: packed.length };
  await refuses(
    zipOf([part, ["a/code/__torch__.py", packed, lies]]),
    /torch\.jit\.load\(path\)\.state_dict\(\), path\): .* a TorchScript archive$/,
  );
  await refuses(
    zipOf([part, ["a/byteorder", bytes("big")]]),
    /byte order must be little: current value is "big"$/,
  );
  const long = new Uint8Array(2 ** 24 + 1);
  await refuses(zipOf([["a/data.pkl", long]]), /data\.pkl must be <= 16777216/);
});
