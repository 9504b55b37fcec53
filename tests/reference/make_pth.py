"""Writes a .pth of SAM ViT-B's size (375 MB), as torch.save lays it out, with
numpy alone.

    python3 tests/reference/make_pth.py sam-vit-b out.pth

The names and shapes are those of sam_vit_b_01ec64.pth; the values are random.
"""

import io
import math
import struct
import sys
import zipfile

import numpy


def shapes_of_vit_b():
    """Yields every name and shape of segment-anything's ViT-B."""
    width, mixed, side, window, depth = 768, 256, 64, 14, 12

    def linear(name, inputs, outputs):
        yield f"{name}.weight", (outputs, inputs)
        yield f"{name}.bias", (outputs,)

    def norm(name, channels):
        yield f"{name}.weight", (channels,)
        yield f"{name}.bias", (channels,)

    def attention(name, inner):
        for part in "q_proj", "k_proj", "v_proj":
            yield from linear(f"{name}.{part}", mixed, inner)
        yield from linear(f"{name}.out_proj", inner, mixed)

    encoder = "image_encoder"
    yield f"{encoder}.pos_embed", (1, side, side, width)
    yield f"{encoder}.patch_embed.proj.weight", (width, 3, 16, 16)
    yield f"{encoder}.patch_embed.proj.bias", (width,)
    for i in range(depth):
        block = f"{encoder}.blocks.{i}"
        reach = 2 * (side if i in (2, 5, 8, 11) else window) - 1
        yield from norm(f"{block}.norm1", width)
        yield f"{block}.attn.rel_pos_h", (reach, 64)
        yield f"{block}.attn.rel_pos_w", (reach, 64)
        yield from linear(f"{block}.attn.qkv", width, 3 * width)
        yield from linear(f"{block}.attn.proj", width, width)
        yield from norm(f"{block}.norm2", width)
        yield from linear(f"{block}.mlp.lin1", width, 4 * width)
        yield from linear(f"{block}.mlp.lin2", 4 * width, width)
    yield f"{encoder}.neck.0.weight", (mixed, width, 1, 1)
    yield from norm(f"{encoder}.neck.1", mixed)
    yield f"{encoder}.neck.2.weight", (mixed, mixed, 3, 3)
    yield from norm(f"{encoder}.neck.3", mixed)

    prompt = "prompt_encoder"
    yield f"{prompt}.pe_layer.positional_encoding_gaussian_matrix", (2, 128)
    for i in range(4):
        yield f"{prompt}.point_embeddings.{i}.weight", (1, mixed)
    yield f"{prompt}.not_a_point_embed.weight", (1, mixed)
    down = f"{prompt}.mask_downscaling"
    yield f"{down}.0.weight", (4, 1, 2, 2)
    yield f"{down}.0.bias", (4,)
    yield from norm(f"{down}.1", 4)
    yield f"{down}.3.weight", (16, 4, 2, 2)
    yield f"{down}.3.bias", (16,)
    yield from norm(f"{down}.4", 16)
    yield f"{down}.6.weight", (mixed, 16, 1, 1)
    yield f"{down}.6.bias", (mixed,)
    yield f"{prompt}.no_mask_embed.weight", (1, mixed)

    decoder = "mask_decoder"
    for i in range(2):
        layer = f"{decoder}.transformer.layers.{i}"
        yield from attention(f"{layer}.self_attn", mixed)
        yield from norm(f"{layer}.norm1", mixed)
        yield from attention(f"{layer}.cross_attn_token_to_image", mixed // 2)
        yield from norm(f"{layer}.norm2", mixed)
        yield from linear(f"{layer}.mlp.lin1", mixed, 2048)
        yield from linear(f"{layer}.mlp.lin2", 2048, mixed)
        yield from norm(f"{layer}.norm3", mixed)
        yield from norm(f"{layer}.norm4", mixed)
        yield from attention(f"{layer}.cross_attn_image_to_token", mixed // 2)
    last = f"{decoder}.transformer"
    yield from attention(f"{last}.final_attn_token_to_image", mixed // 2)
    yield from norm(f"{last}.norm_final_attn", mixed)
    yield f"{decoder}.iou_token.weight", (1, mixed)
    yield f"{decoder}.mask_tokens.weight", (4, mixed)
    up = f"{decoder}.output_upscaling"
    yield f"{up}.0.weight", (mixed, 64, 2, 2)
    yield f"{up}.0.bias", (64,)
    yield from norm(f"{up}.1", 64)
    yield f"{up}.3.weight", (64, 32, 2, 2)
    yield f"{up}.3.bias", (32,)
    for i in range(4):
        mlp = f"{decoder}.output_hypernetworks_mlps.{i}.layers"
        yield from linear(f"{mlp}.0", mixed, mixed)
        yield from linear(f"{mlp}.1", mixed, mixed)
        yield from linear(f"{mlp}.2", mixed, 32)
    head = f"{decoder}.iou_prediction_head.layers"
    yield from linear(f"{head}.0", mixed, mixed)
    yield from linear(f"{head}.1", mixed, mixed)
    yield from linear(f"{head}.2", mixed, 4)


def number(value):
    if value < 256:
        return b"K" + bytes([value])
    return b"J" + struct.pack("<i", value)


def text(value):
    encoded = value.encode()
    return b"X" + struct.pack("<I", len(encoded)) + encoded


def tuple_of(values):
    return b"(" + b"".join(map(number, values)) + b"t"


def pickle_of(shapes):
    """The pickle of an OrderedDict of float32 tensors, one storage each."""
    out = io.BytesIO()
    out.write(b"\x80\x02ccollections\nOrderedDict\n)R(")
    for key, (name, shape) in enumerate(shapes):
        strides = [math.prod(shape[k + 1 :]) for k in range(len(shape))]
        out.write(text(name) + b"ctorch._utils\n_rebuild_tensor_v2\n((")
        out.write(text("storage") + b"ctorch\nFloatStorage\n" + text(str(key)))
        out.write(text("cpu") + number(math.prod(shape)) + b"tQ")
        out.write(number(0) + tuple_of(shape) + tuple_of(strides))
        out.write(b"\x89ccollections\nOrderedDict\n)RtR")
    out.write(b"u.")
    return out.getvalue()


def write(path, shapes, seed=0):
    """Writes the archive; each storage begins at a multiple of 64 bytes."""
    random = numpy.random.default_rng(seed)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:

        def add(name, data):
            info = zipfile.ZipInfo(f"archive/{name}")
            begin = archive.fp.tell() + 30 + len(info.filename) + 4
            padding = -begin % 64
            info.extra = struct.pack("<2sH", b"FB", padding) + b"Z" * padding
            archive.writestr(info, data)

        add("data.pkl", pickle_of(shapes))
        add("byteorder", b"little")
        for key, (_, shape) in enumerate(shapes):
            values = random.standard_normal(math.prod(shape), numpy.float32)
            add(f"data/{key}", (0.02 * values).tobytes())
        add("version", b"3\n")
        add(".data/serialization_id", b"0" * 40)


if __name__ == "__main__":
    if len(sys.argv) != 3 or sys.argv[1] != "sam-vit-b":
        sys.exit(__doc__)
    write(sys.argv[2], list(shapes_of_vit_b()))
