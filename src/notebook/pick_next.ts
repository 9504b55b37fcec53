import type { Session } from "../spa/session.ts";
import { interruptible, stopHere } from "./interrupt.ts";
import { pickAt, type PickOptions } from "./pick.ts";
import { ownHost, type PickHost } from "./pick_host.ts";
import type { Picked } from "./picked.ts";

/** How {@linkcode pickNext} asks: the session knows the clicks and the undo. */
export type PickNextOptions = Omit<PickOptions, "points" | "undo">;

/**
 * Picks from a session's proposal and does with the session what was picked:
 * chooses, undoes, adds the click, or draws again where none was near.
 *
 * @param session The session, which makes its next proposal.
 * @param options What is shown besides, and who is asked, as for `pick`.
 * @returns What the user did; "accept" leaves the session as it is.
 * @throws As `pick` and `applyPick`.
 *
 * @example Until the user accepts
 * ```ts ignore
 * using session = await Session.start(model, image, { points: [point] });
 * while ((await pickNext(session)).kind !== "accept");
 * await writeMask(session.accept(), "mask.png");
 * ```
 */
export function pickNext(
  session: Session,
  options: PickNextOptions = {},
): Promise<Picked> {
  return pickNextAt(ownHost(), session, options);
}

/** As {@linkcode pickNext}, with what surrounds it as an argument. */
export function pickNextAt(
  host: PickHost,
  session: Session,
  options: PickNextOptions,
): Promise<Picked> {
  return interruptible(async (signal) => {
    const { picked } = await pickAt(host, session.proposal, {
      ...options,
      points: session.preference.feedback.points,
      undo: session.canUndo,
      signal,
    });
    await applyPick(session, picked);
    await stopHere(signal);
    return picked;
  }, {
    doing: "pick",
    left: "the session is as the last pick left it",
    signal: options.signal,
  });
}

/**
 * Does with a session what was picked: chooses, adds the click, draws again, or
 * undoes; nothing for "accept".
 *
 * @throws As the session's own `choose`, `addPoint`, `proposeAgain` and `undo`.
 */
export async function applyPick(
  session: Session,
  picked: Picked,
): Promise<void> {
  switch (picked.kind) {
    case "candidate":
      await session.choose(picked.index);
      break;
    case "point": {
      const { x, y, label } = picked;
      await session.addPoint({ x, y, label });
      break;
    }
    case "none":
      await session.proposeAgain();
      break;
    case "undo":
      session.undo();
  }
}
