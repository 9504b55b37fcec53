#!/usr/bin/env python3
"""Reference values from segment-anything's own code in PyTorch.

    apt-get install -y python3-torch python3-torchvision python3-venv
    /usr/bin/python3 -m venv --system-site-packages out/reference
    out/reference/bin/pip install segment-anything==1.0
    out/reference/bin/python tests/reference/make.py            # tests/fixtures/sam_*
    out/reference/bin/python tests/reference/make.py --full 512 --out out/reference

Without --full: a shrunken SAM with random weights, run at sizes that take every
branch (windows with and without padding, global attention, interpolated
absolute and relative positions) and with every kind of prompt. With --full:
ViT-B at one input size, or --model vit_l or vit_h, for compare_full.ts.
"""
import argparse
import json
import math
import os
import time
from functools import partial

import numpy as np
import torch
import torch.nn.functional as F
from segment_anything.modeling import (
    ImageEncoderViT, MaskDecoder, PromptEncoder, Sam, TwoWayTransformer)
from segment_anything.utils.transforms import ResizeLongestSide

from write_safetensors import write

FIXTURES = os.path.join(os.path.dirname(__file__), "..", "fixtures")
MEAN, DEVIATION = [123.675, 116.28, 103.53], [58.395, 57.12, 57.375]

SMALL = dict(
    name="sam-small", imageSize=24, patchSize=4,
    pixelMean=[v / 255 for v in MEAN], pixelDeviation=[v / 255 for v in DEVIATION],
    encoder=dict(channels=24, depth=3, heads=3, mlpChannels=48),
    channels=16, latentChannels=6, components=5,
    decoder=dict(depth=2, heads=2, mlpChannels=20, attentionDownsample=2,
                 upscaling=[4, 2], plainUpscaling=False, detailChannels=0),
    feedback=dict(maskHidden=[2, 8], depth=0, heads=2, mlpChannels=16),
    generatorChannels=12,
    sam=dict(window=4, globalBlocks=[1], positionSide=6))


def vit(channels, depth, heads, blocks):
    """One of SAM's own networks."""
    return dict(
        imageSize=1024, patchSize=16,
        encoder=dict(channels=channels, depth=depth, heads=heads, mlpChannels=4 * channels),
        channels=256,
        decoder=dict(depth=2, heads=8, mlpChannels=2048),
        feedback=dict(maskHidden=[4, 16]),
        sam=dict(window=14, globalBlocks=blocks, positionSide=64))


MODELS = {
    "vit_b": vit(768, 12, 12, [2, 5, 8, 11]),
    "vit_l": vit(1024, 24, 16, [5, 11, 17, 23]),
    "vit_h": vit(1280, 32, 16, [7, 15, 23, 31]),
}

EMBEDDINGS = ("rel_pos", "pos_embed", "point_embeddings", "_embed.weight", "mask_tokens",
              "iou_token", "gaussian_matrix")


def build(config, size=None):
    """segment-anything's network for a config; at another size if given."""
    size = size or config["imageSize"]
    patch, L = config["patchSize"], config["channels"]
    side = size // patch
    encoder, decoder = config["encoder"], config["decoder"]
    return Sam(
        image_encoder=ImageEncoderViT(
            depth=encoder["depth"], embed_dim=encoder["channels"], img_size=size,
            mlp_ratio=encoder["mlpChannels"] / encoder["channels"],
            norm_layer=partial(torch.nn.LayerNorm, eps=1e-6),
            num_heads=encoder["heads"], patch_size=patch, qkv_bias=True,
            use_rel_pos=True, global_attn_indexes=config["sam"]["globalBlocks"],
            window_size=config["sam"]["window"], out_chans=L),
        prompt_encoder=PromptEncoder(
            embed_dim=L, image_embedding_size=(side, side),
            input_image_size=(size, size),
            mask_in_chans=config["feedback"]["maskHidden"][1]),
        mask_decoder=MaskDecoder(
            num_multimask_outputs=3,
            transformer=TwoWayTransformer(
                depth=decoder["depth"], embedding_dim=L,
                mlp_dim=decoder["mlpChannels"], num_heads=decoder["heads"]),
            transformer_dim=L, iou_head_depth=3, iou_head_hidden_dim=L),
        pixel_mean=MEAN, pixel_std=DEVIATION).eval()


def draw(model, seed):
    """Random weights under which every part counts, exact in float16."""
    generator = torch.Generator().manual_seed(seed)
    weights = {}
    for name, old in model.state_dict().items():
        noise = torch.randn(old.shape, generator=generator)
        if any(part in name for part in EMBEDDINGS):
            value = noise * 0.5
        elif old.dim() == 1 and name.endswith("weight"):
            value = 1 + 0.2 * noise
        elif old.dim() == 1:
            value = 0.2 * noise
        else:
            fan_in = old[0].numel() if "output_upscaling" not in name else old.shape[0]
            value = noise / math.sqrt(fan_in)
        weights[name] = value.half().float()
    return weights


def load(config, weights, size):
    """The network at a size, positions interpolated as its users do."""
    model = build(config, size)
    weights = dict(weights)
    # at other sizes segment-anything stores longer lists itself; it interpolates
    # whatever list it finds, so the stored ones are put in their place
    for name, module in model.image_encoder.named_modules():
        for axis in ("rel_pos_h", "rel_pos_w"):
            if hasattr(module, axis):
                stored = weights[f"image_encoder.{name}.{axis}"]
                setattr(module, axis, torch.nn.Parameter(torch.zeros_like(stored)))
    side = size // config["patchSize"]
    positions = weights["image_encoder.pos_embed"].permute(0, 3, 1, 2)
    positions = F.interpolate(positions, (side, side), mode="bilinear", align_corners=False)
    weights["image_encoder.pos_embed"] = positions.permute(0, 2, 3, 1)
    model.load_state_dict(weights)
    return model


def picture(height, width, seed):
    """A color image: noise smoothed a little, [H, W, 3], bytes."""
    noise = torch.randn((1, 3, height, width), generator=torch.Generator().manual_seed(seed))
    smooth = F.avg_pool2d(noise, 3, 1, 1)
    return (128 + 90 * smooth).clamp(0, 255).byte()[0].permute(1, 2, 0).numpy()


def embed(model, image):
    """SAM's preprocessing and image encoder, [1, h, h, L]."""
    # ResizeLongestSide.apply_image_torch without its slip: it reads the size from
    # the batch and channel axes; floats, as apply_image rounds to bytes
    size = ResizeLongestSide.get_preprocess_shape(*image.shape[:2], model.image_encoder.img_size)
    x = torch.from_numpy(image).permute(2, 0, 1)[None].float()
    x = F.interpolate(x, size, mode="bilinear", align_corners=False, antialias=True)
    return model.image_encoder(model.preprocess(x))


def decode(model, embedding, prompts):
    """All four mask tokens' low-resolution logits and IoU, and the prompts' embeddings."""
    points = prompts.get("points")
    if points is not None:
        points = (torch.tensor(points)[None, :, :2], torch.tensor(points)[None, :, 2])
    box = prompts.get("box")
    sparse, dense = model.prompt_encoder(
        points=points,
        boxes=None if box is None else torch.tensor([box]),
        masks=prompts.get("mask"))
    masks, iou = model.mask_decoder.predict_masks(
        image_embeddings=embedding, image_pe=model.prompt_encoder.get_dense_pe(),
        sparse_prompt_embeddings=sparse, dense_prompt_embeddings=dense)
    return sparse, dense, masks[0], iou[0]


def cases(side, mask):
    """Every kind of prompt: points (x, y, label), box, mask; in the S x S frame."""
    s = side / 24
    point = [[7 * s, 9 * s, 1.0]]
    box = [3 * s, 4 * s, 15 * s, 20 * s]
    return {
        "point": dict(points=point),
        "points": dict(points=point + [[15 * s, 3 * s, 0.0], [2 * s, 20 * s, 1.0]]),
        "box": dict(box=box),
        "box-points": dict(box=box, points=point),
        "mask-point": dict(points=point, mask=mask),
        "mask": dict(mask=mask),
    }


def outputs(model, image):
    """What a network gives for an image and every kind of prompt."""
    embedding = embed(model, image)
    size = model.image_encoder.img_size
    _, _, masks, _ = decode(model, embedding, dict(points=[[size / 3, size / 3, 1.0]]))
    fed_back = masks[1:2][None]
    result = {"image": image, "embedding": embedding.permute(0, 2, 3, 1), "mask": fed_back[0, 0]}
    for name, prompts in cases(size, fed_back).items():
        sparse, dense, masks, iou = decode(model, embedding, prompts)
        result |= {f"{name}/logits": masks, f"{name}/iou": iou, f"{name}/sparse": sparse}
        for kind in ("points", "box"):
            if kind in prompts:
                result[f"{name}/{kind}"] = np.array(prompts[kind], dtype=np.float32)
        if name == "mask":
            result["mask/dense"] = dense.permute(0, 2, 3, 1)
    return result


def peak_megabytes():
    with open("/proc/self/status") as file:
        return int(next(l for l in file if l.startswith("VmHWM")).split()[1]) // 1024


def small():
    weights = draw(build(SMALL), seed=1)
    note = {"config": json.dumps(SMALL), "origin": "tests/reference/make.py: random weights"}
    write(f"{FIXTURES}/sam_weights.safetensors", {k: v.half() for k, v in weights.items()}, note)
    write(f"{FIXTURES}/sam_prompts.safetensors",
          outputs(load(SMALL, weights, 24), picture(24, 18, seed=2)))
    sizes = {}
    for size, (height, width) in {8: (8, 6), 16: (12, 16), 24: (40, 30), 32: (32, 32)}.items():
        image = picture(height, width, seed=size)
        sizes[f"{size}/image"] = image
        sizes[f"{size}/embedding"] = embed(load(SMALL, weights, size), image).permute(0, 2, 3, 1)
    write(f"{FIXTURES}/sam_sizes.safetensors", sizes)


def full(name, size, folder):
    os.makedirs(folder, exist_ok=True)
    config = MODELS[name]
    weights = draw(build(config), seed=1)
    path = f"{folder}/{name}.safetensors"
    if not os.path.exists(path):
        write(path, weights)
    model = load(config, weights, size)
    begin = time.time()
    result = outputs(model, picture(size, size * 3 // 4, seed=3))
    print(f"{name} at {size} px: {time.time() - begin:.1f} s, peak {peak_megabytes()} MB")
    write(f"{folder}/{name}_{size}.safetensors", result)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--full", type=int, metavar="SIZE")
    parser.add_argument("--model", default="vit_b", choices=MODELS)
    parser.add_argument("--out", default="out/reference")
    arguments = parser.parse_args()
    torch.set_grad_enabled(False)
    if arguments.full:
        full(arguments.model, arguments.full, arguments.out)
    else:
        small()
