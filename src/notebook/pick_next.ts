/** Picks from a session's proposals, until the user accepts. */

import type { Proposal } from "../spa/cluster.ts";
import type { Action } from "../spa/feedback.ts";
import type { Session } from "../spa/session.ts";
import { VolumeSession } from "../volumes/volume_session.ts";
import { type Answer, type Output, ownHost, type PickHost } from "./ask.ts";
import { interruptible, stopHere } from "./kernel.ts";
import { type About, holds, pickAt, type PickOptions } from "./pick.ts";
import {
  doInVolume,
  type PickNextInVolumeOptions,
  pickOfVolume,
} from "./pick_volume.ts";
import { describeStep, type Picked } from "./picked.ts";

/** How {@linkcode pickNext} asks: the session knows the clicks and the undo. */
export type PickNextOptions = Omit<
  PickOptions,
  "points" | "box" | "undo" | "zoom"
>;

/**
 * Picks from a session's proposal and does with the session what was picked:
 * chooses, undoes, adds the click, or draws again where none was near. In a
 * notebook the picks of one session in one cell stand in one output, which ends
 * as one still picture.
 *
 * @param session The session, which makes its next proposal.
 * @param options What is shown besides, and who is asked, as for `pick`.
 * @returns What the user did. What was accepted is `session.mask`.
 * @throws As `pick` and the session's `apply`.
 *
 * @example Until the user accepts
 * ```ts ignore
 * using session = await Session.start(model, image, { points: [point] });
 * while ((await pickNext(session)).kind !== "accept");
 * await writeMask(session.mask, "mask.png");
 * ```
 */
export function pickNext(
  session: Session,
  options?: PickNextOptions,
): Promise<Action>;
/**
 * The same for a session with a volume, from its open slice. The arrow keys look at
 * other slices, a click there opens one. A slice that is accepted, or said to be
 * without the object, is carried to the others, and the slice in which a look helps
 * most opens next.
 *
 * @param session The session.
 * @param options What is shown besides, and who is asked.
 * @returns What the user did; "finish" where the volume is done. What was found is
 * `session.mask`.
 * @throws As `pick` and the session's `apply`.
 *
 * @example Until the volume is done
 * ```ts ignore
 * const start = await pickStart(volume);
 * using session = await VolumeSession.start(model, volume, start);
 * while ((await pickNext(session)).kind !== "finish");
 * await writeMask(session.mask, "mask.nii.gz", { volume });
 * ```
 */
export function pickNext(
  session: VolumeSession,
  options?: PickNextInVolumeOptions,
): Promise<Picked>;
export function pickNext(
  session: Session | VolumeSession,
  options: PickNextOptions | PickNextInVolumeOptions = {},
): Promise<Picked> {
  return session instanceof VolumeSession
    ? pickNextInVolumeAt(ownHost(), session, options as PickNextInVolumeOptions)
    : pickNextAt(ownHost(), session, options as PickNextOptions);
}

/** As {@linkcode pickNext} of a volume, with what surrounds it as an argument. */
export function pickNextInVolumeAt(
  host: PickHost,
  session: VolumeSession,
  options: PickNextInVolumeOptions = {},
): Promise<Picked> {
  const own = withOneOutput(host, session);
  return interruptible(async (signal) => {
    const { picked } = await pickOfVolume(own, session, { ...options, signal });
    await doInVolume(own, session, picked, signal);
    await stopHere(signal);
    return picked;
  }, {
    doing: "pick",
    left: "the session is as the last step left it",
    signal: options.signal,
  });
}

/** As {@linkcode pickNext}, with what surrounds it as an argument. */
export function pickNextAt(
  host: PickHost,
  session: Session,
  options: PickNextOptions,
): Promise<Action> {
  const own = withOneOutput(host, session);
  return interruptible(async (signal) => {
    const { picked } = await pickOf(own, session, { ...options, signal });
    await session.apply(picked);
    await stopHere(signal);
    return picked;
  }, {
    doing: "pick",
    left: "the session is as the last pick left it",
    signal: options.signal,
  });
}

/** The recommendation that was shown last of a session, to compare with. */
const shownBefore = new WeakMap<
  Session,
  { readonly now: Proposal; readonly before?: Proposal }
>();

/** Where a session was shown last. */
const shownIn = new WeakMap<
  Session | VolumeSession,
  { readonly cell: number; readonly output: Output }
>();

/**
 * As the host, but that a session's picks in one cell have one output: of a loop
 * one still picture stays, and a saved notebook is small.
 */
function withOneOutput(
  host: PickHost,
  session: Session | VolumeSession,
): PickHost {
  const cell = host.cell?.();
  if (cell === undefined) return host;
  const last = shownIn.get(session);
  const output = last?.cell === cell ? last.output : host.openOutput();
  shownIn.set(session, { cell, output });
  return { ...host, openOutput: () => output };
}

/** Asks until the pick is one that the session can do. */
export async function pickOf(
  host: PickHost,
  session: Session,
  options:
    & PickNextOptions
    & Pick<About, "about" | "others" | "offer">
    & { undo?: boolean },
): Promise<Answer> {
  const { proposal } = session;
  const shown = shownBefore.get(session);
  if (shown?.now !== proposal) {
    shownBefore.set(session, { now: proposal, before: shown?.now });
  }
  const { points, box } = session.preference.feedback;
  const { steps, done } = session.history;
  const history = { steps: steps.map(describeStep), done };
  let excuse: string | undefined;
  while (true) {
    const { picked, ...rest } = await pickAt(host, proposal, {
      ...options,
      ...{ points, box, excuse, zoom: true, history },
      undo: options.undo || session.canUndo,
      before: shownBefore.get(session)!.before?.recommended.mask,
    });
    const answer = { ...rest, picked: picked as Action }; // all that is offered
    if (picked.kind !== "look" || holds(picked.region, points)) return answer;
    excuse = "A box to look at must hold every click inside.";
  }
}
