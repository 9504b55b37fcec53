// @ts-types="@types/ndarray"
import ndarray from "ndarray";
import assert from "node:assert/strict";
import { join } from "node:path";
import { describeError } from "../../src/commands/command_line.ts";
import { parseDemoOptions } from "../../src/commands/demo/options.ts";
import { runDemo } from "../../src/commands/demo/run.ts";
import { doubtOf } from "../../src/commands/demo/demo_step.ts";
import { openSubject } from "../../src/commands/demo/subject.ts";
import { parseAnswer } from "../../src/commands/demo/users.ts";
import { readImage } from "../../src/formats/read_image.ts";
import { readMask } from "../../src/formats/read_mask.ts";
import { writeMask } from "../../src/formats/write_mask.ts";
import type { Point } from "../../src/spa/feedback.ts";
import type { Box } from "../../src/spa/frame.ts";
import { profileFromJSON } from "../../src/spa/profile.ts";
import { dice } from "../../src/metrics/overlap.ts";
import { handProposal } from "../helpers/proposal.ts";
import { temporaryFolder } from "../helpers/temporary_folder.ts";

const SAMPLE = "data/phantoms/fundus-3"; // the one shown by default

/** Runs the demo with lines typed; returns what it printed and its files. */
async function demo(args: string[], typed: string[] = [], folder?: string) {
  const out = folder ?? await temporaryFolder();
  const printed: string[] = [];
  const lines = [...typed];
  await runDemo([...args, "--out", out], {
    print: (text) => printed.push(text),
    readLine: () => Promise.resolve(lines.shift()),
  });
  const files = [...Deno.readDirSync(out)].map(({ name }) => name).sort();
  return { out, printed: printed.join("\n"), files };
}

/** The one line that a failing demo prints, and nothing before it. */
async function refusal(...args: string[]): Promise<string> {
  try {
    await runDemo(["--out", await temporaryFolder(), ...args], {
      print: (text) => assert.fail(`printed ${text}`),
      readLine: () => Promise.resolve(undefined),
    });
  } catch (error) {
    return describeError(error);
  }
  throw new Error(`no error of ${args.join(" ")}`);
}

Deno.test("the demo aligns the sample with its rater and writes all its files", async () => {
  const { out, printed, files } = await demo(["--iterations", "3"]);
  assert.deepEqual(files, [
    "dice.png",
    "entropy-first.png",
    "entropy-last.png",
    "mask.png",
    "profile.json",
    "proposal-1.png",
    "proposal-2.png",
    "proposal-3.png",
    "report.html",
    "result.png",
  ]);
  const rows = printed.split("\n").filter((line) => /^ +\d /.test(line));
  assert.equal(rows.length, 3);
  const last = Number(rows[2].trim().split(/\s+/)[1]);
  const mask = await readMask(join(out, "mask.png"));
  const truth = await readMask(`${SAMPLE}/rater_strict.png`);
  assert.ok(Math.abs(dice(mask, truth) - last) < 6e-4, "Dice as printed");
  profileFromJSON(await Deno.readTextFile(join(out, "profile.json")));
  const [height, width] = (await readImage(join(out, "proposal-1.png"))).shape;
  assert.ok(width === 1800 && height > 1000, `${width} x ${height}`);
  const report = await Deno.readTextFile(join(out, "report.html"));
  assert.equal(/(src|href)="https?:/.test(report), false, "self-contained");
  assert.match(report, /Proposal 3/);
});

Deno.test("the demo's random click is elsewhere in every mask, and stays there", async () => {
  const place = async (...args: string[]) => {
    const { points: [{ x, y }], reference } = await openSubject(
      parseDemoOptions(args),
    );
    const { data, shape: [, width] } = reference!;
    const inside = [...data.keys()].filter((i) => data[i] > 0);
    return inside.indexOf(y * width + x) / inside.length;
  };
  const file = (name: string) => [
    ...["--image", `${SAMPLE}/image.png`],
    ...["--reference", `${SAMPLE}/rater_${name}.png`],
  ];
  const subjects = [
    ...["kidney-13", "nodule-2"].flatMap((id) =>
      ["strict", "generous"].map((rater) => ["--case", id, "--rater", rater])
    ),
    file("strict"),
    file("generous"),
  ];
  const places = await Promise.all(subjects.map((args) => place(...args)));
  assert.ok(places.every((each) => each >= 0), "inside");
  assert.ok(Math.max(...places) - Math.min(...places) > 0.3, `${places}`);
  const apart = places.toSorted((a, b) => a - b)
    .map((each, i, all) => each - (all[i - 1] ?? -1));
  assert.ok(Math.min(...apart) > 0.002, `${places}`); // of small masks: a pixel
  assert.equal(await place(...subjects[0]), places[0]);
  assert.notEqual(await place(...subjects[0], "--seed", "1"), places[0]);
});

Deno.test("the demo without a known mask follows a script, then accepts", async () => {
  const image = ["--image", `${SAMPLE}/image.png`, "--point", "50,35"];
  const { printed, files } = await demo([...image, "--choose", "1,1"]);
  assert.ok(files.includes("proposal-3.png") && !files.includes("dice.png"));
  assert.match(printed, /candidate 1 of/);
  assert.doesNotMatch(printed, /Dice/);
});

Deno.test("the interactive demo takes picks, undo, clicks and the input's end", async () => {
  const args = ["--image", `${SAMPLE}/image.png`, "--point", "50,35"];
  const typed = [
    "7",
    "u",
    "1",
    "u",
    "1",
    "+500,5",
    "-5,5",
    "+",
    "-",
    "n",
    "a2",
  ];
  const { printed, files, out } = await demo([...args, "--interactive"], typed);
  assert.match(printed, /Cannot use the point.*\(500, 5\)/);
  assert.match(printed, /Not understood: 7/);
  assert.match(printed, /Nothing to undo/);
  assert.ok(files.includes("mask.png") && files.includes("proposal-6.png"));
  const report = await Deno.readTextFile(join(out, "report.html"));
  assert.match(report, /The user lets the network look closer\./);
  assert.match(report, /The user accepts candidate 2\./);
  const ended = await demo([...args, "--interactive"], []);
  assert.equal(ended.files.includes("mask.png"), false, "nothing accepted");
});

Deno.test("the demo says where its recommendation is empty or misses what was pointed at", async () => {
  const { recommended, ...rest } = handProposal(); // x and y in 4..7
  const proposal = { recommended, ...rest };
  const [inside, away] = [{ x: 7.4, y: 4 }, { x: 8, y: 4 }];
  const note = (points: Point[], box?: Box) =>
    doubtOf({ proposal, points }, box);
  assert.equal(note([inside, { ...away, label: 0 }]), undefined);
  assert.match(
    note([inside, away])!,
    /leaves out the click inside at \(8, 4\)/,
  );
  const [left, top, right, bottom] = [0, 0, 4, 4];
  assert.equal(note([], { left, top, right, bottom }), undefined);
  assert.match(note([], { left, top, right, bottom: 3 })!, /outside the box/);
  const empty = ndarray(new Uint8Array(12 * 16), [12, 16]);
  const nothing = { ...proposal, recommended: { ...recommended, mask: empty } };
  assert.match(doubtOf({ proposal: nothing, points: [] })!, /is empty/);

  const image = ["--image", `${SAMPLE}/image.png`, "--point", "2,2"]
    .concat("--point", "64,64"); // two things far apart
  const { printed } = await demo(image);
  assert.match(
    printed,
    /\nNote: .* click inside at \(2, 2\).*\. It was accepted/,
  );
  const asked = await demo([...image, "--interactive"], ["q"]);
  assert.match(
    asked.printed,
    /\nNote: .* click inside at \(2, 2\).*\.\n/,
  );
});

Deno.test("the demo's report says who chose", async () => {
  const image = ["--image", `${SAMPLE}/image.png`, "--point", "61,40"];
  const runs: [string[], RegExp, RegExp][] = [
    [[], /nobody picks one here/, /accepted as it is\./],
    [["--choose", "2"], /picked by number/, /The script picks candidate 2/],
    [
      ["--interactive"],
      /the user picks the nearest/,
      /The user accepts the recommendation\./,
    ],
    [
      ["--reference", `${SAMPLE}/rater_strict.png`, "--iterations", "2"],
      /a simulated user, who has the reference mask in mind/,
      /The simulated user accepts the recommendation, Dice 0\.\d{3}\./,
    ],
  ];
  for (const [args, lead, done] of runs) {
    const { out } = await demo([...image, ...args], ["a"]);
    const report = await Deno.readTextFile(join(out, "report.html"));
    assert.match(report, lead);
    assert.match(report, done);
    const real = args.includes("--interactive");
    assert.equal(/the user /i.test(report), real, args.join(" "));
  }
});

Deno.test("the demo leaves no picture of an earlier, longer run in its folder", async () => {
  const folder = await temporaryFolder();
  const earlier = [
    "proposal-7.png",
    "dice.png",
    "proposal-1b.png",
    "notes.txt",
  ];
  for (const name of earlier) {
    await Deno.writeTextFile(join(folder, name), "earlier");
  }
  const { files } = await demo(["--iterations", "1"], [], folder);
  assert.deepEqual(files, [
    "entropy-first.png",
    "mask.png",
    "notes.txt", // not the demo's own
    "profile.json",
    "proposal-1.png",
    "proposal-1b.png",
    "report.html",
    "result.png",
  ]);
});

Deno.test("the demo hides the rater's mask from whoever chooses, unless asked", async () => {
  const typed = () => ["a"];
  const hidden = await demo(["--interactive"], typed());
  assert.doesNotMatch(hidden.printed, /Dice|strict/);
  const shown = await demo(["--interactive", "--rater", "strict"], typed());
  assert.match(shown.printed, /Dice 0\.\d{3}/);
});

Deno.test("the demo as a command: help on stdout, an error on stderr and exit code 1", async () => {
  const run = async (...args: string[]) => {
    const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "src/commands/demo/main.ts", ...args],
      env: { NO_COLOR: "1" },
    }).output();
    const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
    return { code, stdout: text(stdout), stderr: text(stderr) };
  };
  const help = await run("--help");
  assert.equal(help.code, 0);
  assert.match(help.stdout, /--interactive/);
  const failed = await run("--case", "kidny-13");
  assert.equal(failed.code, 1);
  assert.equal(failed.stdout, "");
  assert.match(failed.stderr, /^Cannot run the demo as --case .+\n$/);
});

Deno.test("parseAnswer() reads keys and clicks", () => {
  assert.deepEqual(parseAnswer(" 2 ", 4), { kind: "choose", candidate: 1 });
  assert.deepEqual(parseAnswer("A", 4), { kind: "accept" });
  assert.deepEqual(parseAnswer("-3, 4.5", 4), {
    kind: "click",
    point: { x: 3, y: 4.5, label: 0 },
  });
  assert.deepEqual(parseAnswer("a 3", 4), { kind: "accept", candidate: 2 });
  assert.deepEqual(parseAnswer("+", 4), { kind: "zoom", factor: 1.5 });
  assert.deepEqual(parseAnswer("-", 4), { kind: "zoom", factor: 1 / 1.5 });
  assert.deepEqual(parseAnswer("n", 4), { kind: "again" });
  assert.equal(parseAnswer("a5", 4), undefined);
  assert.equal(parseAnswer("5", 4), undefined);
  assert.equal(parseAnswer("0", 4), undefined);
  assert.equal(parseAnswer("", 4), undefined);
});

Deno.test("the demo refuses a folder that is a file", async () => {
  const file = join(await temporaryFolder(), "file");
  await Deno.writeTextFile(file, "");
  const failing = demo(["--iterations", "1"], [], file);
  await assert.rejects(failing, /--out must be a folder to write to/);
});

Deno.test("the demo's errors are one clear line", async () => {
  const image = `${SAMPLE}/image.png`;
  const empty = join(await temporaryFolder(), "empty.png");
  await writeMask(ndarray(new Uint8Array(128 * 128), [128, 128]), empty);
  const cases: [string[], RegExp][] = [
    [["--image", image, "--reference", empty], /empty mask of 128 x 128/],
    [["--image", image, "--case", "a"], /--image and --case/],
    [["--negative", "1,1"], /--negative must come with a --point/],
    [["--image", image, "--box", "9,9,3,3"], /left must be < right/],
    [["--data", "missing"], /folder must exist.*missing/],
    [["--choose", "1,5"], /--choose must be candidates' numbers, 1\.\.4/],
    [["--model", "missing.safetensors"], /missing\.safetensors/],
    [["--frobnicate"], /Unknown option '--frobnicate'/],
    [["--image", "missing.png", "--point", "1,1"], /missing\.png/],
    [["--image", "deno.json", "--point", "1,1"], /image.*deno\.json/],
    [["--image", image], /--image must come with a --point or a --box/],
    [["--image", image, "--point", "500,1"], /x in 0\.\.127.*\(500, 1\)/],
    [["--image", image, "--point", "-1,5"], /x in 0\.\.127.*\(-1, 5\)/],
    [["--image", image, "--point", "a,b"], /--point must be numbers.*a,b/],
    [["--case", "kidny-13"], /such as kidney-13.*kidny-13/],
    [["--rater", "nobody"], /nobody/],
    [["--engine", "abacus"], /--engine must be one of auto, onnx.*abacus/],
    [["--model", image], /safetensors/],
    [["--seed=-1"], /--seed must be a whole number/],
    [["--seed", "-1"], /--seed must be a whole number.*value is -1/],
    [["--out", "-x"], /'--out' argument is ambiguous; .*use '--out=-XYZ'/],
    [
      [
        "--image",
        image,
        "--reference",
        "data/phantoms/nodule-2/rater_strict.png",
      ],
      /must have the image's size, 128 x 128/,
    ],
  ];
  for (const [args, expected] of cases) {
    const line = await refusal(...args);
    assert.match(line, expected, args.join(" "));
    assert.equal(line.includes("\n"), false, line);
  }
});
