/** Metrics against medpy, SciPy, scikit-learn: see reference/make_metrics.py. */
import assert from "node:assert/strict";
// @ts-types="@types/ndarray"
import ndarray from "ndarray";
import { hd95 } from "../../src/metrics/surface.ts";
import { dice, iou } from "../../src/metrics/overlap.ts";
import {
  diceMax,
  expectedCalibrationError,
  generalizedEnergyDistance,
  hungarianMatchedDice,
} from "../../src/metrics/sample_set.ts";
import {
  bootstrapInterval,
  quantile,
  wilcoxonSignedRank,
} from "../../src/evaluation/statistics.ts";
import { readReference } from "../helpers/reference.ts";

type Entry =
  & { kind: string }
  & Record<"name" | "one" | "other", string>
  & Record<"dice" | "jaccard" | "larger" | "pooled", number | null>
  & Record<"energyDistance" | "ofAnnotations" | "ofSamples", number>
  & Record<"matched" | "bins" | "error" | "p", number>
  & Record<"samples" | "annotations", string[]>
  & Record<"probability" | "label" | "differences" | "values", number[]>
  & Record<"shares" | "quantiles", number[]>
  & Record<"spacing" | "interval", [number, number]>
  & { groups: number[][] };

const entries = readReference<Entry>("metrics.jsonl");

/** The entries of a kind, of which there must be some. */
function ofKind(kind: string, least: number): Entry[] {
  const found = entries.filter((entry) => entry.kind === kind);
  assert.ok(found.length >= least, `${found.length} of kind ${kind}`);
  return found;
}

/** A mask from its rows, "011/001". */
function mask(text: string) {
  const rows = text.split("/");
  return ndarray(Uint8Array.from(rows.join(""), Number), [
    rows.length,
    rows[0].length,
  ]);
}

function close(actual: number, expected: number, what = "", tolerance = 1e-9) {
  assert.ok(
    Math.abs(actual - expected) <= tolerance * Math.max(1, Math.abs(expected)),
    `${actual} is not ${expected} ${what}`,
  );
}

Deno.test("dice() and iou() are medpy's; of two empty masks, where it has none, 1", () => {
  for (const entry of ofKind("pair", 25)) {
    const [one, other] = [mask(entry.one), mask(entry.other)];
    close(dice(one, other), entry.dice ?? 1, entry.name);
    close(iou(one, other), entry.jaccard ?? 1, entry.name);
  }
});

Deno.test("hd95() is the larger direction's percentile of medpy's surface distances", () => {
  let differ = 0;
  for (const { name, larger, pooled, spacing, ...pair } of ofKind("pair", 25)) {
    if (larger === null) continue;
    const found = hd95(mask(pair.one), mask(pair.other), { spacing });
    close(found, larger, name);
    if (Math.abs(found - pooled!) > 1e-6) differ++;
  }
  assert.ok(differ > 5, "the definitions are told apart");
});

Deno.test("GED, Dice_max and matched Dice are those of medpy's scores and SciPy's assignment", () => {
  for (const entry of ofKind("sets", 5)) {
    const samples = entry.samples.map(mask);
    const annotations = entry.annotations.map(mask);
    const what = `of ${samples.length} and ${annotations.length} masks`;
    const best = diceMax(samples, annotations);
    close(best.ofAnnotations, entry.ofAnnotations, what);
    close(best.ofSamples, entry.ofSamples, what);
    close(hungarianMatchedDice(samples, annotations), entry.matched, what);
    close(
      generalizedEnergyDistance(samples, annotations),
      entry.energyDistance,
      what,
    );
  }
});

Deno.test("expectedCalibrationError() is the gap of scikit-learn's calibration curve", () => {
  for (const { probability, label, bins, error } of ofKind("calibration", 9)) {
    const found = expectedCalibrationError(
      ndarray(Float32Array.from(probability), [probability.length]),
      ndarray(Uint8Array.from(label), [label.length]),
      { bins },
    );
    close(found, error, `with ${bins} bins`, 1e-7); // float32 probabilities
  }
});

Deno.test("wilcoxonSignedRank() is SciPy's", () => {
  for (const { differences, p } of ofKind("wilcoxon", 20)) {
    close(wilcoxonSignedRank(differences), p, `of ${differences}`);
  }
});

Deno.test("quantile() is NumPy's", () => {
  for (const { values, shares, quantiles } of ofKind("quantile", 5)) {
    shares.forEach((share, i) => close(quantile(values, share), quantiles[i]));
  }
});

Deno.test("bootstrapInterval() of 1000 draws is SciPy's of 50,000, within its chance", () => {
  for (const { groups, interval, error } of ofKind("bootstrap", 3)) {
    for (const seed of [0, 1]) {
      const found = bootstrapInterval(groups, seed);
      // A 2.5 % quantile of 1000 normal draws has a standard error of .085.
      for (const side of [0, 1]) {
        const apart = Math.abs(found[side] - interval[side]) / error;
        assert.ok(apart < 0.3, `${found} and ${interval}`);
      }
    }
  }
});
