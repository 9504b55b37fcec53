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
  recordName,
  STUDIES,
} from "../../src/commands/results/studies.ts";
import { methodVersion, versionOf } from "../../src/commands/method_version.ts";
import { CommandLine } from "../../src/commands/command_line.ts";
import { EVALUATE, readSettings } from "../../src/commands/evaluate/options.ts";
import type { SavedEvaluation } from "../../src/evaluation/saved_evaluation.ts";
import { temporaryFolder } from "../helpers/temporary_folder.ts";
import { evaluation, targetOf } from "../helpers/evaluation_results.ts";

const now = { model: "0123", code: "new", quick: new Set<string>() };

Deno.test("a study is stale under other weights or another version of the method", () => {
  const done = { ...evaluation("a", "b", "c"), code: "new" };
  assert.equal(stateOf(undefined, now), "missing");
  assert.equal(stateOf(done, now), "done");
  assert.equal(stateOf({ ...evaluation("a"), code: "new" }, now), "begun");
  assert.equal(stateOf({ ...done, code: "old" }, now), "stale");
  assert.equal(stateOf({ ...done, code: "old; new" }, now), "stale");
  assert.equal(stateOf(done, { ...now, model: "4567" }), "stale");
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
    assert.equal(args[1], `data/${study.data[0]}`);
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
