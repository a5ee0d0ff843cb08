"""How diffusers names the tensors of its ``AutoencoderKL``, and Stable Diffusion's autoencoders with it.

``encoder.down_blocks.0.resnets.0.conv1.weight``. The products of attention are ``to_q``, ``to_k``, ``to_v``
and ``to_out.0``, in older files ``query``, ``key``, ``value`` and ``proj_attn``.
"""

from __future__ import annotations

import functools
import pathlib
from collections.abc import Collection
from typing import Any

import numpy as np

from score_sde.interop.base import Layout, Source, Sources, load_tensors
from score_sde.interop.edm import norm, weights
from score_sde.interop.options.base import Options, made
from score_sde.interop.transforms import conv, conv_as_linear, identity, joined, linear
from score_sde.interop.weights import read_weights
from score_sde.networks.autoencoder_kl import AutoencoderKL

NEW = ("to_q", "to_k", "to_v", "to_out.0")
OLD = ("query", "key", "value", "proj_attn")
HINTS = {
    "quant_conv.*": "set latent",
    "*_quant_conv.*": "set latent",
    "*.conv_in.*": "set channels, latent, or the shape of the data",
    "*.resnets.*": "set channels, multipliers or blocks",
    "*samplers.*": "set multipliers",
}


def autoencoder_kl_network(options: Options, *, seed: int | None = None) -> AutoencoderKL:
    """The network of the options in the original's ``config.json``; shapes that ``load`` fills, or drawn.

    ``block_out_channels``, ``layers_per_block``, ``latent_channels``, ``norm_num_groups``, ``in_channels``
    and ``sample_size``, whose defaults here are those of Stable Diffusion's, at 256 pixels.
    """
    widths = tuple(options.get("block_out_channels", (128, 256, 512, 512)))
    build = functools.partial(
        AutoencoderKL,
        channels=widths[0],
        multipliers=tuple(width / widths[0] for width in widths),
        blocks=options.get("layers_per_block", 2),
        latent=options.get("latent_channels", 4),
        groups=options.get("norm_num_groups", 32),
    )
    side = options.get("sample_size", 256)
    return made(build, (side, side, options.get("in_channels", 3)), seed)


def autoencoder_kl(*, path: str | pathlib.Path, size: int = 256) -> AutoencoderKL:
    """A released autoencoder, ``diffusion_pytorch_model.safetensors``, for images of ``size`` pixels.

    Raises:
        InputError: no such file, a damaged one, or tensors of another network.
    """
    network = autoencoder_kl_network({"sample_size": size})
    tensors = read_weights(path).averages
    layout = next((one for one in LAYOUTS if one.recognises(tensors.keys())), LAYOUTS[0])
    return load_tensors(network, tensors, layout)


def kl_sources(network: Any, names: tuple[str, ...]) -> Sources:
    """Sources of an ``AutoencoderKL``, with the names of attention's four products."""
    found = weights("moments", "quant_conv", conv) | weights("entry", "post_quant_conv", conv)
    for half, blocks, sampler in (
        ("encoder", "down_blocks", "downsamplers"),
        ("decoder", "up_blocks", "upsamplers"),
    ):
        part = getattr(network, half)
        found |= weights(f"{half}.first", f"{half}.conv_in", conv) | norm(
            f"{half}.norm", f"{half}.conv_norm_out"
        )
        found |= weights(f"{half}.last", f"{half}.conv_out", conv)
        found |= _middle(part.middle, f"{half}.middle", f"{half}.mid_block", names)
        for i, level in enumerate(part.levels):
            path, name = f"{half}.levels.{i}", f"{half}.{blocks}.{i}"
            for j, block in enumerate(level.blocks):
                found |= _block(block, f"{path}.blocks.{j}", f"{name}.resnets.{j}")
            if level.rescale is not None:
                found |= weights(f"{path}.rescale", f"{name}.{sampler}.0.conv", conv)
    return found


def _middle(middle: Any, path: str, name: str, names: tuple[str, ...]) -> Sources:
    found = _block(middle.before, f"{path}.before", f"{name}.resnets.0")
    found |= _block(middle.after, f"{path}.after", f"{name}.resnets.1")
    attention = f"{name}.attentions.0"
    *qkv, out = (f"{attention}.{one}" for one in names)
    found |= norm(f"{path}.attention.norm", f"{attention}.group_norm")
    found[f"{path}.attention.qkv.kernel"] = Source(tuple(f"{one}.weight" for one in qkv), joined(_product))
    found[f"{path}.attention.qkv.bias"] = Source(tuple(f"{one}.bias" for one in qkv), joined(identity))
    return found | weights(f"{path}.attention.out", out, _product)


def _block(block: Any, path: str, name: str) -> Sources:
    found = norm(f"{path}.norm1", f"{name}.norm1") | norm(f"{path}.norm2", f"{name}.norm2")
    found |= weights(f"{path}.conv1", f"{name}.conv1", conv) | weights(f"{path}.conv2", f"{name}.conv2", conv)
    return found if block.skip is None else found | weights(f"{path}.skip", f"{name}.conv_shortcut", conv)


def _product(w: np.ndarray) -> np.ndarray:
    """A linear layer, which some files hold as a convolution of one pixel."""
    return linear(w) if w.ndim == 2 else conv_as_linear(w)


def _layout(names: tuple[str, ...]) -> Layout:
    def recognises(found: Collection[str]) -> bool:
        return f"decoder.mid_block.attentions.0.{names[0]}.weight" in found

    return Layout(
        title="AutoencoderKL of diffusers",
        recognises=recognises,
        sources=functools.partial(kl_sources, names=names),
        hints=HINTS,
    )


LAYOUTS = (_layout(NEW), _layout(OLD))
