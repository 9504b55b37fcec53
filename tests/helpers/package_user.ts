/** What a user of the published package does, in a folder of their own; run by
 * package_test.ts with the package's address as its argument. */

const [base, phase] = Deno.args;
const spa: typeof import("../../mod.ts") = await import(`${base}mod.ts`);
const from = (name: string) => import(`${base}src/exports/${name}.ts`);
const checkpoints: typeof import("../../src/exports/checkpoints.ts") =
  await from("checkpoints");
const datasets: typeof import("../../src/exports/datasets.ts") = await from(
  "datasets",
);
const evaluation: typeof import("../../src/exports/evaluate.ts") = await from(
  "evaluate",
);
const figures: typeof import("../../src/exports/figures.ts") = await from(
  "figures",
);
const training: typeof import("../../src/exports/train.ts") = await from(
  "train",
);

const { name: engine } = await spa.useEngine("auto", { threads: 1 });
const done: Record<string, unknown> = { phase, engine };

// The loop
using model = await spa.loadModel("tiny");
const { image, masks } = spa.phantom({ kind: "kidney", seed: 9 });
using embedding = await spa.encode(model, image);
let preference = await spa.startPreference(model, embedding, {
  points: [{ x: 50, y: 35 }],
});
const propose = async () => {
  const latents = spa.sampleGMM(preference.distribution, {
    samples: 16,
    seed: preference.iteration,
  });
  return spa.cluster(
    await spa.decode(model, embedding, preference, { latents }),
    { candidates: 4 },
  );
};
const proposal = await propose();
preference = await spa.updatePreference(model, embedding, preference, {
  proposal,
  choice: 1,
});
done.iteration = preference.iteration;
done.dice = evaluation.dice(
  (await propose()).recommended.mask,
  Object.values(masks)[0],
);

// The pick server, and this program as its browser
const log = console.log;
console.log = (text: string) => {
  const url = /http:\/\/127\.0\.0\.1:\d+\/\S+/.exec(text)?.[0];
  if (!url) return log(text);
  const page = fetch(url).then((answer) => answer.text());
  page.then(async (text) => {
    done.page = text.length;
    await fetch(`${url}/candidate/2`, { method: "POST" });
  });
};
done.picked = (await spa.pick(proposal, { by: "browser" })).kind;
console.log = log;

// Figures, a session, files
const figure = figures.candidatesFigure({ proposal, image });
done.svg = (await figure.toSVG()).length;
done.png = (await figure.toPNG()).length;
const session = await spa.Session.start(model, image, {
  points: [{ x: 50, y: 35 }],
});
await spa.writeMask(session.accept(), "mask.png");
done.mask = (await spa.readMask("mask.png")).shape;
done.cases = Object.keys(datasets).length;

// Training for five steps, and export
const config = { ...training.presets.tiny, imageSize: 32 };
const recipe = { ...training.defaultRecipe, steps: 5, batch: 1 };
const weights = await training.train(config, [], recipe);
using trained = new spa.Model(config, weights);
await spa.saveModel(trained, "trained.safetensors");
using again = await spa.loadModel("trained.safetensors");
done.trained = again.config.imageSize;
await checkpoints.exportOnnx(trained, "exported");
done.exported = [...Deno.readDirSync("exported")].map(({ name }) => name)
  .sort();
console.log(JSON.stringify(done));
