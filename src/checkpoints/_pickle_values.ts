/** The values of a pickle, and what may be done to them. */

import { show } from "./_elements.ts";
import { refusePth } from "./_zip.ts";

/**
 * Python's dict, as the pairs that were put into it. Nothing looks a key up, so
 * a key given twice stays twice, and no table of hashes is there to be made
 * slow by keys that were chosen to collide.
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
   */
  constructor(
    readonly name: string,
    readonly call: (args: unknown[]) => unknown,
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
