#!/usr/bin/env python3
"""Runs the files of exportOnnx in Python, with no part of this module.

    pip install onnxruntime numpy pillow
    python tests/reference/run_exported.py FOLDER slice.png --point 61,40 --choose 2,1

writes, for the first proposal and for the one after each choice, the recommended
mask and the candidates as PNG, and prints their shares. In a program of your own:

    model = ExportedModel("exported")
    image = model.encode(pixels)                    # [H, W] or [H, W, 3], 0..1
    feedback = model.feedback(image, points=[(61, 40, 1)])
    mixture = model.generate(image, feedback)
    latents, components = sample(mixture, model.samples, seed=1)
    maps = model.decode(image, feedback, latents)   # [N, 4h, 4h]
    mask = model.mask(image, maps.mean(0))          # [H, W], bool

Not here, but in the module: samples kept from chosen clusters, and variations of
the samples; both are made of the maps. Each file's description says what its
inputs are: session.get_modelmeta().description.
"""
import argparse
import json
import os

os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")  # before onnxruntime loads

import numpy as np
import onnxruntime
from PIL import Image

CLIP = 0.02  # a choice's probabilities lie in CLIP..1 - CLIP
CHOICE_SCALE = 4  # of its logits in the mask prompt
CLICK_RADIUS = 2  # of a click's bump, in pixels of the maps
EVIDENCE_TEMPERATURE, EVIDENCE_MEMORY, EVIDENCE_FLOOR = 0.025, 0.5, 1e-4


class ExportedModel:
    """The exported network, one image at a time."""

    def __init__(self, folder, threads=0):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        self.sessions = {}
        for name in ("encoder", "generator", "decoder", "predictor"):
            path = os.path.join(folder, f"{name}.onnx")
            if os.path.exists(path):  # only a SAM has a predictor
                self.sessions[name] = onnxruntime.InferenceSession(
                    path, options, providers=["CPUExecutionProvider"])
        facts = self.sessions["decoder"].get_modelmeta().custom_metadata_map
        self.config = json.loads(facts["config"])
        shapes = {i.name: i.shape for i in self.sessions["decoder"].get_inputs()}
        self.slots, self.samples = shapes["points"][1], shapes["latents"][1]
        self.side = shapes["choice"][1]  # of the maps

    def run(self, name, inputs):
        """A file's outputs by name, for the inputs that it has."""
        session = self.sessions[name]
        feeds = {i.name: np.asarray(inputs[i.name], dtype=np.float32)
                 for i in session.get_inputs()}
        names = [output.name for output in session.get_outputs()]
        return dict(zip(names, session.run(names, feeds)))

    def encode(self, pixels):
        """Once per image: pixels [H, W] or [H, W, 3] in 0..1."""
        S = self.config["imageSize"]
        height, width = pixels.shape[:2]
        scale = S / max(height, width)
        # halves upwards, as JavaScript rounds
        h, w = (max(1, int(np.floor(n * scale + 0.5))) for n in (height, width))
        square = np.zeros((1, S, S, 3), np.float32)
        for c in range(3):
            plane = pixels if pixels.ndim == 2 else pixels[:, :, c % pixels.shape[2]]
            square[0, :h, :w, c] = resize(plane, h, w)
        encoded = self.run("encoder", {"image": square, "size": [h, w]})
        scales = w / width, h / height  # differ as w and h are rounded
        return encoded | {"height": height, "width": width, "scales": scales}

    def feedback(self, image, points=(), box=None, choices=()):
        """Clicks (x, y, label), a box (left, top, right, bottom), both in pixels
        of the image, and choices: dicts of the maps `recommended` [4h, 4h] and
        `candidates` [K, 4h, 4h], and of the index `chosen`."""
        slots = [(x, y, 1 if label else 0) for x, y, label in points]
        bumps = [(x, y, 1 if label else -1) for x, y, label in points]
        if box is not None:
            slots += [(*box[:2], 2), (*box[2:], 3)]
            bumps.append(((box[0] + box[2]) / 2, (box[1] + box[3]) / 2, 1))
        elif slots:
            slots.append((0, 0, -1))
        if len(slots) > self.slots:
            raise ValueError(f"Cannot take {len(slots)} prompt slots: the files have "
                             f"{self.slots}; export them with more")
        coordinates = np.zeros((1, self.slots, 2))
        labels = np.full((1, self.slots), -2.0)
        for i, (x, y, label) in enumerate(slots):
            coordinates[0, i] = np.multiply((x, y), image["scales"])
            labels[0, i] = label
        side = self.side
        clicks = np.zeros((side, side))
        across, down = np.multiply(image["scales"], side / self.config["imageSize"])
        for x, y, sign in bumps:
            profile = [bump((v + 0.5) * step - 0.5, side)
                       for v, step in ((y, down), (x, across))]
            clicks += sign * np.outer(*profile)
        mask, choice = np.zeros((side, side, 4)), np.zeros((side, side))
        if choices:
            last = choices[-1]
            candidates, chosen = np.asarray(last["candidates"]), last["chosen"]
            picked = candidates[chosen]
            p = np.clip(picked, CLIP, 1 - CLIP)
            choice = np.log(p / (1 - p))
            mask[..., 0] = choice / CHOICE_SCALE
            mask[..., 1] = 2 * (picked - last["recommended"])
            if len(choices) > 1:
                mask[..., 2] = choices[-2]["candidates"][choices[-2]["chosen"]]
            if len(candidates) > 1:
                rejected = np.delete(candidates, chosen, axis=0)
                mask[..., 3] = 2 * (picked - rejected.mean(0))
        return {"points": coordinates, "labels": labels, "clicks": clicks[None, :, :, None],
                "mask": mask[None], "choice": choice[None], "has_mask": [1.0 if choices else 0.0]}

    def generate(self, image, feedback, evidence=None):
        """The mixture: log_weights [M], means and deviations [M, d]."""
        if evidence is None:
            evidence = np.zeros(self.config["components"])
        mixture = self.run("generator", image | feedback | {"evidence": evidence[None]})
        return {name: value[0] for name, value in mixture.items()}

    def decode(self, image, feedback, latents):
        """Latents [N, d] to probability maps [N, 4h, 4h]."""
        inputs = image | feedback | {"latents": latents[None]}
        return self.run("decoder", inputs)["probabilities"][0]

    def mask(self, image, probability):
        """A map [4h, 4h] as a mask at the image's own size, [H, W]."""
        across, down = np.multiply(image["scales"], self.side / self.config["imageSize"])
        rows = between(image["height"], down, self.side)
        columns = between(image["width"], across, self.side)
        return rows @ probability @ columns.T >= 0.5


def resize(plane, height, width):
    """Bilinearly, without aliasing: [H, W] to [height, width]."""
    picture = Image.fromarray(np.ascontiguousarray(plane, dtype=np.float32))
    return np.asarray(picture.resize((width, height), Image.BILINEAR))


def between(count, step, side):
    """Bilinear sampling of one axis as a matrix, [count, side]."""
    at = np.clip((np.arange(count) + 0.5) * step - 0.5, 0, side - 1)
    return np.maximum(0, 1 - np.abs(at[:, None] - np.arange(side)))


def bump(center, side):
    """A click's bump along one axis, [side]."""
    at, reach = np.arange(side), 3 * CLICK_RADIUS
    near = (at >= np.floor(center) - reach) & (at <= np.ceil(center) + reach)
    return near * np.exp(-((at - center) ** 2) / (2 * CLICK_RADIUS ** 2))


def sample(mixture, count, seed):
    """Latents [N, d] and their components: systematic resampling, one draw each."""
    random = np.random.default_rng(seed)
    edges = np.cumsum(np.exp(mixture["log_weights"]))
    positions = (np.arange(count) + random.random()) / count
    components = np.minimum(np.searchsorted(edges, positions, "right"), len(edges) - 1)
    noise = random.standard_normal((count, mixture["means"].shape[1]))
    return mixture["means"][components] + mixture["deviations"][components] * noise, components


def cluster(maps, count, seed):
    """K-means of maps [N, n, n]: candidates [K, n, n] by share, and the shares."""
    random = np.random.default_rng(seed)
    points = maps.reshape(len(maps), -1).astype(np.float64)
    best = (np.inf, None)
    for _ in range(8):
        centers = points[random.integers(len(points))][None]
        while len(centers) < count:  # k-means++
            distance = ((points[:, None] - centers) ** 2).sum(2).min(1)
            if distance.sum() == 0:
                break
            chosen = random.choice(len(points), p=distance / distance.sum())
            centers = np.concatenate([centers, points[chosen][None]])
        for _ in range(20):
            distances = ((points[:, None] - centers) ** 2).sum(2)
            labels = distances.argmin(1)
            used = np.unique(labels)
            centers = np.stack([points[labels == k].mean(0) for k in used])
        inertia = distances.min(1).sum()
        if inertia < best[0]:
            best = (inertia, (centers, np.array([(labels == k).mean() for k in used])))
    centers, shares = best[1]
    order = np.argsort(-shares, kind="stable")
    return centers[order].reshape(-1, *maps.shape[1:]), shares[order]


def add_evidence(evidence, maps, components, chosen):
    """The log evidence [M] after a choice: the chosen map's likelihood, by component."""
    y = np.clip(maps.astype(np.float64), 1e-4, 1 - 1e-4)
    likelihood = EVIDENCE_TEMPERATURE * np.log(
        np.where(chosen >= 0.5, y, 1 - y)).sum((1, 2))
    mean = lambda values: np.logaddexp.reduce(values) - np.log(len(values))
    added = np.array([mean(likelihood[components == m] if (components == m).any() else likelihood)
                      for m in range(len(evidence))])
    floor = np.log(EVIDENCE_FLOOR)
    total = np.maximum(floor, added - added.max()) + EVIDENCE_MEMORY * evidence
    return total - np.logaddexp.reduce(total)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", help="of the exported files")
    parser.add_argument("image", help="PNG, JPEG, ... of 8 bits")
    parser.add_argument("--point", default=None, metavar="X,Y", help="default: the middle")
    parser.add_argument("--choose", default="", metavar="K,K", help="1 for the first candidate")
    parser.add_argument("--out", default="out/exported")
    arguments = parser.parse_args()

    model = ExportedModel(arguments.folder)
    pixels = np.asarray(Image.open(arguments.image).convert("RGB"), np.float32) / 255
    x, y = (map(float, arguments.point.split(",")) if arguments.point
            else (pixels.shape[1] // 2, pixels.shape[0] // 2))
    os.makedirs(arguments.out, exist_ok=True)
    save = lambda name, mask: Image.fromarray(255 * mask.astype(np.uint8)).save(
        os.path.join(arguments.out, f"{name}.png"))

    image = model.encode(pixels)
    evidence, choices = np.zeros(model.config["components"]), []
    picks = [int(k) - 1 for k in arguments.choose.split(",") if k]
    for iteration in range(len(picks) + 1):
        feedback = model.feedback(image, [(x, y, 1)], choices=choices)
        mixture = model.generate(image, feedback, evidence)
        latents, components = sample(mixture, model.samples, seed=iteration)
        maps = model.decode(image, feedback, latents)
        recommended = maps.mean(0)
        candidates, shares = cluster(maps, 4, seed=iteration)
        save(f"{iteration + 1}-recommended", model.mask(image, recommended))
        for k, candidate in enumerate(candidates):
            save(f"{iteration + 1}-candidate-{k + 1}", model.mask(image, candidate))
        area = model.mask(image, recommended).sum()
        print(f"proposal {iteration + 1}: {area} pixels recommended, candidates' shares",
              " ".join(f"{share:.2f}" for share in shares))
        if iteration < len(picks):
            chosen = picks[iteration]
            evidence = add_evidence(evidence, maps, components, candidates[chosen])
            choices.append({"recommended": recommended, "candidates": candidates, "chosen": chosen})
    print(f"masks in {arguments.out}")


if __name__ == "__main__":
    main()
