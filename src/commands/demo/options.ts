import { CommandLine, SEEDS, THREADS } from "../command_line.ts";
import { ENGINE_NAMES, type EngineName } from "../../engine/active_engine.ts";
import type { Point } from "../../spa/feedback.ts";
import type { Box } from "../../spa/frame.ts";

/** The demo's help. */
export const HELP = `deno task demo [options]

Aligns a segmentation with a user in a few choices, and draws every step.
Without options: a sample phantom and a simulated user with one rater's mask
in mind.

What to segment
  --image FILE         PNG, JPEG, TIFF, NIfTI, DICOM (or a folder with a
                       series) or NPY; needs a --point or a --box
  --reference FILE     mask of --image: a simulated user has it in mind
  --data FOLDER        multi-rater cases (CASE/image.png with CASE/rater*.png,
                       or LIDC crops)
  --split NAME         train, val or test, where the folder has them (val)
  --case ID            a case of --data, or of the sample phantoms
  --rater NAME         whose mask the simulated user has in mind
  --point X,Y          click inside, in pixels; repeatable
  --negative X,Y       click outside; repeatable
  --box L,T,R,B        box around the object
                       without these, a random pixel of the rater's mask

Who chooses
  --interactive        you: 1 to 4 picks, a accepts, u undoes, + and - zoom,
                       q quits
  --choose 1,3,2       these candidates, then accept
                       without these: the simulated user, or, where no mask is
                       known, nobody: the first proposal is accepted

How
  --iterations N       proposals of the simulated user            (6)
  --samples N          samples of a proposal                      (48)
  --candidates N       candidates of a proposal                   (4)
  --seed N             of clicks and samples                      (0)
  --model FILE         weights                                    (shipped)
  --engine NAME        auto, ${ENGINE_NAMES.join(", ")}   (auto)
  --threads N          of the engine
  --out FOLDER         where the pictures go                      (out/demo)
`;

/** What the demo was asked for. */
export interface DemoOptions {
  readonly help: boolean;
  readonly image?: string;
  readonly reference?: string;
  readonly data?: string;
  readonly split: "train" | "val" | "test";
  readonly caseId?: string;
  readonly rater?: string;
  /** Clicks that were given; empty where one is to be drawn. */
  readonly points: readonly Point[];
  readonly box?: Box;
  readonly interactive: boolean;
  /** Scripted choices, from 0. */
  readonly choices?: readonly number[];
  readonly iterations: number;
  readonly samples: number;
  readonly candidates: number;
  readonly seed: number;
  readonly model?: string;
  readonly engine: EngineName | "auto";
  readonly threads?: number;
  readonly out: string;
  /** An error about an option's value, in the command's words. */
  refuse(rule: string, value: unknown, cause?: unknown): RangeError;
}

/**
 * Reads the demo's options.
 *
 * @throws {RangeError} When one is unknown, has no sense, or contradicts
 * another.
 */
export function parseDemoOptions(args: readonly string[]): DemoOptions {
  const line = new CommandLine("run the demo", args, {
    values: [
      ...["image", "reference", "data", "split", "case", "rater", "box"],
      ...["choose", "iterations", "samples", "candidates", "seed", "model"],
      ...["engine", "threads", "out"],
    ],
    repeated: ["point", "negative"],
    flags: ["interactive"],
  });
  const point = (name: string, label: 0 | 1) => (text: string): Point => {
    const [x, y] = line.numbers(name, text, "X,Y");
    return { x, y, label };
  };
  const points = [
    ...line.texts("point").map(point("point", 1)),
    ...line.texts("negative").map(point("negative", 0)),
  ];
  checkCombination(line, points);
  const candidates = line.integer("candidates", 4, { min: 1, max: 16 });
  return {
    help: line.has("help"),
    image: line.text("image"),
    reference: line.text("reference"),
    data: line.text("data"),
    split: line.oneOf("split", ["train", "val", "test"], "val"),
    caseId: line.text("case"),
    rater: line.text("rater"),
    points,
    box: readBox(line),
    interactive: line.has("interactive"),
    choices: readChoices(line, candidates),
    iterations: line.integer("iterations", 6, { min: 1, max: 60 }),
    samples: line.integer("samples", 48, { min: 1, max: 1024 }),
    candidates,
    seed: line.integer("seed", 0, SEEDS),
    model: line.text("model"),
    engine: line.oneOf("engine", ["auto", ...ENGINE_NAMES], "auto"),
    threads: line.has("threads")
      ? line.integer("threads", 1, THREADS)
      : undefined,
    out: line.text("out") ?? "out/demo",
    refuse: (rule, value, cause) => line.refuse(rule, value, cause),
  };
}

/** Refuses options that exclude each other or need another. */
function checkCombination(line: CommandLine, points: readonly Point[]): void {
  const exclusive = [
    ["image", "data"],
    ["image", "case"],
    ["image", "rater"],
    ["interactive", "choose"],
  ];
  for (const [one, other] of exclusive) {
    if (line.has(one) && line.has(other)) {
      throw line.refuse(
        `--${one} and --${other} must not be given together`,
        "both",
      );
    }
  }
  if (line.has("reference") && !line.has("image")) {
    throw line.refuse("--reference must come with --image", "none");
  }
  const started = line.has("box") || points.some(({ label }) => label === 1);
  if (points.length > 0 && !started) {
    throw line.refuse(
      "--negative must come with a --point or a --box",
      "neither",
    );
  }
  if (line.has("image") && !line.has("reference") && !started) {
    throw line.refuse("--image must come with a --point or a --box", "neither");
  }
}

function readBox(line: CommandLine): Box | undefined {
  const text = line.text("box");
  if (text === undefined) return undefined;
  const [left, top, right, bottom] = line.numbers("box", text, "L,T,R,B");
  return { left, top, right, bottom };
}

function readChoices(line: CommandLine, candidates: number) {
  return line.text("choose")?.split(",").map((part) => {
    const number = Number(part);
    if (Number.isInteger(number) && number >= 1 && number <= candidates) {
      return number - 1;
    }
    throw line.refuse(
      `--choose must be candidates' numbers, 1..${candidates}`,
      line.text("choose"),
    );
  });
}
