import { Model } from "../../model/model.ts";
import {
  runsOf,
  type SavedEvaluation,
} from "../../evaluation/saved_evaluation.ts";
import { summarize } from "../../evaluation/summary.ts";

/** A model with the figures of an evaluation (of its last variant) in its metadata. */
export function withFigures(model: Model, saved: SavedEvaluation): Model {
  const { samples, variations, candidates, seed } = saved.settings;
  const results = Object.values(runsOf(saved)).at(-1)!;
  const rows = summarize(results, seed);
  const figures = {
    dataset: saved.dataset,
    targets: results.length,
    samples,
    variations,
    candidates,
    seed,
    dice: rows.map(({ dice }) => Number(dice.toFixed(4))),
    best: rows.map(({ best }) => Number(best.toFixed(4))),
  };
  const metadata = { ...model.metadata, validation: JSON.stringify(figures) };
  return new Model(model.config, model.weights, metadata);
}
