import {
  CANDIDATES,
  type Command,
  CommandLine,
  ENGINE,
  MODEL,
  readThreads,
  SAMPLES,
  SEEDS,
  SPLITS,
  THREADS,
} from "../command_line.ts";
import type { EngineName } from "../../engine/active_engine.ts";
import type { Point } from "../../spa/feedback.ts";
import type { Box } from "../../spa/frame.ts";

const COMMAND: Command = {
  action: "run the demo",
  usage: ["deno task demo [options]"],
  about:
    "Aligns a segmentation with a user in a few choices, and draws every step. Without options: a sample phantom and a simulated user with one rater's mask in mind.",
  options: {
    "What to segment": {
      image: {
        value: "FILE",
        help:
          "PNG, JPEG, TIFF, NIfTI, DICOM (or a folder with a series) or NPY; needs a --point or a --box",
      },
      reference: {
        value: "FILE",
        help: "mask of --image, which a simulated user aims at",
      },
      data: {
        value: "FOLDER",
        help:
          "multi-rater cases (CASE/image.png with CASE/rater*.png, or LIDC crops)",
      },
      split: {
        words: SPLITS,
        default: "val",
        help: "split, where the folder has splits",
      },
      case: {
        value: "ID",
        help: "a case of --data, or of the sample phantoms",
      },
      rater: {
        value: "NAME",
        help: "rater whose mask the simulated user aims at",
      },
      point: {
        value: "X,Y",
        repeated: true,
        help: "click inside, in pixels",
      },
      negative: { value: "X,Y", repeated: true, help: "click outside" },
      box: {
        value: "L,T,R,B",
        help:
          "box around the object; without clicks and box, a random pixel of the rater's mask is the click",
      },
    },
    "Who chooses": {
      interactive: {
        help: "you: 1 to 4 picks, a accepts, u undoes, + and - zoom, q quits",
      },
      choose: {
        value: "1,3,2",
        help:
          "picks these candidates, then accepts. Without --choose and --interactive a simulated user picks; where no mask is known, the first proposal is accepted",
      },
    },
    "How": {
      iterations: {
        value: "N",
        min: 1,
        max: 60,
        default: 6,
        help: "proposals of the simulated user",
      },
      samples: SAMPLES,
      candidates: CANDIDATES,
      seed: { ...SEEDS, default: 0, help: "of clicks and samples" },
      model: MODEL,
      engine: ENGINE,
      threads: THREADS,
      out: {
        value: "FOLDER",
        default: "out/demo",
        help: "folder of the pictures",
      },
    },
  },
};

/** The demo's options. */
export interface DemoOptions {
  /** The text of `--help`, where it was asked for. */
  readonly help?: string;
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
  readonly model: string;
  readonly engine: EngineName | "auto";
  readonly threads?: number;
  readonly out: string;
  /** An error about an option's value, in the command's words. */
  refuse(rule: string, value: unknown, cause?: unknown): RangeError;
}

/**
 * Reads the demo's options.
 *
 * @throws {RangeError} When one is unknown or invalid, or contradicts another.
 */
export function parseDemoOptions(args: readonly string[]): DemoOptions {
  const line = new CommandLine(COMMAND, args);
  const point = (name: string, label: 0 | 1) => (text: string): Point => {
    const [x, y] = line.numbers(name, text, "X,Y");
    return { x, y, label };
  };
  const points = [
    ...line.texts("point").map(point("point", 1)),
    ...line.texts("negative").map(point("negative", 0)),
  ];
  checkCombination(line, points);
  const candidates = line.integer("candidates");
  return {
    help: line.help,
    image: line.text("image"),
    reference: line.text("reference"),
    data: line.text("data"),
    split: line.oneOf("split", SPLITS),
    caseId: line.text("case"),
    rater: line.text("rater"),
    points,
    box: readBox(line),
    interactive: line.has("interactive"),
    choices: readChoices(line, candidates),
    iterations: line.integer("iterations"),
    samples: line.integer("samples"),
    candidates,
    seed: line.integer("seed"),
    model: line.text<string>("model"),
    engine: line.oneOf("engine", ENGINE.words),
    ...readThreads(line),
    out: line.text<string>("out"),
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
