// @ts-types="@types/ndarray"
import ndarray, { type NdArray } from "ndarray";
import { contiguous } from "../arrays/contiguous.ts";
import { InputError } from "../input_error.ts";

/** What has a mask: a session with an image or a volume, or a mask of its own. */
export interface Masked {
  /** [H, W] or [D, H, W]; anything but 0 is inside. */
  readonly mask: NdArray<Uint8Array>;
}

/** One object among several. */
export interface Label<S extends Masked = Masked> {
  /** Its value in the joint mask, from 1. */
  readonly value: number;
  /** What it is called, as "kidney". */
  readonly name: string;
  /** How it is drawn, as "#ff9f1c". */
  readonly color: string;
  /** Its own session. */
  readonly session: S;
}

/** Colors that are told apart by most readers (Okabe and Ito 2008), in order. */
const COLORS = [
  ...["#e69f00", "#56b4e9", "#009e73", "#f0e442", "#0072b2", "#d55e00"],
  "#cc79a7",
];

/** Labels are stored in bytes. */
const MOST = 255;

/**
 * Several objects in one image or volume, each with a name, a color and a session
 * of its own. Where two overlap, the one that was added later lies on top. It owns
 * the sessions: call `dispose()`, or declare it with `using`.
 *
 * @example Two parts of one scan, written as labels 1 and 2
 * ```ts ignore
 * using labels = new Labels<VolumeSession>();
 * labels.add({ name: "ventricle", session: one });
 * labels.add({ name: "tumor", session: other });
 * await writeMask(labels.mask, "labels.nii.gz", { volume, labels: labels.names });
 * ```
 */
export class Labels<S extends Masked = Masked> {
  #all: readonly Label<S>[] = [];

  /** The objects, in order of their values. */
  get all(): readonly Label<S>[] {
    return this.#all;
  }

  /** Their names, of values 1, 2 and so on: the option `labels` of `writeMask`. */
  get names(): string[] {
    return this.#all.map(({ name }) => name);
  }

  /**
   * Adds an object.
   *
   * @param label Its name, its session, and its color. Default: one that
   * no other has.
   * @returns The object with its value.
   * @throws {RangeError} When the name is empty or taken, the color is none of
   * "#rrggbb", there are 255 already, or the mask is of another size.
   */
  add(
    { name, session, color = this.#freeColor() }:
      & Pick<Label<S>, "name" | "session">
      & Partial<Pick<Label<S>, "color">>,
  ): Label<S> {
    const refuse = (rule: string, value: unknown) => {
      throw new InputError(
        `Cannot add the label as ${rule}: current value is ${value}`,
      );
    };
    if (this.#all.length === MOST) {
      refuse(`there must be ${MOST} at most`, MOST);
    }
    this.#checkName(name, refuse);
    if (!/^#[0-9a-f]{6}$/i.test(color)) {
      refuse('its color must be as "#ff9f1c"', color);
    }
    const [one] = this.#all;
    const { shape } = session.mask;
    if (one && `${one.session.mask.shape}` !== `${shape}`) {
      refuse(
        `its mask must be of the others' size, [${one.session.mask.shape}]`,
        `[${shape}]`,
      );
    }
    const label = { value: this.#all.length + 1, name, color, session };
    this.#all = [...this.#all, label];
    return label;
  }

  #checkName(name: string, refuse: (rule: string, value: unknown) => void) {
    if (typeof name !== "string" || name.trim() === "") {
      refuse("its name must be a text", JSON.stringify(name));
    }
    if (this.names.includes(name)) {
      refuse("its name must be its own", `${name}, another's name`);
    }
  }

  #freeColor(): string {
    const taken = new Set(this.#all.map(({ color }) => color));
    return COLORS.find((color) => !taken.has(color)) ??
      COLORS[this.#all.length % COLORS.length];
  }

  /** The object of a name; undefined where there is none. */
  get(name: string): Label<S> | undefined {
    return this.#all.find((label) => label.name === name);
  }

  /**
   * All masks as one: 0 outside, else the value of the object on top.
   *
   * @throws {RangeError} When there is no object.
   */
  get mask(): NdArray<Uint8Array> {
    const [first] = this.#all;
    if (!first) {
      throw new InputError(
        "Cannot join the labels as there must be one at least: current value is none",
      );
    }
    const shape = first.session.mask.shape.slice();
    const joint = new Uint8Array(shape.reduce((a, b) => a * b, 1));
    for (const { value, session } of this.#all) {
      contiguous(session.mask).data.forEach((inside, i) => {
        if (inside) joint[i] = value;
      });
    }
    return ndarray(joint, shape);
  }

  /** Names, colors and sessions as plain data, in order. */
  toJSON(): { name: string; color: string; session: S }[] {
    return this.#all.map(({ name, color, session }) => ({
      name,
      color,
      session,
    }));
  }

  /** Disposes the sessions. */
  dispose(): void {
    for (const { session } of this.#all) {
      (session as { dispose?: () => void }).dispose?.();
    }
  }

  /** See `dispose`. */
  [Symbol.dispose](): void {
    this.dispose();
  }
}
