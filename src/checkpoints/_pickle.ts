/**
 * Reads Python pickles that hold plain data. A pickle is a program for a stack
 * machine; this one knows numbers, strings, lists, tuples and dicts, and the
 * few globals that its caller allows. It runs no foreign code, looks up no
 * module, and does a bounded amount of work.
 *
 * Format: CPython's Lib/pickletools.py, protocols 2 to 5.
 */

import { show } from "./_elements.ts";
import { refusePth } from "./_zip.ts";

/** What the caller adds to plain data. */
export interface PickleWorld {
  /** Everything a pickle may name, by its Python name. */
  readonly globals: ReadonlyMap<string, Global>;
  /** What a persistent id stands for. */
  readonly persistent: (id: unknown) => unknown;
}

const MAX_OPERATIONS = 2_000_000;
/** Advice for a checkpoint that holds more than its weights. */
const ALONE =
  'save the state dict alone, as torch.save(checkpoint["model"], path) or torch.save(model.state_dict(), path)';
/** Most numbers of the memo that may be left out; Python leaves out none. */
const MAX_MEMO_GAP = 255;

/**
 * Reads a pickle.
 *
 * @param bytes The pickle; what follows its end is ignored, as Python does.
 * @param world What it may name.
 * @returns The value: dicts as `Dict`, lists and tuples as arrays, None as null.
 * @throws {RangeError} When it is damaged, names any other global, or does
 * more than 2 million operations; a call counts as many as its arguments hold.
 */
export function unpickle(bytes: Uint8Array, world: PickleWorld): unknown {
  return new Machine(bytes, world).run();
}

class Machine {
  readonly #reader: PickleReader;
  readonly #world: PickleWorld;
  /**
   * By number. A `Map` would be slow for numbers that are chosen to collide.
   */
  readonly #memo: unknown[] = [];
  /** What was below each open mark. */
  readonly #below: unknown[][] = [];
  #stack: unknown[] = [];
  #operations = 0;

  constructor(bytes: Uint8Array, world: PickleWorld) {
    this.#reader = new PickleReader(bytes);
    this.#world = world;
  }

  run(): unknown {
    for (;;) {
      this.#spend(1);
      const operation = this.#reader.byte();
      if (operation === 0x2e) return this.#pop(); // STOP
      this.#step(operation);
    }
  }

  /** Counts work toward the limit. */
  #spend(operations: number): void {
    this.#operations += operations;
    if (this.#operations <= MAX_OPERATIONS) return;
    throw refusePth(
      `its pickle must do <= ${MAX_OPERATIONS} operations`,
      this.#operations,
    );
  }

  #step(operation: number): void {
    const stack = this.#stack;
    switch (operation) {
      case 0x80: // PROTO
        return this.#checkProtocol();
      case 0x95: // FRAME
        return void this.#reader.take(8);
      case 0x28: // MARK
        this.#below.push(stack);
        this.#stack = [];
        return;
      case 0x30: // POP
        return void this.#pop();
      case 0x31: // POP_MARK
        return void this.#popMark();

      case 0x4e: // NONE
        return void stack.push(null);
      case 0x88: // NEWTRUE
        return void stack.push(true);
      case 0x89: // NEWFALSE
        return void stack.push(false);
      case 0x4a: // BININT
        return void stack.push(this.#reader.int32());
      case 0x4b: // BININT1
        return void stack.push(this.#reader.byte());
      case 0x4d: // BININT2
        return void stack.push(this.#reader.uint16());
      case 0x8a: // LONG1
        return void stack.push(this.#reader.long(this.#reader.byte()));
      case 0x47: // BINFLOAT
        return void stack.push(this.#reader.float64());

      case 0x8c: // SHORT_BINUNICODE
      case 0x55: // SHORT_BINSTRING
        return void stack.push(this.#reader.text(this.#reader.byte()));
      case 0x58: // BINUNICODE
      case 0x54: // BINSTRING
        return void stack.push(this.#reader.text(this.#reader.uint32()));
      case 0x8d: // BINUNICODE8
        return void stack.push(this.#reader.text(this.#reader.uint64()));
      case 0x43: // SHORT_BINBYTES
        return void stack.push(this.#reader.skip(this.#reader.byte()));
      case 0x42: // BINBYTES
        return void stack.push(this.#reader.skip(this.#reader.uint32()));
      case 0x96: // BYTEARRAY8
        return void stack.push(this.#reader.skip(this.#reader.uint64()));

      case 0x5d: // EMPTY_LIST
      case 0x29: // EMPTY_TUPLE
        return void stack.push([]);
      case 0x7d: // EMPTY_DICT
        return void stack.push(new Dict());
      case 0x85: // TUPLE1
      case 0x86: // TUPLE2
      case 0x87: // TUPLE3
        return void stack.push(this.#popMany(operation - 0x84));
      case 0x74: // TUPLE
      case 0x6c: { // LIST
        const items = this.#popMark();
        return void this.#stack.push(items);
      }
      case 0x64: { // DICT
        const items = this.#popMark();
        return void this.#stack.push(setItems(new Dict(), items));
      }
      case 0x61: { // APPEND
        const item = this.#pop();
        return appendItems(this.#top(), [item]);
      }
      case 0x65: { // APPENDS
        const items = this.#popMark();
        return appendItems(this.#top(), items);
      }
      case 0x73: { // SETITEM
        const items = this.#popMany(2);
        return void setItems(this.#top(), items);
      }
      case 0x75: { // SETITEMS
        const items = this.#popMark();
        return void setItems(this.#top(), items);
      }

      case 0x71: // BINPUT
        return this.#remember(this.#reader.byte());
      case 0x72: // LONG_BINPUT
        return this.#remember(this.#reader.uint32());
      case 0x94: // MEMOIZE
        return this.#remember(this.#memo.length);
      case 0x68: // BINGET
        return void stack.push(this.#recall(this.#reader.byte()));
      case 0x6a: // LONG_BINGET
        return void stack.push(this.#recall(this.#reader.uint32()));

      case 0x63: // GLOBAL
        return void stack.push(
          this.#global(this.#reader.line(), this.#reader.line()),
        );
      case 0x93: { // STACK_GLOBAL
        const [module, name] = this.#popMany(2);
        return void stack.push(this.#global(module, name));
      }
      case 0x51: // BINPERSID
        return void stack.push(this.#world.persistent(this.#pop()));
      case 0x52: { // REDUCE
        const [callee, args] = this.#popMany(2);
        return void stack.push(this.#call(callee, args));
      }
      case 0x62: { // BUILD
        const [target] = this.#popMany(2);
        if (!(target instanceof Dict) && !(target instanceof Opaque)) {
          throw refusePth(
            "its pickle must set attributes of a dict only",
            kind(target),
          );
        }
        // a state dict's `_metadata` (versions of its modules, unused here), or
        // the content of a value that is passed over
        return void stack.push(target);
      }
      case 0x81: { // NEWOBJ
        const [callee, args] = this.#popMany(2);
        if (!(callee instanceof Global && callee.isClass)) break;
        return void stack.push(this.#call(callee, args));
      }
    }
    throw refusePth(
      `its pickle must hold plain data and tensors (${ALONE}; operation at byte ${
        this.#reader.at - 1
      })`,
      `0x${operation.toString(16)}`,
    );
  }

  #checkProtocol(): void {
    const protocol = this.#reader.byte();
    if (protocol >= 2 && protocol <= 5) return;
    throw refusePth("its pickle's protocol must be 2 to 5", protocol);
  }

  #top(): unknown {
    if (this.#stack.length > 0) return this.#stack[this.#stack.length - 1];
    throw this.#underflow();
  }

  #pop(): unknown {
    return this.#popMany(1)[0];
  }

  #popMany(count: number): unknown[] {
    if (this.#stack.length < count) throw this.#underflow();
    return this.#stack.splice(this.#stack.length - count);
  }

  /** What stands above the last mark. */
  #popMark(): unknown[] {
    const items = this.#stack;
    const below = this.#below.pop();
    if (!below) throw this.#underflow();
    this.#stack = below;
    return items;
  }

  #underflow(): RangeError {
    return refusePth(
      `its pickle must put what it takes (byte ${this.#reader.at - 1})`,
      "an empty stack",
    );
  }

  /**
   * A call. Its arguments count as work: one short operation may repeat long
   * arguments many times.
   */
  #call(callee: unknown, args: unknown): unknown {
    if (Array.isArray(args)) {
      this.#spend(args.length);
      for (const arg of args) {
        if (Array.isArray(arg)) this.#spend(arg.length);
      }
    }
    return callGlobal(callee, args);
  }

  #remember(index: number): void {
    const { length } = this.#memo;
    if (index > length + MAX_MEMO_GAP) {
      throw refusePth(
        `its pickle must number what it stores in turn, here <= ${
          length + MAX_MEMO_GAP
        }`,
        index,
      );
    }
    this.#memo[index] = this.#top();
  }

  #recall(index: number): unknown {
    const value = this.#memo[index];
    if (value !== undefined) return value;
    throw refusePth("its pickle must recall what it stored", `memo ${index}`);
  }

  #global(module: unknown, name: unknown): Global {
    if (typeof module !== "string" || typeof name !== "string") {
      throw refusePth(
        "its pickle must name a global by two strings",
        `${kind(module)} and ${kind(name)}`,
      );
    }
    const full = `${module}.${name}`;
    const known = full.length <= MAX_GLOBAL_NAME &&
      this.#world.globals.get(full);
    if (known) return known;
    throw refusePth(
      `its pickle must name nothing but tensors and plain data (${ALONE})`,
      show(full).replaceAll('"', ""),
    );
  }
}

// The arguments of operations

/** Longest name of a global, in bytes. */
export const MAX_GLOBAL_NAME = 200;

/** The bytes of a pickle, read one after another; integers are little-endian. */
export class PickleReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(
      bytes.buffer,
      bytes.byteOffset,
      bytes.byteLength,
    );
  }

  /** Where the next byte lies. */
  get at(): number {
    return this.#at;
  }

  /** Steps over bytes and gives the place where they begin. */
  take(length: number): number {
    const at = this.#at;
    if (!(at + length <= this.#bytes.length)) {
      throw refusePth(
        `its pickle must hold what it announces at byte ${at}, ${length} bytes`,
        `${this.#bytes.length - at} left`,
      );
    }
    this.#at += length;
    return at;
  }

  byte(): number {
    return this.#bytes[this.take(1)];
  }

  uint16(): number {
    return this.#view.getUint16(this.take(2), true);
  }

  uint32(): number {
    return this.#view.getUint32(this.take(4), true);
  }

  uint64(): number {
    return Number(this.#view.getBigUint64(this.take(8), true));
  }

  int32(): number {
    return this.#view.getInt32(this.take(4), true);
  }

  float64(): number {
    return this.#view.getFloat64(this.take(8));
  }

  /** A whole number, in two's complement; seeds may take more than 8 bytes. */
  long(width: number): number | Opaque {
    const at = this.take(width);
    if (width > 8) return new Opaque(`a number of ${width} bytes`);
    let value = 0n;
    for (let i = 0; i < width; i++) {
      value |= BigInt(this.#bytes[at + i]) << BigInt(8 * i);
    }
    return Number(BigInt.asIntN(8 * width, value));
  }

  /** Bytes that are not looked at. */
  skip(length: number): Opaque {
    this.take(length);
    return new Opaque(`${length} bytes`);
  }

  /** Text of so many bytes of UTF-8. */
  text(length: number): string {
    const at = this.take(length);
    return decodeText(this.#bytes.subarray(at, at + length));
  }

  /** Text up to the end of its line. */
  line(): string {
    const end = this.#bytes.indexOf(0x0a, this.#at);
    const length = (end < 0 ? this.#bytes.length : end) - this.#at;
    const text = this.text(Math.min(length, MAX_GLOBAL_NAME));
    if (this.take(1) !== end) {
      throw refusePth(
        `the name of a global must be <= ${MAX_GLOBAL_NAME} bytes`,
        length,
      );
    }
    return text;
  }
}

// The values, and what may be done to them

/**
 * Python's dict, as the pairs that were put into it. No key is looked up, so a
 * repeated key stays, and keys that are chosen to collide cannot make a hash
 * table slow.
 */
export class Dict {
  /** Keys and values. */
  readonly pairs: [key: string, value: unknown][] = [];
}

/** Longest key of a dict. */
const MAX_KEY = 256;

/** Something a pickle may name and call. */
export class Global {
  /**
   * @param name Its name in Python, module first.
   * @param call What calling it gives; it must check its arguments.
   * @param isClass Whether objects of it may be made without a call.
   */
  constructor(
    readonly name: string,
    readonly call: (args: unknown[]) => unknown,
    readonly isClass = false,
  ) {}
}

/** A value that is carried along but not looked into. */
export class Opaque {
  /** `what` it is, for errors. */
  constructor(readonly what: string) {}
}

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Calls what a pickle may call. */
export function callGlobal(callee: unknown, args: unknown): unknown {
  if (callee instanceof Global && Array.isArray(args)) return callee.call(args);
  throw refusePth(
    "its pickle must call what it may, with a tuple",
    `${kind(callee)} called with ${kind(args)}`,
  );
}

/** Adds items to a list. */
export function appendItems(list: unknown, items: unknown[]): void {
  if (!Array.isArray(list)) {
    throw refusePth("its pickle must append to a list", kind(list));
  }
  for (const item of items) list.push(item);
}

/** Adds keys and values, which alternate, to a dict. */
export function setItems(dict: unknown, items: unknown[]): Dict {
  if (!(dict instanceof Dict) || items.length % 2 !== 0) {
    throw refusePth("its pickle must set pairs of a dict", kind(dict));
  }
  for (let i = 0; i < items.length; i += 2) {
    dict.pairs.push([keyOf(items[i]), items[i + 1]]);
  }
  return dict;
}

/** A key as text: strings as they are, numbers, booleans and None by name. */
function keyOf(key: unknown): string {
  if (typeof key === "object" && key !== null) {
    throw refusePth("a dict's keys must be strings or numbers", kind(key));
  }
  const text = String(key);
  if (text.length <= MAX_KEY) return text;
  throw refusePth(`its keys must be <= ${MAX_KEY} long`, text.length);
}

/** What a value is, for errors. */
export function kind(value: unknown): string {
  if (value instanceof Global) return value.name;
  if (value instanceof Opaque) return value.what;
  if (value === null || typeof value !== "object") return show(value);
  if (Array.isArray(value)) return `a list of ${value.length}`;
  return value instanceof Dict ? `a dict of ${value.pairs.length}` : "a tensor";
}

/** The text of UTF-8 bytes. */
export function decodeText(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes);
  } catch {
    throw refusePth(
      "its strings must be UTF-8",
      show([...bytes.subarray(0, 8)]),
    );
  }
}
