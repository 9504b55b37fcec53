"""Writes metrics.jsonl: small masks, figures of merit of them by others' code.

    pip install medpy==0.5.2 scipy==1.17.1 scikit-learn==1.9.1 numpy==2.4.6
    python tests/reference/make_metrics.py

A mask is its rows, "0110/0010". Where a definition has variants:

- Dice, Jaccard: null where both masks are empty; medpy divides 0 by 0 there.
- HD95: medpy pools the distances of both directions before the percentile
  ("pooled"); MONAI, DeepMind's surface-distance and Metrics Reloaded take the
  larger of the directions' percentiles ("larger"). Both are written, both of
  medpy's own surface distances; null where a mask is empty.
- Calibration: scikit-learn's curve with the share of pixels of each bin. No
  probability lies on the edge of a bin, where scikit-learn takes the lower.
"""

import json
import math
import pathlib

import numpy as np
from medpy.metric import binary
from scipy import ndimage, optimize, stats
from sklearn.calibration import calibration_curve

rng = np.random.default_rng(2024)
surface_distances = vars(binary)["__surface_distances"]
entries = []


def add(kind, **values):
    entries.append({"kind": kind, **values})


def text(mask):
    return "/".join("".join(map(str, row)) for row in mask.astype(int))


def blob(height, width, share, smooth=1.5):
    field = ndimage.gaussian_filter(rng.normal(size=(height, width)), smooth, mode="wrap")
    return field > np.quantile(field, 1 - share)


def at(height, width, *pixels):
    mask = np.zeros((height, width), bool)
    for row, column in pixels:
        mask[row, column] = True
    return mask


def overlap(function, one, other):
    return float(function(one, other)) if one.any() or other.any() else None


def pair(name, one, other, spacing=(1.0, 1.0)):
    larger = pooled = None
    if one.any() and other.any():
        there, back = (surface_distances(a, b, spacing, 1) for a, b in ((one, other), (other, one)))
        larger = float(max(np.percentile(there, 95), np.percentile(back, 95)))
        pooled = float(binary.hd95(one, other, voxelspacing=spacing))
        assert math.isclose(pooled, np.percentile(np.hstack((there, back)), 95))
    add("pair", name=name, one=text(one), other=text(other), spacing=spacing,
        dice=overlap(binary.dc, one, other), jaccard=overlap(binary.jc, one, other),
        larger=larger, pooled=pooled)


empty = np.zeros((5, 7), bool)
full = np.ones((5, 7), bool)
pair("both empty", empty, empty)
pair("one empty", empty, blob(5, 7, 0.4))
pair("full and full", full, full)
pair("full and one pixel in the corner", full, at(5, 7, (4, 6)), (0.5, 2.0))
pair("the same pixel", at(5, 7, (2, 3)), at(5, 7, (2, 3)))
pair("opposite corners", at(5, 7, (0, 0)), at(5, 7, (4, 6)), (0.7, 1.3))
pair("a pixel and its diagonal neighbor", at(5, 7, (2, 3)), at(5, 7, (3, 4)), (3.0, 0.25))
pair("one row", blob(1, 23, 0.4), blob(1, 23, 0.3), (9.0, 0.6))
pair("one column", blob(17, 1, 0.5), blob(17, 1, 0.2), (0.8, 9.0))
frame = np.ones((9, 8), bool)
frame[1:-1, 1:-1] = False
pair("the image's border and its middle", frame, ~frame, (1.25, 1.25))
left = np.arange(11)[None, :].repeat(6, 0) < 5
pair("halves that touch the border", left, ~left, (1.0, 0.4))
outlier = blob(20, 20, 0.2)
outlier[:, 14:] = False
speck = outlier.copy()
speck[19, 19] = True
pair("a far speck, which counts in one direction only", outlier, speck)
spacings = [(1.0, 1.0), (0.7, 0.7), (0.5, 1.5), (2.5, 0.8)]
for number, (height, width) in enumerate([(3, 3), (8, 8), (13, 6), (16, 25), (32, 32), (31, 20)]):
    for smooth in (0.01, 1.5, 4):
        share, other = rng.uniform(0.03, 0.7, 2)
        pair(f"random {height} x {width}, smoothed by {smooth}",
             blob(height, width, share, smooth), blob(height, width, other, smooth),
             spacings[(number + int(smooth)) % 4])

for samples, annotations in ((1, 1), (4, 4), (3, 5), (6, 4), (8, 3), (2, 1)):
    base = rng.normal(size=(12, 10))

    def draw(count):
        fields = [ndimage.gaussian_filter(base + rng.normal(size=base.shape), 1.2) for _ in range(count)]
        return [field > 0.25 for field in fields]

    ones, others = draw(samples), draw(annotations)
    if samples == 6:
        ones[0] = np.zeros_like(ones[0])

    def table(function, rows, columns):
        return np.array([[1.0 if not (a.any() or b.any()) else function(a, b) for b in columns] for a in rows])

    dice = table(binary.dc, ones, others)
    distance = [1 - table(binary.jc, a, b).mean() for a, b in ((ones, others), (ones, ones), (others, others))]
    count = math.lcm(samples, annotations)
    repeated = np.tile(dice, (count // samples, count // annotations))
    matched = repeated[optimize.linear_sum_assignment(repeated, maximize=True)].mean()
    add("sets", samples=[text(m) for m in ones], annotations=[text(m) for m in others],
        energyDistance=float(2 * distance[0] - distance[1] - distance[2]),
        ofAnnotations=float(dice.max(0).mean()), ofSamples=float(dice.max(1).mean()), matched=float(matched))

for count, noise in ((50, 0.1), (400, 0.4), (400, 0.02)):
    truth = rng.uniform(size=count)
    probability = np.clip(truth + noise * rng.normal(size=count), 0, 1)
    probability = np.where(probability * 60 % 1 < 0.2, probability + 0.004, probability)
    probability = np.clip(probability, 0.001, 0.999).round(4)
    label = rng.uniform(size=count) < truth
    for bins in (5, 10, 15):
        off_edge = np.abs(probability * bins - np.rint(probability * bins)) > 1e-6
        p, y = probability[off_edge], label[off_edge]
        inside, confidence = calibration_curve(y, p, n_bins=bins, strategy="uniform")
        shares = np.histogram(p, bins=bins, range=(0, 1))[0] / len(p)
        add("calibration", probability=p.tolist(), label=y.astype(int).tolist(), bins=bins,
            error=float((shares[shares > 0] * np.abs(inside - confidence)).sum()))

for count in (1, 2, 5, 9, 20, 50, 51, 117, 300):
    for shift in (0, 0.25):
        values = (rng.normal(size=count) + shift).round(6)
        add("wilcoxon", differences=values.tolist(), p=float(
            stats.wilcoxon(values, method="exact" if count <= 50 else "asymptotic").pvalue))
for count in (4, 8, 12):
    values = rng.integers(-3, 5, count)  # ties and zeros
    every = stats.PermutationMethod(n_resamples=np.inf)
    left = values[values != 0]
    add("wilcoxon", differences=values.tolist(), p=float(stats.wilcoxon(left, method=every).pvalue))
for count in (80, 200):
    values = rng.integers(-6, 9, count)
    add("wilcoxon", differences=values.tolist(), p=float(stats.wilcoxon(values, method="asymptotic").pvalue))

for count in (1, 2, 3, 10, 37):
    values = rng.normal(size=count).round(6)
    shares = [0, 0.025, 0.3, 0.5, 0.95, 1]
    add("quantile", values=values.tolist(), shares=shares, quantiles=np.quantile(values, shares).tolist())

for patients, most in ((30, 1), (60, 4), (117, 4)):
    groups = [rng.beta(8, 2, rng.integers(1, most + 1)).round(6) for _ in range(patients)]
    sums = np.array([group.sum() for group in groups])
    counts = np.array([len(group) for group in groups])
    found = stats.bootstrap((sums, counts), lambda s, n, axis: s.sum(axis) / n.sum(axis), paired=True,
                            vectorized=True, n_resamples=50000, method="percentile", rng=rng)
    add("bootstrap", groups=[group.tolist() for group in groups], interval=[float(v) for v in found.confidence_interval],
        error=float(found.standard_error))

path = pathlib.Path(__file__).with_name("metrics.jsonl")
path.write_text("".join(json.dumps(e, separators=(",", ":")) + "\n" for e in entries))
print(len(entries), "entries,", path.stat().st_size, "bytes")
