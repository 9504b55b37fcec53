/** Picks in the open slice of a volume, and what is done with them. */

import { contiguous } from "../arrays/contiguous.ts";
import { digestNumber } from "../digest.ts";
import { imageFigure } from "../figures/image_figure.ts";
import { volumeSlice } from "../formats/volume.ts";
import { createRandom, type Random } from "../random.ts";
import type { VolumeAction } from "../volumes/volume_actions.ts";
import type { VolumeSession } from "../volumes/volume_session.ts";
import { type Answer, ask, type PickHost } from "./ask.ts";
import {
  type AskOptions,
  choicesOf,
  entitled,
  holds,
  type Offer,
  pickAt,
  redoIn,
} from "./pick.ts";
import { pickPanel } from "./pick_panel.ts";
import {
  describePicked,
  describeStep,
  type Offered,
  type Picked,
  type PickHistory,
} from "./picked.ts";
import { type NamedMask, panelOfSession, sliceViews } from "./slice_views.ts";

/**
 * A rule that answers in a user's place, for the open slice: the index of a
 * candidate, or anything else that is offered.
 */
export type VolumeRule = (
  session: VolumeSession,
  random: Random,
) => number | Picked | Promise<number | Picked>;

/** How `pickNext` asks in a volume. */
export interface PickNextInVolumeOptions extends AskOptions {
  /** Answers where nobody else does; without it that is an error. */
  readonly auto?: VolumeRule;
}

/** What a program that picks in many volumes says. */
interface AboutVolume {
  /** Which one it is; none by default. */
  readonly about?: string;
  /** Whether the start can be undone. Default: false. */
  readonly undo?: boolean;
  /** Objects that were done before; none by default. */
  readonly masks?: readonly NamedMask[];
  /** With what a mask is changed. Default: "all". */
  readonly offer?: Offer;
}

/** Asks until the pick is one that the session can do in its open slice. */
export async function pickOfVolume(
  host: PickHost,
  session: VolumeSession,
  { about, undo = false, masks = [], offer, auto, random, ...asked }:
    & PickNextInVolumeOptions
    & AboutVolume,
): Promise<Answer<Picked>> {
  const { proposal, points, slice, depth, axis, aligned } = session;
  const volume = panelOfSession(session, masks);
  const look = volume.looks.find((look) => look.slice === slice);
  const title = `Slice ${slice} of ${depth}: ${
    proposal
      ? offer === "clicks"
        ? "is this what you want? If not, click where it is wrong."
        : "which is nearest to what you want?"
      : aligned.includes(slice)
      ? "the object is not here, as you said. A click inside begins all the same."
      : "nothing was found here. Click on the object if it is here."
  }${look ? ` A look helps here: ${look.doubts.join(", ")}.` : ""}${
    volume.looks.length === 0 && session.slicesLeft === 0
      ? " No other slice needs a look."
      : ""
  }`;
  const offers: Offered[] = [
    ...["go", "absent", "finish"] as const,
    ...(session.slicesLeft > 0 ? ["walk"] as const : []),
  ];
  const stream = random ?? createRandom(digestNumber(volume.id), slice);
  const shared = {
    ...{ about, volume },
    others: masks.map((one) => ({
      ...one,
      mask: contiguous(volumeSlice(one.mask, { axis, slice })),
    })),
  };
  const history = historyOf(session);
  const back = undo || session.canUndo;
  if (!proposal) {
    const image = session.image(slice);
    const choices = choicesOf(image, 0, [
      ...offers,
      ...(back ? ["undo"] as const : []),
      ...redoIn(history),
    ], { steps: history.steps.length, slices: depth });
    const line = entitled(about, title);
    return await ask({
      ...{ ...asked, choices, title: line },
      panel: () =>
        pickPanel({ image, title: line, choices, history, ...shared }),
      views: sliceViews(volume),
      still: (answer) =>
        imageFigure({
          image,
          title: entitled(
            about,
            typeof answer === "object"
              ? `Slice ${slice}: ${describePicked(answer.picked)}`
              : answer === "nothing"
              ? "Nothing was picked"
              : title,
          ),
        }),
      auto: auto && (async () => {
        const given = await auto(session, stream);
        return typeof given === "number"
          ? { kind: "choose", candidate: given }
          : given;
      }),
    }, host);
  }
  let excuse: string | undefined;
  while (true) {
    const answer = await pickAt(host, proposal, {
      ...{ ...asked, ...shared, title, points, excuse, offers, offer },
      ...{ random: stream, zoom: true, undo: back, history },
      auto: auto && ((_, random) => auto(session, random)),
    });
    const { picked } = answer;
    if (picked.kind !== "look" || holds(picked.region, points)) return answer;
    excuse = "A box to look at must hold every click inside.";
  }
}

/** Steps that a session made for the same pick as the step before. */
const joined = new WeakSet<VolumeAction>();

/** The session's picks, and after how many of its steps each was done. */
function historyOf(
  session: VolumeSession,
): PickHistory & { readonly ends: readonly number[] } {
  const { steps, done, slices } = session.history;
  const starts = steps.flatMap((step, i) =>
    i > 0 && joined.has(step) ? [] : [i]
  );
  const ends = starts.map((_, k) => starts[k + 1] ?? steps.length);
  const words = starts.map((i) => {
    const step = steps[i];
    if (step.kind === "propagate") return describeStep({ kind: "walk" });
    if (step.kind === "go") {
      const next = steps[i + 1];
      const point = next?.kind === "click" && joined.has(next)
        ? next.point
        : undefined;
      return describeStep({ ...step, point });
    }
    const text = describeStep(step);
    return `Slice ${slices[i]}: ${text[0].toLowerCase()}${text.slice(1)}`;
  });
  return {
    steps: words,
    done: ends.filter((end) => end <= done).length,
    ends,
  };
}

/**
 * Does with a session what was picked. What was said of a slice is carried to the
 * others, and the slice in which a look helps most opens; one undo takes all of it
 * back, one redo does it again.
 */
export async function doInVolume(
  host: PickHost,
  session: VolumeSession,
  picked: Picked,
  signal?: AbortSignal,
): Promise<void> {
  const before = session.history.done;
  /** What was just done belongs to the pick. */
  const join = () => {
    const { steps, done } = session.history;
    if (done > before + 1) joined.add(steps[done - 1]);
  };
  const step = async (action: VolumeAction) => {
    await session.apply(action);
    join();
  };
  const walk = async () => {
    const looked = await session.propagate({
      signal,
      onProgress: progressIn(host),
    });
    if (looked > 0) join();
    signal?.throwIfAborted();
  };
  switch (picked.kind) {
    case "undo":
    case "redo":
    case "jump": {
      const ends = [0, ...historyOf(session).ends];
      const to = picked.kind === "jump"
        ? ends[picked.step]
        : picked.kind === "undo"
        ? ends.findLast((end) => end < before)
        : ends.find((end) => end > before);
      if (to !== undefined) await session.jumpTo(to);
      return;
    }
    case "walk":
    case "finish":
      return await walk();
    case "go":
      await step({ kind: "go", slice: picked.slice });
      if (!picked.point) return;
      return await step({ kind: "click", point: picked.point });
    case "accept":
    case "absent": {
      await step(picked);
      await walk();
      const [next] = session.suggestions;
      if (next) await step({ kind: "go", slice: next.slice });
      return;
    }
    case "stop":
      return; // not offered
    default:
      return await step(picked);
  }
}

/** Milliseconds between two words of how far a walk is. */
const OFTEN = 400;

/** Tells in a notebook how far a walk is, where the panel stood. */
function progressIn(host: PickHost) {
  if (!host.notebook) return undefined;
  const output = host.openOutput();
  let told = performance.now();
  return ({ done, left, slice }: {
    readonly done: number;
    readonly left: number;
    readonly slice: number;
  }) => {
    if (performance.now() - told < OFTEN) return;
    told = performance.now();
    const text = `Walking: slice ${slice}, ${done} done, ${left} left at most`;
    output({ "text/plain": text, "text/html": `<p>${text}</p>` })
      .catch(() => {});
  };
}
