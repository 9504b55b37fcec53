import assert from "node:assert/strict";
import { fillReadme, stateOf } from "../../src/commands/results/main.ts";
import { PAGES } from "../../src/commands/results/pages.ts";
import {
  type Claim,
  claimsTable,
  verdictOf,
} from "../../src/commands/results/record_tables.ts";
import {
  argumentsOf,
  FAMILIES,
  familiesArguments,
  recordName,
  STUDIES,
  tableOf,
  trainedName,
  trainingArguments,
  TRAININGS,
  weightsOf,
} from "../../src/commands/results/studies.ts";
import {
  readMethod,
  readRecipe,
  TRAIN,
} from "../../src/commands/train/options.ts";
import { methodVersion, versionOf } from "../../src/commands/method_version.ts";
import { CommandLine } from "../../src/commands/command_line.ts";
import { EVALUATE, readSettings } from "../../src/commands/evaluate/options.ts";
import type { SavedEvaluation } from "../../src/evaluation/saved_evaluation.ts";
import { temporaryFolder } from "../helpers/temporary_folder.ts";
import { evaluation, targetOf } from "../helpers/evaluation_results.ts";

const now = {
  weights: { tiny: "0123" },
  code: "new",
  quick: new Set<string>(),
};
const current = { model: "0123", code: "new" };

Deno.test("a study is stale under other weights or another version of the method", () => {
  const done = { ...evaluation("a", "b", "c"), code: "new" };
  assert.equal(stateOf(undefined, current), "missing");
  assert.equal(stateOf(done, current), "done");
  assert.equal(stateOf({ ...evaluation("a"), code: "new" }, current), "begun");
  assert.equal(stateOf({ ...done, code: "old" }, current), "stale");
  assert.equal(stateOf({ ...done, code: "old; new" }, current), "stale");
  assert.equal(stateOf(done, { ...current, model: "4567" }), "stale");
});

Deno.test("the method's version is a digest, and stays", () => {
  assert.match(methodVersion(), /^[0-9a-f]{16}$/);
  assert.equal(methodVersion(), methodVersion());
});

Deno.test("code has one version wherever its declarations stand, and another when one changes", () => {
  const one = 'import { a } from "./a.ts";\n\nconst B = 2;\n\n';
  const other =
    "/** Adds. */\nexport function add(x: number) {\n  return x + B;\n}\n";
  const version = versionOf([one, other]);
  assert.equal(versionOf([other.replace("export ", "") + one]), version);
  assert.notEqual(versionOf([one, other.replace("+", "-")]), version);
  assert.notEqual(versionOf([one.replace("2", "3"), other]), version);
});

Deno.test("every study has a name of its own, and options that evaluate understands", () => {
  const names = STUDIES.map(({ id }) => id);
  assert.equal(new Set(names).size, names.length);
  for (const study of STUDIES) {
    const args = argumentsOf(study, "data", false);
    readSettings(new CommandLine(EVALUATE, args));
    const [first] = study.data;
    assert.equal(args[1], first === FAMILIES ? first : `data/${first}`);
    assert.equal(args.includes("--every"), study.every > 1);
    assert.ok(!argumentsOf(study, "data", true).includes("--every"));
    assert.equal(
      recordName(study, true) === recordName(study, false),
      study.every === 1,
    );
  }
  for (const { needs, wants = [] } of PAGES) {
    for (const id of [...needs, ...wants]) assert.ok(names.includes(id), id);
  }
});

Deno.test("a training's file tells what it began with, through every training before it", () => {
  const names = (weights: Record<string, string>) =>
    Object.fromEntries(
      TRAININGS.map(({ id }) => [id, trainedName(id, weights)!]),
    );
  const one = names({ tiny: "a", small: "b" });
  const other = names({ tiny: "c", small: "b" });
  assert.match(one.click, /^click-[0-9a-f]{16}\.safetensors$/);
  assert.notEqual(one.click, other.click);
  assert.equal(one.unet, other.unet, "it begins with random weights");
  assert.equal(one.mrnet, other.mrnet);
  assert.notEqual(one["label-sampling"], one.mrnet);
  assert.equal(one["box-small"], other["box-small"]);
  assert.equal(trainedName("tiny", { tiny: "a" }), undefined);
});

Deno.test("every training has options that train understands, and begins with one that is there", () => {
  const fileOf = (id: string) => `${id}.safetensors`;
  const ids = TRAININGS.map(({ id }) => id);
  for (const training of TRAININGS) {
    const args = trainingArguments(training, "data", fileOf);
    const line = new CommandLine(TRAIN, args);
    assert.ok(readRecipe(line).steps >= 100);
    const at = args.indexOf("--method") + 1;
    assert.equal(readMethod(line), at > 0 ? args[at] : "spa");
    const { from } = training;
    const known = ["tiny", "small"].includes(from!);
    assert.ok(!from || known || ids.indexOf(from) < ids.indexOf(training.id));
    assert.equal(
      line.text("init"),
      known || !from ? from : `${from}.safetensors`,
    );
  }
  const rows = tableOf("nerves");
  assert.equal(rows["SAM-U"], "table-sam-u-nerves");
  assert.equal(rows["SAM-U on LiteMedSAM"], "table-sam-u-small-nerves");
  const study = STUDIES.find(({ id }) => id === rows["SAM-U on LiteMedSAM"])!;
  const text = argumentsOf(study, "data", true, fileOf).join(" ");
  assert.match(text, /--model box-small\.safetensors .*--method sam-u/);
  assert.equal(weightsOf(study, { "box-small": "0123" }), "0123");
});

Deno.test("a claim holds where the whole interval is on the right side of its bound", () => {
  const claim = (
    kind: Claim["kind"],
    low: number,
    high: number,
  ): Claim => ({
    ...{ text: "a", value: 0.5, bound: 0.5, study: "b" },
    interval: [low, high],
    kind,
  });
  assert.equal(verdictOf(claim("at least", 0.51, 0.6)), "holds");
  assert.equal(verdictOf(claim("at least", 0.4, 0.6)), "not shown");
  assert.equal(verdictOf(claim("at least", 0.3, 0.4)), "does not hold");
  assert.equal(verdictOf(claim("at most", 0.3, 0.4)), "holds");
  assert.equal(verdictOf(claim("at most", 0.51, 0.6)), "does not hold");
  assert.equal(verdictOf(claim("at most", NaN, NaN)), "not shown");
  assert.deepEqual(claimsTable([claim("at most", 0.3, 0.4)]).rows, [
    ["a", "at most 0.5", 0.5, "0.3000..0.4000", "holds", "b"],
  ]);
});

/** A record of three targets, one for each patient. */
function record(dices: readonly (readonly number[])[]): SavedEvaluation {
  const saved = evaluation();
  return {
    ...saved,
    code: "new",
    done: {
      both: saved.cases.map((id, i) => ({
        case: id,
        results: [targetOf(id, dices[i])],
      })),
    },
  };
}

Deno.test("the page of regions has the means of its records, and says what has not run", () => {
  const six = (first: number) => [first, 0.5, 0.75, 0.75, 0.75, 0.875];
  const crops = record([six(0.5), six(0.625), six(0.75)]);
  const canvas = record([six(0.25), six(0.5), six(0.75)]);
  const page = PAGES.find(({ file }) => file === "regions.md")!;
  const records = new Map(
    page.needs.map((id) => [id, id === "lidc-pad512" ? canvas : crops]),
  );
  const text = page.render(records, { ...now, quick: new Set(["lidc-auto"]) });
  assert.match(text, /\| whole crop \| 0\.6250 \| 0\.5000 \| 0\.7500 /);
  assert.match(text, /\| found in 512 x 512 \| 0\.5000 \| 0\.5000 \| 0\.7500 /);
  assert.match(
    text,
    /\| found in 512 x 512 \| 1 \| 0\.6250 \| 0\.5000 \| -0\.1250 \|/,
  );
  assert.match(text, /\| lidc-box \| – \| – \| – \| not run \|/);
  assert.match(
    text,
    /\| lidc-auto \| 3 \| 0123 \| new \| current \| .*lidc_crops --region auto \|/,
  );
  assert.match(
    text,
    /\| lidc-whole \| 3 \| 0123 \| new \| current \| [^|]*crops --region whole/,
  );
  assert.doesNotMatch(text, /Whole images of other kinds/);
});

Deno.test("the page of methods has a row for each method that was measured, and SPA's lead", () => {
  const six = (last: number) => [0.5, 0.5, 0.75, 0.75, 0.75, last];
  const page = PAGES.find(({ file }) => file === "baselines.md")!;
  const records = new Map([
    ...page.needs.map((id) => [id, record([six(0.75), six(0.75), six(0.75)])]),
    ["table-unet-lidc", record([six(0.5), six(0.5), six(0.25)])],
  ] as [string, SavedEvaluation][]);
  const text = page.render(records, now);
  const [, nodules] = text.split("## Lung nodules, CT");
  const [table] = nodules.split("\n## ");
  assert.match(
    table,
    /\| U-Net \| 0\.500 \| 0\.750 \| 0\.417 \| 0\.333 \| 0\.\d+\.\.0\.\d+ \|/,
  );
  assert.match(table, /\| SPA \| 0\.500 \| 0\.750 \| 0\.750 \| – \| – \|/);
  assert.doesNotMatch(table, /Swin/);
  assert.match(
    text,
    /\| swin-unet \| train --data \$DATA\/lidc_crops .*--steps 1500/,
  );
  assert.match(text, /\| table-swin-unet-cells \| – \|.* not run \|/);
});

Deno.test("the page of nested answers has a row for each level, and says what does not hold", () => {
  const page = PAGES.find(({ file }) => file === "nested.md")!;
  const saved = evaluation("a");
  const results = (first: number, carried?: true) =>
    ["part", "object", "whole"].map((rater, index) => ({
      ...targetOf("a", [first, 0.75]),
      ...{ rater, index, carried },
    }));
  const variants = { both: 0.5, carried: 0.75, wrong: 0.25 };
  const text = page.render(
    new Map([["nested", {
      ...saved,
      code: "new",
      settings: { ...saved.settings, variants: Object.keys(variants) },
      done: Object.fromEntries(
        Object.entries(variants).map(([name, first]) => [name, [{
          case: "a",
          results: results(first, name === "both" ? undefined : true),
        }]]),
      ),
    } as SavedEvaluation]]),
    now,
  );
  assert.match(text, /\| part \| 0\.500 \| 0\.\d+ \| 0\.750 \| 1 \|/);
  assert.match(
    text,
    /\| whole: Dice after one pick \| at least 0\.85 \| 0\.7500 \|/,
  );
  assert.match(text, /the own profile's gain .* \| at least 0 \| 0\.2500 \|/);
  assert.match(text, /another's profile's gain \| at most 0 \| -0\.2500 \|/);
  assert.match(text, /\| nested-ablation \| – \| .*not run/);
  assert.ok(text.includes(familiesArguments("$DATA").join(" ")));
});

Deno.test("README's table is made of the records, and stays without them", () => {
  const begin = "<!-- results: written by deno task results -->";
  const end = "<!-- end of results -->";
  const text = `a\n${begin}\n\nold\n\n${end}\nb\n`;
  const records = new Map([["lidc-whole", record([[0.5], [0.75], [1]])]]);
  const filled = fillReadme(text, records)!;
  assert.match(
    filled,
    /\| `tiny`: lung nodules \| 3 \| 0\.750 \| – \| – \|/,
  );
  assert.ok(filled.startsWith(`a\n${begin}\n`));
  assert.ok(filled.endsWith(`${end}\nb\n`));
  assert.ok(!filled.includes("old"));
  assert.equal(fillReadme(text, new Map()), undefined);
  assert.equal(fillReadme("no place", records), undefined);
});

Deno.test("without records the command leaves every page and README as they are", async () => {
  const records = await temporaryFolder();
  const readme = await Deno.readTextFile("README.md");
  const { success, stdout } = await new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "-A", "src/commands/results/main.ts"],
      ...["--render", "--records", records],
    ],
  }).output();
  assert.ok(success);
  const printed = new TextDecoder().decode(stdout);
  for (const { file } of PAGES) {
    assert.ok(printed.includes(`${file}: left as it is`), file);
  }
  assert.equal(await Deno.readTextFile("README.md"), readme);
});
