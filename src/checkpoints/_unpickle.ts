/**
 * Reads Python pickles that hold plain data. A pickle is a program for a stack
 * machine; this one knows numbers, strings, lists, tuples and dicts, and the
 * few globals that its caller allows. It runs no foreign code, looks up no
 * module, and does a bounded amount of work.
 *
 * Format: CPython's Lib/pickletools.py, protocols 2 to 5.
 */

import { show } from "./_elements.ts";
import {
  appendItems,
  callGlobal,
  Dict,
  type Global,
  kind,
  setItems,
} from "./_pickle_values.ts";
import { MAX_GLOBAL_NAME, PickleReader } from "./_pickle_reader.ts";
import { refusePth } from "./_zip.ts";

/** What the caller adds to plain data. */
export interface PickleWorld {
  /** Everything a pickle may name, by its Python name. */
  readonly globals: ReadonlyMap<string, Global>;
  /** What a persistent id stands for. */
  readonly persistent: (id: unknown) => unknown;
}

const MAX_OPERATIONS = 2_000_000;
/** What helps where a checkpoint holds more than its weights. */
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
  /** By number; not a `Map`, which numbers chosen to collide make slow. */
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
        if (!(target instanceof Dict)) {
          throw refusePth(
            "its pickle must set attributes of a dict only",
            kind(target),
          );
        }
        // a state dict's `_metadata`: versions of its modules, unused here
        return void stack.push(target);
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

  /** A call; one short operation may name long arguments again and again. */
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
