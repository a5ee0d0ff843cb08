"""How openai/guided-diffusion names the tensors of its networks (``unet.py``, commit 22e0df8).

``input_blocks.1.0.in_layers.0.weight``: blocks are numbered through all levels; within one, 0 is the
residual block, 1 the attention if there is one, and the last what doubles the resolution if anything does.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import numpy as np

from score_sde.interop.base import Layout, Source, Sources
from score_sde.interop.edm import norm, swapped_inputs, weights
from score_sde.interop.transforms import Transform, conv, conv_as_linear, identity, linear, reordered

ORDERS = {"legacy": ("head", "qkv", "channel"), "new": ("qkv", "head", "channel")}
HINTS = {
    "label_emb*": "set n_classes",
    "time_embed*": "set channels",
    "input_blocks.0.0.weight": "set channels, or the shape of the data; or use ADMSuperResolution",
    "*.qkv.*": "set attention_resolutions or heads",
    "*.norm.*": "set attention_resolutions",
    "*.proj_out.*": "set attention_resolutions",
    "*.op.*": "set rescaling to RescalingConvolutions()",
    "*.conv.*": "set rescaling to RescalingConvolutions()",
    "*.emb_layers.*": "set modulation to ScaleShift() or Added(), or rescaling",
    "out.*": "set outputs (ADM) or pool (ADMClassifier)",
    "*put_blocks.*": "set blocks, multipliers, channels or rescaling",
}


def unet_sources(network: Any) -> Sources:
    """Sources of an ``ADM`` or ``ADMSuperResolution``."""
    found, order = _encoder(network), ORDERS[network.attention_order]
    if network.mapping.last is not None:
        found["mapping.last.rows"] = Source(("label_emb.weight",))
    number, levels = 0, list(network.decoder.levels)
    for index, level in enumerate(levels):
        path = f"decoder.levels.{index}"
        for place, stage in enumerate(level.blocks):
            found |= _stage(stage, f"{path}.blocks.{place}", f"output_blocks.{number}", order)
            number += 1
        if index + 1 < len(levels):
            place = 1 if level.blocks[-1].attention is None else 2
            up = levels[index + 1].up
            found |= _rescaling(
                up, f"decoder.levels.{index + 1}.up", f"output_blocks.{number - 1}.{place}", "conv"
            )
    path = f"decoder.levels.{len(levels) - 1}.image"
    return found | norm(f"{path}.norm", "out.0") | weights(f"{path}.conv", "out.2", conv)


def classifier_sources(network: Any) -> Sources:
    """Sources of an ``ADMClassifier``."""
    return _encoder(network) | _pool(network.pool)


def _encoder(network: Any) -> Sources:
    order = ORDERS[network.attention_order]
    found = weights("mapping.linear1", "time_embed.0", swapped_inputs)
    found |= weights("mapping.linear2", "time_embed.2", linear)
    found |= weights("encoder.first", "input_blocks.0.0", conv)
    number = 1
    for index, level in enumerate(network.encoder.levels):
        path = f"encoder.levels.{index}"
        if level.down is not None:
            found |= _rescaling(level.down, f"{path}.down", f"input_blocks.{number}.0", "op")
            number += 1
        for place, stage in enumerate(level.blocks):
            found |= _stage(stage, f"{path}.blocks.{place}", f"input_blocks.{number}", order)
            number += 1
    first, second = network.encoder.middle
    found |= _stage(first, "encoder.middle.0", "middle_block", order)
    return found | _block(second.block, "encoder.middle.1.block", "middle_block.2")


def _stage(stage: Any, path: str, name: str, order: tuple[str, ...]) -> Sources:
    found = _block(stage.block, f"{path}.block", f"{name}.0")
    if stage.attention is None:
        return found
    return found | _attention(stage.attention.heads, f"{path}.attention", f"{name}.1", order)


def _block(block: Any, path: str, name: str) -> Sources:
    found = norm(f"{path}.norm1", f"{name}.in_layers.0") | norm(f"{path}.norm2", f"{name}.out_layers.0")
    found |= weights(f"{path}.conv1", f"{name}.in_layers.2", conv)
    found |= weights(f"{path}.conv2", f"{name}.out_layers.3", conv)
    found |= weights(f"{path}.embed", f"{name}.emb_layers.1", linear)
    return found if block.skip is None else found | weights(f"{path}.skip", f"{name}.skip_connection", conv)


def _rescaling(layer: Any, path: str, name: str, conv_name: str) -> Sources:
    """A residual block, or a convolution, or nothing that is learnt."""
    if hasattr(layer, "norm1"):
        return _block(layer, path, name)
    return {} if layer.conv is None else weights(f"{path}.conv", f"{name}.{conv_name}", conv)


def _attention(heads: int, path: str, name: str, order: tuple[str, ...]) -> Sources:
    def ours(transform: Transform) -> Transform:
        return reordered(transform, heads, order)

    found = norm(f"{path}.norm", f"{name}.norm")
    found |= weights(f"{path}.qkv", f"{name}.qkv", ours(conv_as_linear), ours(identity))
    return found | weights(f"{path}.out", f"{name}.proj_out", conv_as_linear)


def _pool(pool: Any) -> Sources:
    if hasattr(pool, "positions"):
        found = norm("pool.norm", "out.0") | weights("pool.qkv", "out.2.qkv_proj", conv_as_linear)
        found["pool.positions"] = Source(("out.2.positional_embedding",), np.transpose)
        return found | weights("pool.out", "out.2.c_proj", conv_as_linear)
    if not hasattr(pool, "hidden"):
        return norm("pool.norm", "out.0") | weights("pool.out", "out.3", conv_as_linear)
    found = weights("pool.hidden", "out.0", linear)
    if pool.norm is None:
        return found | weights("pool.out", "out.2", linear)
    return found | norm("pool.norm", "out.1") | weights("pool.out", "out.3", linear)


def _is_unet(names: Collection[str]) -> bool:
    return "input_blocks.0.0.weight" in names and any(name.startswith("output_blocks.") for name in names)


UNET = Layout(title="UNetModel of guided-diffusion", recognises=_is_unet, sources=unet_sources, hints=HINTS)
CLASSIFIER = Layout(
    title="EncoderUNetModel of guided-diffusion",
    recognises=lambda names: "input_blocks.0.0.weight" in names and not _is_unet(names),
    sources=classifier_sources,
    hints=HINTS,
)
LAYOUTS = (UNET, CLASSIFIER)
