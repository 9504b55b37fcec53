/** The user study: from the plan over simulated persons to the analysis. */
import assert from "node:assert/strict";
import { join } from "node:path";
import {
  compareArms,
  type Pair,
  pairedTable,
  pairsOf,
  personsTable,
  readTurns,
  studyClaims,
  type Turn,
} from "../../src/commands/study/analysis.ts";
import { makePlan } from "../../src/commands/study/plan.ts";
import { useEngine } from "../../src/engine/engine.ts";
import { dice } from "../../src/metrics/overlap.ts";
import { Model } from "../../src/model/model.ts";
import { annotate, annotateAt } from "../../src/notebook/annotate.ts";
import { userOf } from "../../src/notebook/annotate_options.ts";
import type { AnnotationImage } from "../../src/notebook/annotation_images.ts";
import {
  blockFolder,
  readStudyPlan,
  type StudyPlan,
} from "../../src/notebook/annotation_plan.ts";
import type { AnnotationRecord } from "../../src/notebook/annotation_record.ts";
import { createRandom } from "../../src/random.ts";
import { markdownTable } from "../../src/table.ts";
import { playHost, posts } from "../helpers/pick_host.ts";
import {
  discImage,
  discMask,
  noisyWeights,
  smallConfig,
} from "../helpers/small_model.ts";
import { inFolder, temporaryFolder } from "../helpers/temporary_folder.ts";

await useEngine("auto", { threads: 1 });
const model = new Model(smallConfig, noisyWeights(smallConfig));
const IDS = Array.from({ length: 101 }, (_, i) => `image${i}`);
const PERSONS = ["ana", "ben", "cem", "dot"];
const plan = makePlan(IDS, PERSONS, 9, 5);

Deno.test("everyone does every image of the plan once by picks and once by clicks", () => {
  const chosen = [...plan.persons.ana[0].images, ...plan.persons.ana[1].images];
  assert.equal(new Set(chosen).size, 9);
  for (const blocks of Object.values(plan.persons)) {
    assert.deepEqual(blocks.map(({ images }) => images.length), [5, 4, 5, 4]);
    for (const arm of ["picks", "clicks"]) {
      const own = blocks.filter((block) => block.arm === arm)
        .flatMap(({ images }) => images);
      assert.deepEqual(own.toSorted(), chosen.toSorted());
    }
  }
});

Deno.test("each image is met first by picks by as many persons as by clicks", () => {
  for (const id of plan.persons.ana.flatMap(({ images }) => images)) {
    const first = Object.values(plan.persons).map((blocks) =>
      blocks.find(({ images }) => images.includes(id))!.arm
    );
    assert.deepEqual(first.toSorted(), ["clicks", "clicks", "picks", "picks"]);
  }
});

Deno.test("half of the persons begin with picks, and a whole block lies between an image's two turns", () => {
  const arms = Object.values(plan.persons).map((blocks) =>
    blocks.map(({ arm }) => arm[0]).join("")
  );
  assert.deepEqual(arms, ["pccp", "cppc", "pccp", "cppc"]);
  for (const [one, two, three, four] of Object.values(plan.persons)) {
    assert.deepEqual(one.images.toSorted(), three.images.toSorted());
    assert.deepEqual(two.images.toSorted(), four.images.toSorted());
  }
});

Deno.test("the order is drawn anew for each person and block, the same from the same seed", () => {
  assert.deepEqual(makePlan(IDS, PERSONS, 9, 5), plan);
  assert.notDeepEqual(makePlan(IDS, PERSONS, 9, 6).persons, plan.persons);
  const big = makePlan(IDS, PERSONS, 100, 0).persons;
  const orders = Object.values(big).flat().map(({ images }) => `${images}`);
  assert.equal(new Set(orders).size, 16);
});

Deno.test("a plan refuses odd numbers of persons, bad names and too many images", () => {
  const refused = (persons: string[], count: number, error: RegExp) =>
    assert.throws(() => makePlan(IDS, persons, count, 0), error);
  refused(["a", "b", "c"], 9, /an even number.*: current value is 3$/);
  refused([], 9, /an even number.*: current value is 0$/);
  refused(["a", "a"], 9, /a name of their own: current value is a,a$/);
  refused(["a", "../b"], 9, /digits, _ and - only: current value is "..\/b"$/);
  refused(["a", "b"], 102, /as there are at most, 101: current value is 102$/);
  refused(
    ["a", "b"],
    1,
    /the images must be 2 at least.*: current value is 1$/,
  );
});

Deno.test("the difference, the share saved and their intervals are those worked by hand", () => {
  const pairs: Pair[] = ["x", "y"].flatMap((image) => [
    { person: "ana", image, picks: 8, clicks: 10 }, // 2 less
    { person: "ben", image, picks: 6, clicks: 10 }, // 4 less
  ]);
  const found = compareArms(pairs);
  assert.equal(found.picks, 7);
  assert.equal(found.clicks, 10);
  assert.equal(found.difference, -3);
  assert.ok(Math.abs(found.saved - 0.3) < 1e-12);
  // a draw has ana twice (1/4), both, or ben twice (1/4): the ends are these
  assert.deepEqual(found.interval, [-4, -2]);
  const [low, high] = found.savedInterval;
  assert.ok(Math.abs(low - 0.2) < 1e-12 && Math.abs(high - 0.4) < 1e-12);
});

Deno.test("images are drawn as persons are, and one alone gives no interval", () => {
  const of = (persons: string[], images: [string, number][]) =>
    compareArms(
      persons.flatMap((person) =>
        images.map(([image, picks]) => ({ person, image, picks, clicks: 10 }))
      ),
    );
  const found = of(["ana", "ben"], [["x", 9], ["y", 5]]);
  assert.deepEqual(found.interval, [-5, -1]); // x twice, or y twice
  assert.deepEqual(of(["ana"], [["x", 9], ["y", 5]]).interval, [NaN, NaN]);
  assert.deepEqual(of(["ana", "ben"], [["x", 9]]).savedInterval, [NaN, NaN]);
});

/** A turn that took so many seconds and iterations. */
function turn(
  [person, image, arm]: readonly [string, string, Turn["arm"]],
  [seconds, iterations]: readonly [number, number],
): Turn {
  const record = { seconds, iterations, picks: [] } as unknown;
  return { person, image, arm, block: 1, record: record as AnnotationRecord };
}

Deno.test("the tables say seconds and iterations of each person, and pair them", () => {
  const turns = [
    turn(["ana", "x", "picks"], [10, 2]),
    turn(["ana", "x", "clicks"], [20, 4]),
    turn(["ana", "y", "picks"], [14, 4]), // no partner
    turn(["ben", "x", "picks"], [30, 3]),
    turn(["ben", "x", "clicks"], [40, 8]),
  ];
  assert.deepEqual(
    pairsOf(turns, ({ iterations }) => iterations).map((pair) => [
      ...[pair.person, pair.picks, pair.clicks],
    ]),
    [["ana", 2, 4], ["ben", 3, 8]],
  );
  assert.deepEqual(personsTable(turns).rows, [
    ["ana", "picks", 2, 12, 3, undefined],
    ["ana", "clicks", 1, 20, 4, undefined],
    ["ben", "picks", 1, 30, 3, undefined],
    ["ben", "clicks", 1, 40, 8, undefined],
  ]);
  assert.deepEqual(pairedTable(turns).rows, [
    ["seconds", "30.0", "20.0", "-10.0", undefined, "33.3 %", undefined]
      .concat([2, 2, 1] as never[]),
    ["iterations", "6.00", "2.50", "-3.50", undefined, "58.3 %", undefined]
      .concat([2, 2, 1] as never[]),
  ]);
  const claims = studyClaims(turns).rows.map((row) => row[4]);
  assert.deepEqual(claims, ["not shown", "not shown"]); // one image: no interval
  const clear = ["ana", "ben"].flatMap((person) =>
    ["x", "y"].flatMap((image) => [
      turn([person, image, "picks"], [10, 3]),
      turn([person, image, "clicks"], [20, 4]),
    ])
  );
  assert.deepEqual(
    studyClaims(clear).rows.map(([, bound, value, interval, verdict]) => [
      ...[bound, value, interval, verdict],
    ]),
    [
      ["at least 0", 0.5, "0.5000..0.5000", "holds"],
      ["at least 0.39", 0.25, "0.2500..0.2500", "does not hold"],
    ],
  );
});

const disc = { x: 12, y: 9, radius: 6 };
const images: AnnotationImage[] = ["a", "b", "c"].map((id, i) => ({
  id,
  readImage: () => Promise.resolve(discImage(20, 28, { ...disc, x: 10 + i })),
  readMask: () => Promise.resolve(discMask(20, 28, { ...disc, x: 10 + i })),
}));

/** A folder with a plan for two persons and three images. */
async function planned(out: string): Promise<StudyPlan> {
  const plan = makePlan(["a", "b", "c"], ["ana", "ben"], 3, 1);
  await Deno.writeTextFile(join(out, "plan.json"), JSON.stringify(plan));
  return plan;
}

/** A simulated person, who accepts what is near enough. */
const simulated = (out: string, person: string) =>
  annotate(model, images, {
    ...{ plan: join(out, "plan.json"), person, out, rater: "1", by: "auto" },
    ...{ iterations: 4, samples: 8 },
    auto: async (proposal, random, reference) => {
      if (dice(proposal.recommended.mask, reference!) > 0.9) {
        return { kind: "accept" };
      }
      const offer = proposal.candidates.length > 0 ? "picks" : "clicks";
      return await userOf(reference!, offer)(proposal, random);
    },
  });

/** Runs `deno task study`. */
async function study(...args: string[]) {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "src/commands/study/main.ts", ...args],
    env: { NO_COLOR: "1" },
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes).trim();
  return { code, stdout: text(stdout), stderr: text(stderr) };
}

const folder = await temporaryFolder();
const drawn = await planned(folder);
const ana = await simulated(folder, "ana");
await simulated(folder, "ben");

Deno.test("annotate() follows the plan: its order, its arms, a folder for each block", async () => {
  assert.deepEqual(await readStudyPlan(join(folder, "plan.json")), drawn);
  assert.deepEqual(
    ana.records.map(({ id }) => id),
    drawn.persons.ana.flatMap(({ images }) => images),
  );
  const turns = await readTurns(drawn, folder);
  assert.equal(turns.length, 12);
  for (const { arm, record } of turns) {
    assert.equal(record.settings.offer, arm);
    assert.equal(record.settings.carry, false);
    const kinds = record.picks.map(({ kind }) => kind);
    const one = arm === "picks" ? "choose" : "click";
    assert.deepEqual(
      kinds,
      [...Array(kinds.length - 1).fill(one), "accept"],
    );
    assert.equal(record.iterations, kinds.length);
  }
});

Deno.test("from the plan over simulated persons to the analysis", async () => {
  const [md, csv] = ["a.md", "a.csv"].map((name) => join(folder, name));
  const { code, stdout, stderr } = await study(
    ...["analyze", join(folder, "plan.json"), "--out", md, "--out", csv],
  );
  assert.equal(code, 0, stderr);
  const [lead, ...rest] = stdout.split("\n\n");
  assert.equal(
    lead,
    "2 persons; 12 of 12 images in all are finished; 12 were answered by a rule, not by a person",
  );
  assert.deepEqual(rest.filter((part) => part.startsWith("#")), [
    ...["## Each person", "## Paired by person and image", "## Claims"],
  ]);
  const turns = await readTurns(drawn, folder);
  assert.ok(rest.includes(markdownTable(pairedTable(turns))));
  assert.equal(await Deno.readTextFile(md), `${rest.join("\n\n")}\n`);
  const rows = (await Deno.readTextFile(csv)).trim().split("\n");
  assert.equal(rows.length, 13);
  assert.equal(
    rows[0],
    "person,image,block,arm,by rule,seconds,iterations,choices,clicks,undone,first Dice,last Dice",
  );
  const { person, image, block, arm, record } = turns[0];
  assert.ok(
    rows[1].startsWith(
      `${person},${image},${block},${arm},1,${record.seconds},${record.iterations},`,
    ),
  );
});

Deno.test("unfinished images are left out of the pairs, and none at all is said", async () => {
  await inFolder(async (out) => {
    const plan = await planned(out);
    const path = join(out, "plan.json");
    const none = await study("analyze", path);
    assert.equal(none.code, 1);
    assert.match(
      none.stderr,
      /^Cannot analyze the study as some image must be finished by one person in both arms: current value is 0 of 12 records in .*, none paired$/,
    );
    await annotate(model, images, {
      ...{ plan: path, person: "ana", block: 2, out, rater: "1", by: "auto" },
      ...{ iterations: 2, samples: 8 },
    });
    const turns = await readTurns(plan, out);
    assert.deepEqual(
      turns.map(({ block, image }) => [block, image]),
      plan.persons.ana[1].images.map((image) => [2, image]),
    );
    assert.deepEqual(pairsOf(turns, ({ seconds }) => seconds), []);
  });
});

Deno.test("a bad record is refused by name: damaged, of the other arm, of other weights", async () => {
  const { arm, images: [id] } = drawn.persons.ben[0];
  const path = join(
    blockFolder(folder, "ben", 1, arm),
    "records",
    `${id}.json`,
  );
  const text = await Deno.readTextFile(path);
  const refused = async (bad: string, error: RegExp) => {
    await Deno.writeTextFile(path, bad);
    try {
      await assert.rejects(readTurns(drawn, folder), error);
    } finally {
      await Deno.writeTextFile(path, text);
    }
  };
  const json = JSON.parse(text);
  const changed = (settings: object) =>
    JSON.stringify({ ...json, settings: { ...json.settings, ...settings } });
  await refused(
    text.slice(0, 99),
    /^RangeError: Cannot analyze the study as the record .* must be JSON/,
  );
  await refused(
    JSON.stringify({ ...json, seconds: -1 }),
    /iterations and the seconds they took: current value is \d and -1/,
  );
  await refused(
    changed({ offer: "picks" }),
    new RegExp(
      `the record of ${id} by ben, block 1, must be of the arm clicks, as planned: current value is picks$`,
    ),
  );
  await refused(
    changed({ weights: "other" }),
    /block 1, must have the same weights as the first, ".*": current value is "other"$/,
  );
});

Deno.test("a plan that is none, an unknown person and another folder are refused", async () => {
  await inFolder(async (out) => {
    const path = join(out, "plan.json");
    const asked = (options: object = {}) =>
      annotate(model, images, {
        ...{ plan: path, person: "ana", out, by: "auto", rater: "1" },
        ...options,
      });
    await assert.rejects(asked(), /plan.json must be a file: current value/);
    for (
      const [text, error] of [
        ["{", /must be JSON: current value is "{"$/],
        ["{}", /of the format spa-study, version 1: current value is undef/],
        [
          JSON.stringify({ ...drawn, persons: { "../x": [] } }),
          /name persons by letters, digits, _ and -: current value is "..\/x"$/,
        ],
        [
          JSON.stringify({ ...drawn, persons: { ana: [{ arm: "guess" }] } }),
          /must give ana blocks .*: current value is \[{"arm":"guess"}\]$/,
        ],
      ] as const
    ) {
      await Deno.writeTextFile(path, text);
      await assert.rejects(asked(), error);
    }
    await planned(out);
    await assert.rejects(
      asked({ person: "eve" }),
      /person must be in the plan, ana, ben: current value is eve$/,
    );
    await assert.rejects(
      asked({ block: 5 }),
      /one of the person's, 1..4: current value is 5$/,
    );
    await assert.rejects(
      asked({ offer: "all" }),
      /a plan must come without offer: current value is all$/,
    );
    await assert.rejects(
      annotate(model, images.slice(1), { plan: path, person: "ana", out }),
      /the images must be those of the plan: current value lacks a$/,
    );
    await assert.rejects(
      annotate(model, images, { out, offer: "guess" as never }),
      /offer must be one of all, picks, clicks: current value is guess$/,
    );
  });
});

Deno.test("with clicks alone a person is shown no candidates, and picking one is refused", async () => {
  await inFolder(async (out) => {
    const pages: string[] = [];
    const paths = ["point/12/9/1", "candidate/0", "point/12/9/1", "accept"];
    const host = playHost({
      browser: async (url) => {
        pages.push(await (await fetch(url)).text());
        const path = paths.shift()!;
        posts(path)(url);
        if (path === "candidate/0") posts(paths.shift()!)(url);
      },
    });
    const report = await annotateAt(host, model, images.slice(0, 1), {
      ...{ out, offer: "clicks", samples: 8, patience: 60 },
    });
    const kinds = report.records[0].picks.map(({ kind }) => kind);
    assert.deepEqual(kinds, ["click", "accept"]);
    for (const page of pages.slice(1)) {
      assert.doesNotMatch(
        page,
        /data-path="(candidate|none|paint)|<input type="radio"[^>]*"brush"/,
      );
      assert.match(page, /data-path="accept"/);
      assert.match(page, /click where it is wrong/);
    }
  });
});

Deno.test("in a study nobody answers in the person's place", async () => {
  await inFolder(async (out) => {
    await planned(out);
    await assert.rejects(
      annotateAt(playHost({ notebook: false }), model, images, {
        ...{ plan: join(out, "plan.json"), person: "ana", out, rater: "1" },
      }),
      /Cannot pick as somebody must answer/,
    );
  });
});

Deno.test("a user of clicks alone who finds no error accepts", async () => {
  const reference = discMask(20, 28, disc);
  const proposal = { recommended: { mask: reference }, candidates: [] };
  const user = userOf(reference, "clicks");
  assert.deepEqual(await user(proposal as never, createRandom(0)), {
    kind: "accept",
  });
});

Deno.test("what the page tells a laboratory to do can be done as it stands", async () => {
  const page = await Deno.readTextFile("src/commands/README.md");
  const [, section] = page.split("## A study with users");
  const blocks = [
    ...section.split("\n## ")[0].matchAll(/```\w+(?: ignore)?\n(.*?)```/gs),
  ];
  const [plans, cell, analyzes] = blocks.map(([, code]) => code);
  await inFolder(async (out) => {
    const here = (text: string) => text.replaceAll("study/", `${out}/`);
    const task = (text: string) => {
      const line = here(text).trim();
      assert.ok(line.startsWith("deno task study "));
      return study(...line.split(" ").slice(3));
    };
    const drawn = await task(
      plans.replace("--data images", "--data data/phantoms")
        .replace("--images 100", "--images 2").replace("p1,p2,p3,p4", "p1,p2"),
    );
    assert.equal(drawn.code, 0, drawn.stderr);
    assert.equal(
      drawn.stdout,
      `2 persons, 2 images each by picks and by clicks, in four blocks; the plan is ${out}/plan.json`,
    );
    const other = await task(
      plans.replace("--data images", "--data data/phantoms")
        .replace("--images 100", "--images 3").replace("p1,p2,p3,p4", "p1,p2"),
    );
    assert.match(other.stderr, /--out must be a new file, as records may/);
    const root = (path: string) =>
      new URL(`../../${path}`, import.meta.url).href;
    const script = join(out, "cell.ts");
    const all = ["p1", "p2"].map((person) =>
      here(cell).split("\n").filter((line) => !/block: 1|^import/.test(line))
        .join("\n").replace('"p1"', `"${person}"`)
        .replace('"small"', '"tiny"').replace('"images"', '"data/phantoms"')
        .replace('out: "study"', `out: "${out}", by: "auto", rater: "smooth"`)
        .replace("const model", `const model_${person}`)
        .replace("(model,", `(model_${person},`)
    );
    await Deno.writeTextFile(
      script,
      [`import * as spa from "${root("mod.ts")}";`, ...all].join("\n"),
    );
    const run = await new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--no-check", "--config", "deno.json", script],
    }).output();
    assert.equal(run.code, 0, new TextDecoder().decode(run.stderr));
    const analyzed = await task(analyzes);
    assert.equal(analyzed.code, 0, analyzed.stderr);
    assert.match(analyzed.stdout, /^2 persons; 8 of 8 images in all/);
    const csv = await Deno.readTextFile(join(out, "turns.csv"));
    assert.equal(csv.trim().split("\n").length, 9);
    assert.match(await Deno.readTextFile(join(out, "tables.md")), /^## Each/);
  });
});
