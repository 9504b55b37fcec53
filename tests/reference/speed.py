#!/usr/bin/env python3
"""PyTorch's side of speed.ts: reads the name of a job a line, answers its milliseconds."""
import sys
import time

import torch

import make

torch.set_grad_enabled(False)
size, threads, samples = (int(argument) for argument in sys.argv[1:4])
torch.set_num_threads(threads)
torch.manual_seed(1)

config = make.MODELS["vit_b"]
model = make.build(config, size).eval()  # fresh weights: only shapes count here
L, latent_channels = config["channels"], 64
side = size // config["patchSize"]
fusion = torch.nn.Sequential(
    torch.nn.Conv2d(L + latent_channels, L, 1), torch.nn.ReLU(),
    torch.nn.Conv2d(L, L, 1), torch.nn.ReLU(),
    torch.nn.Conv2d(L, L, 1), torch.nn.ReLU())
pixels = torch.randn(1, 3, size, size)
latents = torch.randn(samples, latent_channels)
embedding = model.image_encoder(pixels)
sparse, dense = model.prompt_encoder(
    points=(torch.tensor([[[size / 3, size / 3]]]), torch.tensor([[1]])), boxes=None, masks=None)
positions = model.prompt_encoder.get_dense_pe()


def predict(latents):
    """Latents to probability maps, in one batch."""
    N = latents.shape[0]
    z = latents[:, :, None, None].expand(-1, -1, side, side)
    image = fusion(torch.cat([embedding.expand(N, -1, -1, -1), z], 1)) + dense
    decoder = model.mask_decoder
    tokens = torch.cat([decoder.iou_token.weight, decoder.mask_tokens.weight])
    tokens = torch.cat([tokens.expand(N, -1, -1), sparse.expand(N, -1, -1)], 1)
    tokens, image = decoder.transformer(image, positions.expand(N, -1, -1, -1), tokens)
    image = image.transpose(1, 2).reshape(N, L, side, side)
    pixels = decoder.output_upscaling(image)
    filters = decoder.output_hypernetworks_mlps[0](tokens[:, 1])
    return torch.sigmoid((filters[:, None] @ pixels.flatten(2)).reshape(N, 4 * side, 4 * side))


jobs = {
    "encode": lambda: model.image_encoder(pixels),
    # the published code: the encoder again, then one decoder call per sample
    "plain": lambda: [model.image_encoder(pixels)] + [predict(z[None]) for z in latents],
    "tuned": lambda: predict(latents),
}
print("ready", flush=True)
for line in sys.stdin:
    begin = time.perf_counter()
    if line.strip() == "memory":
        print(make.peak_megabytes(), flush=True)
        continue
    jobs[line.strip()]()
    print((time.perf_counter() - begin) * 1000, flush=True)
