/** annotate() of volumes and of several objects. */
import assert from "node:assert/strict";
import { join } from "node:path";
// @ts-types="@types/ndarray"
import ndarray, { type NdArray } from "ndarray";
import { readVolume } from "../../src/formats/volume.ts";
import { readMask } from "../../src/formats/read_mask.ts";
import { writeMask } from "../../src/formats/write_mask.ts";
import { writeImage } from "../../src/formats/write_image.ts";
import { useEngine } from "../../src/engine/engine.ts";
import { Model } from "../../src/model/model.ts";
import { annotate, annotateAt } from "../../src/notebook/annotate.ts";
import {
  type AnnotationVolume,
  listImages,
} from "../../src/notebook/annotation_images.ts";
import { VolumeSession } from "../../src/volumes/volume_session.ts";
import { ellipsoidVolume } from "../helpers/ellipsoid_volume.ts";
import { playHost } from "../helpers/pick_host.ts";
import { findPython } from "../helpers/python.ts";
import {
  discImage,
  discMask,
  noisyWeights,
  smallConfig,
} from "../helpers/small_model.ts";
import { inFolder } from "../helpers/temporary_folder.ts";

await useEngine("auto", { threads: 1 });
const model = new Model(smallConfig, noisyWeights(smallConfig));
const { volume, mask } = ellipsoidVolume();
const scan: AnnotationVolume = {
  id: "scan",
  readVolume: () => Promise.resolve(volume),
  readMask: () => Promise.resolve(mask),
};
const small = { samples: 8, candidates: 2 } as const;

async function namesIn(folder: string): Promise<string[]> {
  const names = [];
  for await (const { name } of Deno.readDir(folder)) names.push(name);
  return names.sort();
}

const sum = (data: Iterable<number>) => [...data].reduce((a, b) => a + b, 0);

/** A file of the ellipsoid as NIfTI: its mask, which is a volume as well. */
async function writeScan(path: string): Promise<void> {
  const affine = [-1, 0, 0, 5, 0, -1, 0, 6, 0, 0, 3, 7, 0, 0, 0, 1];
  await writeMask(mask, path, { volume: { ...volume, affine } });
}

Deno.test("a volume is asked for slice by slice, and its mask lies on the source's voxels", async () => {
  await inFolder(async (out) => {
    const folder = join(out, "scans");
    await writeScan(join(folder, "head.nii.gz"));
    await writeImage(
      discImage(20, 28, { x: 12, y: 9, radius: 6 }),
      join(folder, "flat.png"),
    );
    const lines = [
      ...["12,9", "a"], // the flat image
      ...["slice 5", "27,28", "1", "slice 8 27,28", "walk", "finish"],
    ];
    const host = playHost({ lines, notebook: false });
    const done = join(out, "done");
    const report = await annotateAt(host, model, folder, {
      ...{ out: done, ...small },
    });
    assert.deepEqual(report.records.map(({ id }) => id), ["flat", "head"]);
    assert.deepEqual(await namesIn(join(done, "masks")), [
      "flat.png",
      "head.nii.gz",
    ]);
    const { slice, axis, picks, points, session } = report.records[1];
    assert.deepEqual([slice, axis], [5, 0]);
    assert.deepEqual(points, [{ x: 27, y: 28, label: 1 }]);
    assert.deepEqual(
      picks.map(({ kind }) => kind),
      ["choose", "go", "walk", "finish"],
    );
    assert.match(
      host.asked[2],
      /^head \(2 of 2\): What is to be segmented\? Slice 6 of 12/,
    );
    assert.match(host.asked[4], /^head \(2 of 2\): Slice 5 of 12: which/);
    // the same geometry, and the mask that the session gives again
    const source = await readVolume(join(folder, "head.nii.gz"));
    const made = await readVolume(join(done, "masks/head.nii.gz"));
    assert.deepEqual(made.affine, source.affine);
    assert.deepEqual(made.spacing, source.spacing);
    assert.deepEqual(made.values.shape, [12, 56, 56, 1]);
    using again = await VolumeSession.replay(model, source, session!, {
      profile: report.records[0].profile, // carried from the flat image
    });
    assert.equal(sum(made.values.data), sum(again.areas));
    assert.deepEqual(Array.from(made.values.data), [...again.mask.data]);
    // finished: nobody is asked again
    const silent = playHost({ notebook: false });
    const twice = await annotateAt(silent, model, folder, {
      ...{ out: done, ...small },
    });
    const text = JSON.stringify;
    assert.equal(text(twice.records), text(report.records));
    assert.deepEqual(silent.asked, []);
  });
});

Deno.test("a volume that was cut off goes on with the step, to the same mask", async () => {
  await inFolder(async (out) => {
    const run = async (name: string, lines: string[]) => {
      const host = playHost({ lines, notebook: false });
      const options = { out: join(out, name), ...small };
      const { records } = await annotateAt(host, model, [scan], options);
      return records[0];
    };
    const lines = ["27,28", "1", "slice 8 27,28", "2", "finish"];
    const whole = await run("whole", lines);
    await assert.rejects(run("cut", lines.slice(0, 3)), /somebody must answer/);
    assert.deepEqual(await namesIn(join(out, "cut/open")), ["scan.json"]);
    const resumed = await run("cut", lines.slice(3));
    assert.deepEqual(resumed.session, whole.session);
    assert.deepEqual(
      resumed.picks.map(({ kind }) => kind),
      whole.picks.map(({ kind }) => kind),
    );
    assert.deepEqual(await namesIn(join(out, "cut/open")), []);
    // undo goes back to the first click, and further to the question for it
    const back = await run("back", ["20,20", "1", "u", "u", ...lines]);
    assert.deepEqual(back.session, whole.session);
    await assert.rejects(run("damaged", lines.slice(0, 3)));
    const path = join(out, "damaged/open/scan.json");
    const text = await Deno.readTextFile(path);
    await Deno.writeTextFile(path, text.replace(/"mask":"\w/, '"mask":"_'));
    await assert.rejects(
      run("damaged", ["finish"]),
      /^RangeError: Cannot resume as what was done in scan must give the same mask/,
    );
  });
});

Deno.test("a simulated user aligns a volume, and Dice is that of the whole mask", async () => {
  await inFolder(async (out) => {
    const report = await annotate(model, [scan], {
      ...{ out, ...small, rater: "1", by: "auto", iterations: 2, looks: 2 },
    });
    const [{ dice, picks, points, slice, file }] = report.records;
    assert.equal(slice, 6); // the middle of the object's
    assert.equal(points.length, 1);
    assert.equal(dice?.length, 1);
    assert.ok(dice[0] > 0 && dice[0] <= 1);
    assert.equal(picks.at(-1)?.kind, "finish");
    const said = picks.filter(({ kind }) =>
      kind === "accept" || kind === "absent"
    );
    assert.ok(said.length >= 1 && said.length <= 2);
    assert.equal(file, "masks/scan.npy"); // no geometry is known
    await assert.rejects(
      annotate(model, [{ ...scan, readMask: undefined }], {
        ...{ out: join(out, "none"), rater: "1", by: "auto" },
      }),
      /volume scan must have masks of raters/,
    );
  });
});

Deno.test("volumes: false takes the middle slice of each as an image", async () => {
  await inFolder(async (out) => {
    await writeScan(join(out, "scans/head.nii.gz"));
    const kinds = async (volumes?: boolean) => {
      const { list } = await listImages(join(out, "scans"), volumes);
      return list.map((item) => "readVolume" in item ? "volume" : "image");
    };
    assert.deepEqual(await kinds(), ["volume"]);
    assert.deepEqual(await kinds(false), ["image"]);
    const report = await annotate(model, join(out, "scans"), {
      ...{ out: join(out, "flat"), by: "auto", auto: () => 0, iterations: 1 },
      ...{ ...small, volumes: false, points: () => [{ x: 27, y: 28 }] },
    });
    const { shape } = await readMask(join(out, "flat/masks/head.png"));
    assert.deepEqual(shape, [56, 56]);
    assert.equal(report.records[0].slice, undefined);
    await assert.rejects(
      annotate(model, [scan], { out, volume: false } as never),
      /did you mean "volumes"/,
    );
  });
});

Deno.test("a folder of a DICOM series is one volume, and a folder of such folders several", async () => {
  const series = "../shared/data/formats/mr_series";
  if (!await Deno.stat(series).catch(() => undefined)) {
    return console.log("skipped: no DICOM series here");
  }
  const { list } = await listImages(series);
  assert.deepEqual(list.map(({ id }) => id), ["mr_series"]);
  assert("readVolume" in list[0]);
  assert.deepEqual((await list[0].readVolume()).values.shape.slice(0, 1), [22]);
  await inFolder(async (out) => {
    for (const name of ["a", "b"]) {
      await Deno.mkdir(join(out, "all", name), { recursive: true });
      for (const file of await namesIn(series)) {
        await Deno.copyFile(join(series, file), join(out, "all", name, file));
      }
    }
    const { list } = await listImages(join(out, "all"));
    assert.deepEqual(list.map(({ id }) => id), ["a", "b"]);
    // its mask is a DICOM segmentation
    const host = playHost({
      ...{ lines: ["270,250", "finish"], notebook: false },
    });
    const done = join(out, "done");
    await annotateAt(host, model, [list[0]], { out: done, ...small });
    assert.deepEqual(await namesIn(join(done, "masks")), ["a.dcm"]);
  });
});

const python = await findPython("pydicom", "highdicom");
if (!python) {
  console.log(
    "skipped: no python3 with pydicom and highdicom (or name one in SPA_PYTHON); no segmentation is read back",
  );
}

Deno.test({
  name:
    "pydicom and highdicom read back the segmentation of two objects of a DICOM series, voxel by voxel",
  ignore: !python,
  fn: async () => {
    const series = "../shared/data/formats/mr_series";
    if (!await Deno.stat(series).catch(() => undefined)) {
      return console.log("skipped: no DICOM series here");
    }
    await inFolder(async (out) => {
      const host = playHost({
        lines: ["slice 12 270,250", "finish", "slice 12 200,260", "finish"],
        notebook: false,
      });
      await annotateAt(host, model, series, {
        ...{ out, ...small, labels: ["ventricle", "tumor"] },
      });
      const { dicom } = await readVolume(series);
      const slices = dicom!.instances.map(({ sopInstance }) => sopInstance);
      const parts = ["ventricle", "tumor"].map((name) =>
        join(out, "parts", `mr_series=${name}.npy`)
      );
      const process = new Deno.Command(python!, {
        args: [
          "tests/notebook/read_segmentation.py",
          ...[join(out, "masks/mr_series.dcm"), series, ...parts],
        ],
        ...{ stdin: "piped", stdout: "piped", stderr: "inherit" },
      }).spawn();
      const writer = process.stdin.getWriter();
      await writer.write(new TextEncoder().encode(JSON.stringify(slices)));
      await writer.close();
      const { success, stdout } = await process.output();
      assert.ok(success);
      const found = JSON.parse(new TextDecoder().decode(stdout));
      assert.equal(found.modality, "SEG");
      assert.deepEqual(found.names, ["ventricle", "tumor"]);
      assert.deepEqual(found.shape.slice(0, 1), [22]);
      assert.ok(Math.min(...found.voxels) > 0, `${found.voxels}`);
      assert.deepEqual(found.wrong, [0, 0]);
      // pydicom's own pixels: nothing but what the masks have
      assert.equal(found.bits, found.voxels[0] + found.voxels[1]);
      assert.equal(found.places, true); // each frame where its source lies
      assert.deepEqual(found.same, [true, true, true, true, true]);
    });
  },
});

/** Two discs, and the mask of each by its name. */
const discs: Record<string, NdArray<Uint8Array>> = {
  left: discMask(20, 28, { x: 8, y: 9, radius: 5 }),
  right: discMask(20, 28, { x: 20, y: 9, radius: 5 }),
  nowhere: discMask(20, 28, { x: 0, y: 0, radius: -1 }),
};
const pair = {
  id: "pair",
  readImage: () =>
    Promise.resolve(discImage(20, 28, { x: 8, y: 9, radius: 5 })),
  readMask: (_: string, label = "") => Promise.resolve(discs[label]),
};

Deno.test("with labels every object has its own session, record and profile, and one file has all", async () => {
  await inFolder(async (out) => {
    const labels = ["left", { name: "right", color: "#123456" }, "nowhere"];
    const options = { out, ...small, labels, iterations: 2 };
    const report = await annotate(model, [pair], {
      ...{ ...options, rater: "1", by: "auto" },
    });
    assert.deepEqual(
      report.records.map(({ label, picks }) => [
        label?.name,
        picks.at(-1)?.kind,
      ]),
      [["left", "accept"], ["right", "accept"], ["nowhere", "absent"]],
    );
    assert.equal(report.records[1].label?.color, "#123456");
    assert.deepEqual(await namesIn(join(out, "records")), [
      ...["pair=left.json", "pair=nowhere.json", "pair=right.json"],
    ]);
    assert.deepEqual(await namesIn(join(out, "profiles")), [
      ...["left.json", "right.json"],
    ]);
    assert.match(report.toString(), /pair, left/);
    // each part as it was accepted; where two overlap, the later one
    const part = async (name: string) =>
      (await Deno.readFile(join(out, "parts", `pair=${name}.npy`)))
        .subarray(128);
    const [left, right] = [await part("left"), await part("right")];
    const joint = async (label: number) =>
      (await readMask(join(out, "masks/pair.png"), { label })).data;
    assert.ok(sum(left) > 0 && sum(right) > 0);
    assert.deepEqual([...await joint(2)], [...right]);
    assert.deepEqual(
      [...await joint(1)],
      [...left].map((value, i) => right[i] ? 0 : value),
    );
    // one record removed: that object alone is annotated anew
    await Deno.remove(join(out, "records/pair=nowhere.json"));
    const host = playHost({ notebook: false });
    const again = await annotateAt(host, model, [pair], {
      ...{ ...options, rater: "1" },
    });
    assert.deepEqual(host.asked, []); // its reference is empty
    assert.equal(again.records[2].label?.name, "nowhere");
    const text = JSON.stringify;
    assert.equal(
      text(again.records.slice(0, 2)),
      text(report.records.slice(0, 2)),
    );
    await assert.rejects(
      annotate(model, [pair], { ...options, labels: ["a", "a"] }),
      /its name must be its own/,
    );
    await assert.rejects(
      annotate(model, [pair], { ...options, labels: [] }),
      /labels must have a name/,
    );
  });
});

Deno.test("objects that were done before are outlined in their colors", async () => {
  await inFolder(async (out) => {
    const paths = ["point/8/9/1", "accept", "absent"];
    let k = 0;
    const host = playHost({
      browser: async (url) => {
        const init = { method: "POST", headers: { origin: "null" } };
        await (await fetch(`${url}/${paths[k++]}`, init)).text();
      },
    });
    const { records } = await annotateAt(host, model, [pair], {
      ...{ out, ...small, labels: [{ name: "one", color: "#abcdef" }, "two"] },
    });
    assert.deepEqual(records.map(({ picks }) => picks.at(-1)?.kind), [
      "accept",
      "absent",
    ]);
    const panels = host.shown.map((bundle) => String(bundle["text/html"]))
      .filter((html) => html.includes("<script>"));
    assert.equal(panels.length, 3);
    assert.doesNotMatch(panels[0], /#abcdef/);
    assert.match(panels[2], /stroke="#abcdef"/);
    assert.match(panels[2], /pair \(1 of 1\), two: What is to be segmented/);
    assert.match(panels[2], /Not in this image/);
  });
});

Deno.test("a function that gives first clicks is told which object of a volume is meant", async () => {
  await inFolder(async (out) => {
    const asked: (string | undefined)[] = [];
    await annotate(model, [scan], {
      ...{ out, ...small, labels: ["one", "two"] },
      ...{ by: "auto", auto: () => 0, iterations: 1 },
      points: (_, id, label) => {
        asked.push(id, label);
        return [{ x: 27, y: 28 }];
      },
    });
    assert.deepEqual(asked, ["scan", "one", "scan", "two"]);
  });
});

Deno.test("labels of a volume are written with their values", async () => {
  await inFolder(async (out) => {
    const lines = ["27,28", "finish", "slice 4 27,28", "finish"];
    const host = playHost({ lines, notebook: false });
    await annotateAt(host, model, [scan], {
      ...{ out, ...small, labels: ["one", "two"] },
    });
    const { values } = await readVolume(join(out, "masks/scan.npy"));
    assert.deepEqual(values.shape, [12, 56, 56, 1]);
    const found = new Set(values.data);
    assert.ok(found.has(1) && found.has(2), `${[...found]}`);
    const shape = [12, 56, 56];
    const parts = await Promise.all(["one", "two"].map(async (name) =>
      ndarray(
        (await Deno.readFile(join(out, `parts/scan=${name}.npy`))).subarray(
          128,
        ),
        shape,
      )
    ));
    assert.deepEqual(
      Array.from(values.data),
      Array.from(parts[1].data, (two, i) => two ? 2 : parts[0].data[i]),
    );
  });
});
