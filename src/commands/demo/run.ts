/** The demo: start, propose, let the user choose, write what happened. */

import { join } from "node:path";
import { useEngine } from "../../engine/engine.ts";
import type { Model } from "../../model/model.ts";
import { loadModel } from "../../notebook/load_model.ts";
import { writeFigure } from "../../figures/figure.ts";
import { Session } from "../../spa/session.ts";
import { type DemoOptions, parseDemoOptions } from "./options.ts";
import {
  type Outcome,
  stepFigure,
  stepFile,
  writeOutcome,
} from "./pictures.ts";
import {
  doubtOf,
  iterationLines,
  scoreProposal,
  type Step,
} from "./demo_step.ts";
import { openSubject, type Subject } from "./subject.ts";
import {
  type Chooser,
  chooserOf,
  nearestDemoUser,
  scriptedUser,
  type Terminal,
  terminalUser,
  type User,
} from "./users.ts";

/** The user that answers the proposals. */
function userOf(
  chooser: Chooser,
  options: DemoOptions,
  subject: Subject,
  terminal: Terminal,
): User {
  switch (chooser) {
    case "user":
      return terminalUser(terminal, subject.box);
    case "script":
      return scriptedUser(options.choices!, options.refuse);
    case "simulated user":
      return nearestDemoUser(options.iterations);
    case "nobody":
      terminal.print(
        "No mask is known and nobody chooses: the first proposal is accepted.",
      );
      return () => ({ kind: "accept" });
  }
}

/** The subject, the user, and the first prompts. */
function describeStart({ name, rater, points, box }: Subject): string {
  const parts = [rater ? `${name}, as rater "${rater}" sees it` : name];
  if (box) {
    const { left, top, right, bottom } = box;
    parts.push(`box from (${left}, ${top}) to (${right}, ${bottom})`);
  }
  for (const { x, y, label = 1 } of points) {
    parts.push(`click ${label === 1 ? "inside" : "outside"} at (${x}, ${y})`);
  }
  return parts.join("; ");
}

/** Proposes and asks until the user accepts or quits. */
async function align(
  model: Model,
  subject: Subject,
  options: DemoOptions,
  terminal: Terminal,
): Promise<Pick<Outcome, "chooser" | "steps" | "mask" | "profile">> {
  const chooser = chooserOf(options, subject);
  const user = userOf(chooser, options, subject, terminal);
  const { samples, candidates, seed } = options;
  let start = performance.now();
  using session = await Session.start(model, subject.image, {
    points: subject.points,
    box: subject.box,
    samples,
    candidates,
    seed,
  });
  const steps: Step[] = [];
  let undone: Step | undefined;
  while (true) {
    const { proposal, preference } = session;
    const shown: Step = {
      number: steps.length + 1,
      proposal,
      points: preference.feedback.points,
      milliseconds: undone?.milliseconds ?? performance.now() - start,
      scores: scoreProposal(proposal, subject.reference),
    };
    const picture = join(options.out, stepFile(shown));
    if (options.interactive) {
      await writeFigure(picture, stepFigure(subject, shown));
    }
    const answer = await user(shown, picture);
    start = performance.now();
    try {
      await session.apply(answer);
    } catch (error) {
      const mistyped = (answer.kind === "click" || answer.kind === "zoom") &&
        error instanceof RangeError;
      if (!mistyped) throw error;
      terminal.print(error.message);
      continue;
    }
    undone = answer.kind === "undo" ? steps.pop() : undefined;
    if (undone) continue;
    const step: Step = { ...shown, answer };
    steps.push(step);
    if (!options.interactive) terminal.print(iterationLines(step));
    if (answer.kind !== "accept" && answer.kind !== "stop") continue;
    const mask = answer.kind === "accept" ? session.mask : undefined;
    return { chooser, steps, mask, profile: session.profile };
  }
}

/**
 * Runs the demo.
 *
 * @param args The command's arguments.
 * @param terminal Where it prints and asks.
 * @throws With a clear message, when an option, a file or a mask is wrong.
 */
export async function runDemo(
  args: readonly string[],
  terminal: Terminal,
): Promise<void> {
  const options = parseDemoOptions(args);
  if (options.help) return terminal.print(options.help);
  const begin = performance.now();
  const { engine, threads, out } = options;
  const [info, subject, model] = await Promise.all([
    useEngine(engine, threads === undefined ? {} : { threads }),
    openSubject(options),
    loadModel(options.model),
  ]);
  using _ = model;
  await Deno.mkdir(out, { recursive: true }).catch((error) => {
    throw options.refuse("--out must be a folder to write to", out, error);
  });
  const count = `${info.threads} thread${info.threads === 1 ? "" : "s"}`;
  terminal.print(`Engine: ${info.name}, ${count} (${info.reason})`);
  terminal.print(`Image:  ${describeStart(subject)}\n`);

  const outcome = await align(model, subject, options, terminal);
  const files = await writeOutcome(out, {
    ...outcome,
    subject,
    setting:
      `Model "${model.config.name}", engine ${info.name}, ${count}, seed ${options.seed}.`,
  });
  const doubt = doubtOf(outcome.steps.at(-1)!, subject.box);
  if (!outcome.mask) terminal.print("\nStopped; nothing was accepted.");
  else if (doubt) terminal.print(`\nNote: ${doubt} It was accepted even so.`);
  const seconds = (performance.now() - begin) / 1000;
  terminal.print(
    `\nWrote ${join(out, files[0])} and ${files.length - 1} files beside it; ${
      seconds.toFixed(1)
    } s in all`,
  );
}
