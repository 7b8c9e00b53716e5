"""The published `mobile_sam.pt` written down from its description: every name and shape, and what its encoder
computes, without timm, segment_anything or the converter.
"""

import torch
from torch import Tensor
from torch.nn import functional as F

WIDTHS, DEPTHS, HEADS, WINDOWS = (64, 128, 160, 320), (2, 2, 6, 2), (2, 4, 5, 10), (7, 7, 14, 7)


def shapes() -> dict[str, tuple[int, ...]]:
    return {**encoder_shapes(), **prompt_encoder_shapes(), **mask_decoder_shapes()}


def affine(name: str, width: int) -> dict[str, tuple[int, ...]]:
    return {f"{name}.weight": (width,), f"{name}.bias": (width,)}


def linear(name: str, c_in: int, c_out: int) -> dict[str, tuple[int, ...]]:
    return {f"{name}.weight": (c_out, c_in), f"{name}.bias": (c_out,)}


def conv_bn(name: str, *shape: int) -> dict[str, tuple[int, ...]]:
    running = {f"{name}.bn.running_{kind}": (shape[0],) for kind in ("mean", "var")}
    return {
        f"{name}.c.weight": shape,
        **affine(f"{name}.bn", shape[0]),
        **running,
        f"{name}.bn.num_batches_tracked": (),
    }


def inverted_bottleneck(name: str, c_in: int, middle: int, c_out: int) -> dict[str, tuple[int, ...]]:
    first, last = conv_bn(f"{name}.conv1", middle, c_in, 1, 1), conv_bn(f"{name}.conv3", c_out, middle, 1, 1)
    return {**first, **conv_bn(f"{name}.conv2", middle, 1, 3, 3), **last}


def attention_block(name: str, width: int, heads: int, window: int) -> dict[str, tuple[int, ...]]:
    return {
        **affine(f"{name}.attn.norm", width),
        **linear(f"{name}.attn.qkv", width, 3 * width),
        **linear(f"{name}.attn.proj", width, width),
        f"{name}.attn.attention_biases": (heads, window * window),
        **conv_bn(f"{name}.local_conv", width, 1, 3, 3),
        **affine(f"{name}.mlp.norm", width),
        **linear(f"{name}.mlp.fc1", width, 4 * width),
        **linear(f"{name}.mlp.fc2", 4 * width, width),
    }


def encoder_shapes() -> dict[str, tuple[int, ...]]:
    found = {**conv_bn("patch_embed.seq.0", 32, 3, 3, 3), **conv_bn("patch_embed.seq.2", 64, 32, 3, 3)}
    for layer, (width, depth) in enumerate(zip(WIDTHS, DEPTHS, strict=True)):
        for block in range(depth):
            name = f"layers.{layer}.blocks.{block}"
            if layer == 0:
                found |= inverted_bottleneck(name, 64, 256, 64)
            else:
                found |= attention_block(name, width, HEADS[layer], WINDOWS[layer])
        if layer < 3:
            following = WIDTHS[layer + 1]
            found |= inverted_bottleneck(f"layers.{layer}.downsample", width, following, following)
    found |= {**affine("norm_head", 320), **linear("head", 320, 1000)}
    found |= {"neck.0.weight": (256, 320, 1, 1), **affine("neck.1", 256)}
    found |= {"neck.2.weight": (256, 256, 3, 3), **affine("neck.3", 256)}
    return {f"image_encoder.{name}": shape for name, shape in found.items()}


def prompt_encoder_shapes() -> dict[str, tuple[int, ...]]:
    vectors = [*(f"point_embeddings.{i}" for i in range(4)), "not_a_point_embed", "no_mask_embed"]
    found = {"pe_layer.positional_encoding_gaussian_matrix": (2, 128)}
    found |= {f"{name}.weight": (1, 256) for name in vectors}
    for index, shape in ((0, (4, 1, 2, 2)), (1, (4,)), (3, (16, 4, 2, 2)), (4, (16,)), (6, (256, 16, 1, 1))):
        found |= {f"mask_downscaling.{index}.weight": shape, f"mask_downscaling.{index}.bias": shape[:1]}
    return {f"prompt_encoder.{name}": shape for name, shape in found.items()}


def attention(name: str, inner: int) -> dict[str, tuple[int, ...]]:
    found = linear(f"{name}.out_proj", inner, 256)
    for part in "qkv":
        found |= linear(f"{name}.{part}_proj", 256, inner)
    return found


def mlp(name: str, *widths: int) -> dict[str, tuple[int, ...]]:
    found = {}
    for index, (c_in, c_out) in enumerate(zip(widths, widths[1:], strict=False)):
        found |= linear(f"{name}.layers.{index}", c_in, c_out)
    return found


def mask_decoder_shapes() -> dict[str, tuple[int, ...]]:
    found = {"iou_token.weight": (1, 256), "mask_tokens.weight": (4, 256)}
    for layer in range(2):
        name = f"transformer.layers.{layer}"
        found |= attention(f"{name}.self_attn", 256)
        found |= attention(f"{name}.cross_attn_token_to_image", 128)
        found |= attention(f"{name}.cross_attn_image_to_token", 128)
        found |= linear(f"{name}.mlp.lin1", 256, 2048) | linear(f"{name}.mlp.lin2", 2048, 256)
        for norm in range(1, 5):
            found |= affine(f"{name}.norm{norm}", 256)
    found |= attention("transformer.final_attn_token_to_image", 128) | affine("transformer.norm_final_attn", 256)
    found |= {"output_upscaling.0.weight": (256, 64, 2, 2), "output_upscaling.0.bias": (64,)}
    found |= affine("output_upscaling.1", 64)
    found |= {"output_upscaling.3.weight": (64, 32, 2, 2), "output_upscaling.3.bias": (32,)}
    for token in range(4):
        found |= mlp(f"output_hypernetworks_mlps.{token}", 256, 256, 256, 32)
    found |= mlp("iou_prediction_head", 256, 256, 256, 4)
    return {f"mask_decoder.{name}": shape for name, shape in found.items()}


def state_dict(seed: int = 0) -> dict[str, Tensor]:
    """Random values under the published names; every tensor differs from what a constructor gives."""
    generator = torch.Generator().manual_seed(seed)
    state = {}
    for name, shape in shapes().items():
        noise = torch.randn(shape, generator=generator)
        if name.endswith("num_batches_tracked"):
            state[name] = torch.tensor(7)
        elif name.endswith("running_var"):
            state[name] = 1 + noise.abs()
        elif len(shape) == 1:
            state[name] = name.endswith("weight") + 0.1 * noise
        elif "biases" in name or "gaussian" in name:
            state[name] = noise
        else:
            state[name] = noise * (noise.numel() / shape[0]) ** -0.5
    return state


class Encoder:
    """What the published image encoder computes: RGB 0..1 (B, 3, H, W) -> (B, 256, H / 16, W / 16)."""

    def __init__(self, state: dict[str, Tensor]) -> None:
        prefix = "image_encoder."
        self.w = {k.removeprefix(prefix): v.double() for k, v in state.items() if k.startswith(prefix)}

    def __call__(self, images: Tensor) -> Tensor:
        mean, std = (torch.tensor(v).view(3, 1, 1) for v in ((123.675, 116.28, 103.53), (58.395, 57.12, 57.375)))
        x = (images.double() * 255 - mean) / std
        x = F.gelu(self.conv_bn(x, "patch_embed.seq.0", stride=2, padding=1))
        x = self.conv_bn(x, "patch_embed.seq.2", stride=2, padding=1)
        for layer, depth in enumerate(DEPTHS):
            for block in range(depth):
                name = f"layers.{layer}.blocks.{block}"
                x = F.gelu(x + self.bottleneck(x, name, 1)) if layer == 0 else self.block(x, name, layer)
            if layer < 3:
                x = self.bottleneck(x, f"layers.{layer}.downsample", stride=1 if layer == 2 else 2)
        x = self.channel_norm(F.conv2d(x, self.w["neck.0.weight"]), "neck.1")
        return self.channel_norm(F.conv2d(x, self.w["neck.2.weight"], padding=1), "neck.3")

    def conv_bn(self, x: Tensor, name: str, **options: int) -> Tensor:
        statistics = (self.w[f"{name}.bn.running_{kind}"] for kind in ("mean", "var"))
        affine = (self.w[f"{name}.bn.{kind}"] for kind in ("weight", "bias"))
        return F.batch_norm(F.conv2d(x, self.w[f"{name}.c.weight"], **options), *statistics, *affine, eps=1e-5)

    def bottleneck(self, x: Tensor, name: str, stride: int) -> Tensor:
        x = F.gelu(self.conv_bn(x, f"{name}.conv1"))
        x = F.gelu(self.conv_bn(x, f"{name}.conv2", stride=stride, padding=1, groups=x.shape[1]))
        return self.conv_bn(x, f"{name}.conv3")

    def channel_norm(self, x: Tensor, name: str) -> Tensor:
        x = F.layer_norm(x.movedim(1, -1), (256,), self.w[f"{name}.weight"], self.w[f"{name}.bias"], 1e-6)
        return x.movedim(-1, 1)

    def linear(self, x: Tensor, name: str) -> Tensor:
        return F.linear(x, self.w[f"{name}.weight"], self.w[f"{name}.bias"])

    def norm(self, x: Tensor, name: str) -> Tensor:
        return F.layer_norm(x, x.shape[-1:], self.w[f"{name}.weight"], self.w[f"{name}.bias"])

    def block(self, x: Tensor, name: str, layer: int) -> Tensor:
        height, width = x.shape[2:]
        window = WINDOWS[layer]
        padded = F.pad(x, (0, -width % window, 0, -height % window))
        attended = torch.zeros_like(padded)
        for top in range(0, padded.shape[2], window):
            for left in range(0, padded.shape[3], window):
                here = (..., slice(top, top + window), slice(left, left + window))
                tokens = padded[here].flatten(2).transpose(1, 2)
                out = self.attention(tokens, f"{name}.attn", window, HEADS[layer])
                attended[here] = out.transpose(1, 2).unflatten(2, (window, window))
        x = self.conv_bn(x + attended[..., :height, :width], f"{name}.local_conv", padding=1, groups=x.shape[1])
        tokens = x.movedim(1, -1)
        hidden = F.gelu(self.linear(self.norm(tokens, f"{name}.mlp.norm"), f"{name}.mlp.fc1"))
        return (tokens + self.linear(hidden, f"{name}.mlp.fc2")).movedim(-1, 1)

    def attention(self, tokens: Tensor, name: str, window: int, heads: int) -> Tensor:
        qkv = self.linear(self.norm(tokens, f"{name}.norm"), f"{name}.qkv")
        q, k, v = qkv.unflatten(2, (heads, 3, 32)).permute(3, 0, 2, 1, 4)
        y, x = (axis.flatten() for axis in torch.meshgrid(*[torch.arange(window)] * 2, indexing="ij"))
        offset = (y[:, None] - y).abs() * window + (x[:, None] - x).abs()
        scores = q @ k.transpose(-1, -2) / 32**0.5 + self.w[f"{name}.attention_biases"][:, offset]
        return self.linear((scores.softmax(-1) @ v).transpose(1, 2).flatten(2), f"{name}.proj")
