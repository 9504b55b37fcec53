import * as spa from "@spa-seg/spa";
import * as evaluation from "@spa-seg/spa/evaluate";
import * as figures from "@spa-seg/spa/figures";

const model = await spa.loadModel();
const { image, masks } = spa.phantom({ kind: "kidney", seed: 13 });
const session = await spa.Session.start(model, image, {
  points: [{ x: 85, y: 48 }],
});
session;
;
const truth = masks.generous;
const nearest = evaluation.nearestUser(truth);
const auto: spa.PickRule = (proposal, random) =>
  session.iteration < 2 ? nearest(proposal, random) : { kind: "accept" };

const scores: number[] = [];
let curve: spa.Figure | undefined;
let action: spa.Action;
do {
  scores.push(evaluation.dice(session.mask, truth));
  const longer = figures.diceFigure({
    series: [{ name: "recommendation", values: scores }],
  });
  await spa.show(longer, { replaces: curve });
  curve = longer;
  action = await spa.pickNext(session, { image, truth, auto, patience: 3 });
} while (action.kind !== "accept");
console.log("Dice", scores.map((score) => score.toFixed(3)).join(" → "));
;
figures.maskFigure({
  image,
  mask: session.mask,
  truth,
  title: `Accepted, choices: ${session.iteration}`,
});
;
session.dispose(); // session and model own memory
model.dispose();
export {};
