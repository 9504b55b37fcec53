#!/usr/bin/env python3
"""PyTorch's side of speed.ts: reads the name of a job a line, answers its milliseconds,
or megabytes. Arguments: input side, threads, clock ("wall" or "cpu")."""
import sys
import time

import torch

import make

torch.set_grad_enabled(False)
size, threads = (int(argument) for argument in sys.argv[1:3])
torch.set_num_threads(threads)
now = time.process_time if sys.argv[3] == "cpu" else time.perf_counter
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
    "encode": lambda _: model.image_encoder(pixels),
    # the published code: the encoder again, then one decoder call per sample
    "plain": lambda latents: [model.image_encoder(pixels)] + [predict(z[None]) for z in latents],
    "tuned": predict,
}
print("ready", flush=True)
for line in sys.stdin:
    job, *count = line.split()
    if job == "memory":
        print(make.peak_megabytes(), flush=True)
        continue
    latents = torch.randn(int(count[0]) if count else 0, latent_channels)
    begin = now()
    jobs[job](latents)
    print((now() - begin) * 1000, flush=True)
