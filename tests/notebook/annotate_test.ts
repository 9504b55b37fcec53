import assert from "node:assert/strict";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { readMask } from "../../src/formats/read_mask.ts";
import { writeImage } from "../../src/formats/write_image.ts";
import { useEngine } from "../../src/engine/engine.ts";
import { Model } from "../../src/model/model.ts";
import { annotate, annotateAt } from "../../src/notebook/annotate.ts";
import type { AnnotateOptions } from "../../src/notebook/annotate_options.ts";
import type { AnnotationImage } from "../../src/notebook/annotation_images.ts";
import { profileFromJSON, profileToJSON } from "../../src/spa/profile.ts";
import { playHost, posts } from "../helpers/pick_host.ts";
import {
  discImage,
  discMask,
  noisyWeights,
  smallConfig,
} from "../helpers/small_model.ts";
import { inFolder } from "../helpers/temporary_folder.ts";

await useEngine("auto", { threads: 1 });
const model = new Model(smallConfig, noisyWeights(smallConfig));
const disc = { x: 12, y: 9, radius: 6 };

/** Three images with a reference; the second one's id has a slash. */
const images: AnnotationImage[] = ["a", "b/2", "c"].map((id, i) => ({
  id,
  readImage: () => Promise.resolve(discImage(20, 28, { ...disc, x: 10 + i })),
  readMask: () => Promise.resolve(discMask(20, 28, { ...disc, x: 10 + i })),
}));

const simulated = { rater: "1", by: "auto", iterations: 3 } as const;

/** Every file below a folder, by its path, but for the times in it. */
async function filesOf(out: string): Promise<Record<string, string>> {
  const files: Record<string, string> = {};
  for (const folder of ["", "masks", "records"]) {
    for await (const entry of Deno.readDir(join(out, folder))) {
      if (!entry.isFile) continue;
      const path = join(folder, entry.name);
      files[path] = entry.name.endsWith(".png")
        ? (await Deno.readFile(join(out, path))).toBase64()
        : (await Deno.readTextFile(join(out, path)))
          .replaceAll(/"seconds":[\d.e-]+/g, '"seconds":0')
          .replaceAll(/^([^,]+),[\d.e-]+/gm, "$1,0");
    }
  }
  return files;
}

Deno.test("annotate() saves masks, records, the profile and a summary", async () => {
  await inFolder(async (out) => {
    const told: [string, number, number][] = [];
    const report = await annotate(model, images, {
      out,
      ...simulated,
      onImage: ({ id }, finished, all) => told.push([id, finished, all]),
    });
    assert.deepEqual(Object.keys(await filesOf(out)).sort(), [
      "masks/a.png",
      "masks/b%2F2.png",
      "masks/c.png",
      "profile.json",
      "records/a.json",
      "records/b%2F2.json",
      "records/c.json",
      "summary.csv",
    ]);
    assert.deepEqual(told, [["a", 1, 3], ["b/2", 2, 3], ["c", 3, 3]]);
    for (const { id, iterations, picks, dice, seconds } of report.records) {
      assert.equal(iterations, 3);
      const kinds = picks.map(({ kind }) => kind);
      assert.deepEqual(kinds, ["choose", "choose", "accept"]);
      assert.equal(dice?.length, 3);
      assert.ok(seconds > 0 && picks.every(({ seconds }) => seconds >= 0));
      const path = join(out, "masks", `${encodeURIComponent(id)}.png`);
      assert.deepEqual((await readMask(path)).shape, [20, 28]);
    }
    const saved = await Deno.readTextFile(join(out, "profile.json"));
    assert.equal(saved, profileToJSON(report.profile!));
    const summary = await Deno.readTextFile(join(out, "summary.csv"));
    assert.match(
      summary,
      /^image,seconds,iterations,choices,clicks,undone,first Dice,last Dice\na,[\d.]+,3,2,1,0,/,
    );
    assert.equal(summary.split("\n").length, 5);
    assert.match(report.toString(), /mean +[\d.]+ +3 +2 +1 +0 /);
  });
});

Deno.test("the profile is carried from image to image, or not", async () => {
  await inFolder(async (out) => {
    const whole = await annotate(model, images.slice(0, 2), {
      out: join(out, "whole"),
      ...simulated,
    });
    const text = profileToJSON(whole.records[0].profile!);
    const alone = (name: string, options: Partial<AnnotateOptions>) =>
      annotate(model, [images[1]], {
        ...{ out: join(out, name), ...simulated, seed: 1, ...options },
      });
    const given = await alone("given", { profile: profileFromJSON(text) });
    const fresh = await alone("fresh", {});
    assert.deepEqual(given.records[0].dice, whole.records[1].dice);
    assert.deepEqual(given.profile, whole.profile);
    assert.notDeepEqual(fresh.profile, whole.profile);
    const apart = await annotate(model, images.slice(0, 2), {
      ...{ out: join(out, "apart"), ...simulated, carry: false },
    });
    assert.deepEqual(apart.profile, fresh.profile);
  });
});

Deno.test("cut off at any pick and run again, annotate() ends with the same files", async () => {
  await inFolder(async (out) => {
    const choose = (name: string, cutAt: number) => {
      let asked = 0;
      return annotate(model, images, {
        ...{ out: join(out, name), ...simulated },
        auto() {
          if (asked++ === cutAt) throw new Error("cut off");
          return 0;
        },
      });
    };
    await choose("whole", Infinity);
    const expected = await filesOf(join(out, "whole"));
    for (const cutAt of [0, 1, 2, 3, 4, 5]) {
      const name = `cut${cutAt}`;
      await assert.rejects(choose(name, cutAt), /cut off/);
      await choose(name, Infinity);
      assert.deepEqual(await filesOf(join(out, name)), expected);
    }
  });
});

Deno.test("finished images are neither read nor asked about again", async () => {
  await inFolder(async (out) => {
    const options = { out, ...simulated };
    const first = await annotate(model, images, options);
    const never = images.map((image) => ({
      ...image,
      readImage: () => assert.fail("read again"),
    }));
    const again = await annotate(model, never, options);
    assert.deepEqual(again.records, first.records);
  });
});

Deno.test("profile.json is the last image's, whichever image was annotated last", async () => {
  await inFolder(async (out) => {
    const options = { out, ...simulated };
    const { profile } = await annotate(model, images, options);
    const saved = () => Deno.readTextFile(join(out, "profile.json"));
    await Deno.remove(join(out, "profile.json")); // killed before it was written
    await annotate(model, images, options);
    assert.equal(await saved(), profileToJSON(profile!));
    await Deno.remove(join(out, "records", "a.json")); // to be annotated anew
    await annotate(model, images, options);
    assert.equal(await saved(), profileToJSON(profile!));
  });
});

Deno.test("what a killed run left half-written goes when it goes on, and nothing else does", async () => {
  await inFolder(async (out) => {
    const temporary = (name: string) =>
      join(out, `${name}.${crypto.randomUUID()}.tmp`);
    const others = ["masks/z.png", "records/z.json", "notes.txt"].map(
      temporary,
    );
    const options = { out, ...simulated };
    await annotate(model, images, options);
    for (let finished = 0; finished < 2; finished++) {
      const left = ["masks/a.png", "records/a.json", "profile.json"]
        .concat("summary.csv").map(temporary);
      for (const path of [...left, ...others]) {
        await Deno.writeTextFile(path, "{");
      }
      if (!finished) await Deno.remove(join(out, "records/a.json"));
      await annotate(model, images, options);
      for (const path of left) await assert.rejects(Deno.stat(path));
      for (const path of others) await Deno.stat(path);
    }
  });
});

Deno.test("a long name of many bytes is a file's name", async () => {
  await inFolder(async (out) => {
    const id = "снимок 12%/".repeat(9); // 153 bytes
    const options = { out, ...simulated };
    const first = await annotate(model, [{ ...images[0], id }], options);
    const again = await annotate(model, [{ ...images[0], id }], options);
    assert.deepEqual(again.records, first.records);
    const name = id.replaceAll("%", "%25").replaceAll("/", "%2F");
    const path = join(out, "masks", `${name}.png`);
    assert.deepEqual((await readMask(path)).shape, [20, 28]);
  });
});

Deno.test("a process that is killed leaves no file half-written", async () => {
  await inFolder(async (out) => {
    for (const moment of [0, 11, 33, 95]) {
      const child = new Deno.Command(Deno.execPath(), {
        args: [
          "run",
          "-A",
          "--no-check",
          "tests/helpers/endless_annotation.ts",
          out,
        ],
        stdout: "piped",
        stderr: "inherit",
      }).spawn();
      const reader = child.stdout.getReader();
      await reader.read(); // an image is finished
      await new Promise((resolve) => setTimeout(resolve, moment));
      child.kill("SIGKILL");
      await reader.cancel();
      await child.status;
    }
    let records = 0;
    for await (const { name } of Deno.readDir(join(out, "records"))) {
      if (name.endsWith(".tmp")) continue;
      const id = name.replace(".json", "");
      JSON.parse(await Deno.readTextFile(join(out, "records", name)));
      await readMask(join(out, "masks", `${id}.png`));
      records++;
    }
    console.log(`${records} images annotated in 4 lives`);
    assert.ok(records >= 4);
    profileFromJSON(await Deno.readTextFile(join(out, "profile.json")));
  });
});

Deno.test("an interrupt ends annotate() between picks, what is finished saved, and the process lives", async () => {
  await inFolder(async (out) => {
    const { stdout, code, signal } = await new Deno.Command(Deno.execPath(), {
      args: [
        ...[
          "run",
          "-A",
          "--no-check",
          "tests/helpers/interrupted_annotation.ts",
        ],
        out,
      ],
      stderr: "inherit",
    }).output();
    assert.deepEqual([code, signal], [0, null]);
    const said = JSON.parse(new TextDecoder().decode(stdout));
    assert.equal(said.name, "AbortError");
    assert.match(said.message, /Cannot annotate .* finished images are saved/);
    assert.deepEqual([said.asked, said.finished], [5, 1]);
  });
});

Deno.test("a folder is resumed with the same weights and iterations alone", async () => {
  await inFolder(async (out) => {
    const options = { out, ...simulated };
    const first = images.slice(0, 1);
    await annotate(model, first, options);
    using other = new Model(smallConfig, noisyWeights(smallConfig, 2));
    await assert.rejects(
      annotate(other, first, options),
      /^RangeError: Cannot resume as the record .*a\.json must be of a run with .*"weights":"[0-9a-f]{16}"/,
    );
    await assert.rejects(
      annotate(model, first, { ...options, iterations: 4 }),
      /must be of a run with .*"iterations":4.*: current value is .*"iterations":3/,
    );
  });
});

Deno.test("a record of a version with fewer settings counts where the new ones have their defaults", async () => {
  await inFolder(async (out) => {
    const options = { out, ...simulated };
    const first = images.slice(0, 1);
    await annotate(model, first, options);
    const path = join(out, "records", "a.json");
    const record = JSON.parse(await Deno.readTextFile(path));
    const { carry: _, seed: __, ...older } = record.settings;
    const settings = Object.fromEntries(Object.entries(older).reverse());
    await Deno.writeTextFile(path, JSON.stringify({ ...record, settings }));
    const unread = first.map((image) => ({
      ...image,
      readImage: () => Promise.reject(new Error("read again")),
    }));
    const report = await annotate(model, unread, options);
    assert.equal(report.records.length, 1);
    await assert.rejects(
      annotate(model, first, { ...options, carry: false }),
      /must be of a run with .*"carry":false/,
    );
  });
});

Deno.test("an image of the same name in another folder is not taken for finished", async () => {
  await inFolder(async (out) => {
    const options: AnnotateOptions = {
      ...{ out: join(out, "done"), by: "auto", auto: () => 0, iterations: 2 },
      points: () => [{ x: 12, y: 9 }],
    };
    for (const patient of ["one", "two"]) {
      const image = discImage(20, 28, disc);
      await writeImage(image, join(out, patient, "slice1.png"));
    }
    const first = await annotate(model, join(out, "one"), options);
    const again = await annotate(model, join(out, "one/"), options);
    assert.deepEqual(again.records, first.records);
    await assert.rejects(
      annotate(model, join(out, "two"), options),
      /^RangeError: Cannot resume as the record .*slice1\.json must be of a run with \{"images":"two",/,
    );
  });
});

Deno.test("a damaged record is a clear error", async () => {
  await inFolder(async (out) => {
    const options = { out, ...simulated };
    await annotate(model, images.slice(0, 1), options);
    const path = join(out, "records/a.json");
    const text = await Deno.readTextFile(path);
    const damages: [string, RegExp][] = [
      ["", /must be JSON/],
      [text.slice(0, -100), /must be JSON/],
      ["null", /format spa-annotation, version 2: current value is undefined/],
      [
        text.replace('"spa-profile","version":2', '"spa-profile","version":9'),
        /version 9/,
      ],
      [text.replace('"id":"a"', '"id":"b"'), /of the image a: current/],
      [text.replace('"accept"', '"undo"'), /end with an acceptance/],
      [
        text.replace('"iterations":3,"seconds"', '"iterations":-1,"seconds"'),
        /3 iterations/,
      ],
      [text.replace('"dice":[', '"dice":[7,'), /Dice of 3 proposals/],
      [text.replace('"evidence":[', '"evidence":["x",'), /have a profile/],
      [text.replace('"samples":48', '"samples":9'), /of a run with .*48/],
    ];
    for (const [damaged, message] of damages) {
      assert.notEqual(damaged, text);
      await Deno.writeTextFile(path, damaged);
      const again = annotate(model, images.slice(0, 1), options);
      await assert.rejects(again, { name: "RangeError", message });
    }
    await Deno.writeTextFile(path, text);
    await Deno.remove(join(out, "masks/a.png"));
    await assert.rejects(
      annotate(model, images.slice(0, 1), options),
      /must have its mask beside it.*annotated anew/,
    );
    await Deno.remove(path);
    await annotate(model, images.slice(0, 1), options);
  });
});

Deno.test("first clicks come from a file, a list, a function, or the user", async () => {
  await inFolder(async (out) => {
    const file = join(out, "clicks.json");
    const click = [{ x: 11, y: 8 }];
    await Deno.writeTextFile(file, JSON.stringify({ a: click }));
    const first = async (
      name: string,
      points: AnnotateOptions["points"],
      first = "u", // no answer where the click is given
    ) => {
      const lines = [first, "1", "u", "a"];
      const host = playHost({ lines, notebook: false });
      const options = { out: join(out, name), points };
      const { records } = await annotateAt(host, model, [images[0]], options);
      const kinds = records[0].picks.map(({ kind }) => kind);
      assert.deepEqual(kinds, ["choose", "undo", "accept"]);
      assert.match(host.asked.at(-1)!, /^a \(1 of 1\): Which is nearest/);
      assert.equal(host.asked.length, 4);
      return records[0].points.map(({ x, y }) => ({ x, y }));
    };
    assert.deepEqual(await first("file", file), click);
    assert.deepEqual(await first("list", { a: click }), click);
    assert.deepEqual(await first("function", () => click), click);
    assert.deepEqual(await first("user", { b: click }, "11,8"), click);
    assert.deepEqual(await first("user2", undefined, "11,8"), click);

    const wrong = [
      "[",
      "[]",
      '{"a":[]}',
      '{"a":[{"x":1}]}',
      '{"a":[{"x":1,"y":2,"label":3}]}',
    ];
    for (const text of wrong) {
      await Deno.writeTextFile(file, text);
      await assert.rejects(
        annotate(model, images, { out: join(out, "wrong"), points: file }),
        /^RangeError: Cannot read first clicks as .*clicks\.json must/,
      );
    }
  });
});

Deno.test("a first click that was made here can be undone", async () => {
  await inFolder(async (out) => {
    const annotateTyped = async (
      name: string,
      points: AnnotateOptions["points"],
      lines: string[],
    ) => {
      const host = playHost({ lines, notebook: false });
      const options = { out: join(out, name), points, rater: "1" };
      const { records } = await annotateAt(host, model, [images[0]], options);
      return { ...records[0], asked: host.asked };
    };
    const once = await annotateTyped("once", undefined, ["12,9", "1", "a"]);
    const lines = ["3,2", "2", "u", "u", "12,9", "1", "a"];
    const twice = await annotateTyped("twice", undefined, lines);
    assert.match(twice.asked[3], /u undoes/);
    assert.match(twice.asked[4], /^a \(1 of 1\): What is to be segmented/);
    assert.deepEqual(twice.points, once.points);
    assert.deepEqual(twice.dice, once.dice);
    assert.deepEqual(
      twice.picks.map(({ kind }) => kind),
      ["choose", "accept"],
    );
    // a given one stays: "u" is no answer, and the question comes again
    const click = { a: [{ x: 12, y: 9 }] };
    const given = await annotateTyped("given", click, ["u", "a"]);
    assert.equal(given.asked.length, 2);
    assert.doesNotMatch(given.asked[0], /u undoes/);
  });
});

Deno.test("in a notebook one output serves all images, and a rule shows nothing", async () => {
  await inFolder(async (out) => {
    let clicked = 0;
    const paths = ["point/12/9/1", "candidate/1", "accept"];
    const host = playHost({
      browser: (url) => posts(paths[clicked++ % 3])(url),
    });
    let outputs = 0;
    const counted = {
      ...host,
      openOutput() {
        outputs++;
        return host.openOutput();
      },
    };
    const options = { out: join(out, "clicked"), rater: "1" };
    const report = await annotateAt(counted, model, images, options);
    assert.deepEqual([outputs, clicked], [1, 9]);
    for (const { points, picks, dice } of report.records) {
      assert.deepEqual(points, [{ x: 12, y: 9, label: 1 }]);
      const kinds = picks.map(({ kind }) => kind);
      assert.deepEqual(kinds, ["choose", "accept"]);
      assert.equal(dice?.length, 2);
    }
    const panels = host.shown.map((bundle) => String(bundle["text/html"]))
      .filter((html) => html.includes("<script>"));
    assert.equal(panels.length, 9);
    for (const html of panels) assert.doesNotMatch(html, /Dice/);
    assert.match(panels[3], /"spa-pick-title">b\/2 \(2 of 3\): What is to be/);
    assert.match(
      String(host.shown.at(-1)!["text/plain"]),
      /c \(3 of 3\): Recommendation accepted/,
    );

    const silent = playHost();
    await annotateAt(silent, model, images, {
      ...{ out: join(out, "silent"), ...simulated },
    });
    assert.deepEqual(silent.shown, []);
  });
});

Deno.test("images come from a folder of files; an empty reference is skipped and named", async () => {
  await inFolder(async (out) => {
    const folder = join(out, "images");
    for (const name of ["z", "y"]) {
      const image = discImage(20, 28, disc);
      await writeImage(image, join(folder, `${name}.png`));
    }
    await Deno.rename(join(folder, "z.png"), join(out, "elsewhere.png"));
    await Deno.symlink(join(out, "elsewhere.png"), join(folder, "z.png"));
    await Deno.writeTextFile(join(folder, "._y.png"), "macOS's own");
    const report = await annotate(model, folder, {
      ...{ out: join(out, "done"), by: "auto", auto: () => 0, iterations: 2 },
      points: () => [{ x: 12, y: 9 }],
    });
    assert.deepEqual(report.records.map(({ id }) => id), ["y", "z"]);
    assert.equal(report.records[0].dice, undefined);

    const empty = discMask(20, 28, { x: 0, y: 0, radius: -1 });
    const some = await annotate(
      model,
      [{ ...images[0], readMask: () => Promise.resolve(empty) }, images[2]],
      { out: join(out, "some"), ...simulated },
    );
    assert.deepEqual(some.skipped, ["a"]);
    assert.deepEqual(some.records.map(({ id }) => id), ["c"]);
  });
});

/** A NIfTI file of one slice of 20 x 28, float32. */
function nifti(values: ArrayLike<number>): Uint8Array {
  const bytes = new Uint8Array(352 + 4 * 20 * 28);
  const view = new DataView(bytes.buffer);
  view.setInt32(0, 348, true);
  [3, 28, 20, 1, 1, 1, 1, 1].forEach((n, i) =>
    view.setInt16(40 + 2 * i, n, true)
  );
  view.setInt16(70, 16, true); // float32
  view.setInt16(72, 32, true);
  [1, 1, 1, 1].forEach((n, i) => view.setFloat32(76 + 4 * i, n, true));
  view.setFloat32(108, 352, true);
  bytes.set(new TextEncoder().encode("n+1\0"), 344);
  Array.from(values).forEach((v, i) => view.setFloat32(352 + 4 * i, v, true));
  return bytes;
}

Deno.test("a folder may mix formats without any mask; a broken file is told and passed over", async () => {
  await inFolder(async (out) => {
    const folder = join(out, "images");
    const image = discImage(20, 28, disc);
    await writeImage(image, join(folder, "a.png"));
    await Deno.writeFile(join(folder, "c.nii.gz"), gzipSync(nifti(image.data)));
    await Deno.writeTextFile(join(folder, "b.dcm"), "no DICOM at all");
    await Deno.writeTextFile(join(folder, "notes.txt"), "nothing to see");
    const told: unknown[] = [];
    const { warn } = console;
    console.warn = (...values: unknown[]) => told.push(...values);
    let report;
    const options: AnnotateOptions = {
      ...{ out: join(out, "done"), by: "auto", auto: () => 0, iterations: 2 },
      points: () => [{ x: 12, y: 9 }],
    };
    try {
      report = await annotate(model, folder, options);
    } finally {
      console.warn = warn;
    }
    assert.deepEqual(report.records.map(({ id }) => id), ["a", "c"]);
    assert.deepEqual(report.broken.map(({ id }) => id), ["b"]);
    assert.equal(told.length, 1);
    assert.match(String(told[0]), /^b \(2 of 3\): passed over/);
    assert.match(String(report), /passed over, not readable: b \(/);

    // what it wrote itself is no input, neither the folder nor its masks
    for (const own of [options.out, join(options.out, "masks")]) {
      await assert.rejects(
        annotate(model, own, { ...options, out: join(out, "again") }),
        /must hold images: current value is .*, masks that annotate wrote/,
      );
    }
  });
});

Deno.test("annotate() refuses what it cannot annotate", async () => {
  const twice = [images[0], images[0]];
  const refused: [AnnotationImage[], Partial<AnnotateOptions>, RegExp][] = [
    [[], {}, /there must be images: current value is none/],
    [twice, {}, /an id of its own: current value is "a", twice/],
    [[{ ...images[0], id: "" }], {}, /an id of its own: current value is ""/],
    [
      [{ id: "a", readImage: images[0].readImage }],
      { rater: "1" },
      /image a must have masks of raters/,
    ],
    [images, { by: "auto" }, /a rule passed as `auto`/],
  ];
  await inFolder(async (out) => {
    for (const [list, options, message] of refused) {
      await assert.rejects(annotate(model, list, { out, ...options }), message);
    }
  });
});
