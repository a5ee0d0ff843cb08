"""How NVlabs/edm names the tensors of its two networks (``training/networks.py``, commit 008a4e5).

Names: ``enc.32x32_block0.conv0.weight``, under ``model.`` where the preconditioning was saved with them.
"""

from __future__ import annotations

import math
from collections.abc import Collection
from typing import Any

import numpy as np

from score_sde.interop.base import Layout, Source, Sources
from score_sde.interop.transforms import Transform, conv, conv_as_linear, identity, linear, reordered

IGNORED = ("*.resample_filter", "u", "*.u")  # filters of the resampling, iDDPM's table of sigmas
HINTS = {
    "*map_label*": "set n_classes",
    "*map_augment*": "set augment_dim",
    "*map_noise.freqs": "set embedding to FourierEmbedding, or not",
    "*map_layer0.weight": "set channels, noise_multiplier or embedding_multiplier",
    "*aux_residual*": "set encoder to InputResidual(), or not",
    "*aux_skip*": "set encoder to InputSkip(), or not",
    "*_aux_*": "set decoder to OutputSkip() or TopOutput()",
    "*.qkv.*": "set attention_resolutions",
    "*.norm2.*": "set attention_resolutions",
    "*.proj.*": "set attention_resolutions",
    "*out_conv*": "set outputs",
    "*_block*": "set blocks, multipliers or channels",
    "*_down.*": "set multipliers",
    "*_up.*": "set multipliers",
    "*_conv.weight": "set channels, or the shape of the data",
}


def song_sources(network: Any, prefix: str = "") -> Sources:
    """Sources of a ``SongUNet``, whose embeddings are [sin, cos] as ours."""
    mapping, decoder = network.mapping, network.decoder
    found = _mapping(mapping, prefix, linear, linear)
    if mapping.first is not None:
        rows = _scaled_rows(mapping.first.rows.shape[0])
        found["mapping.first.rows"] = Source((f"{prefix}map_label.weight",), rows)
        found["mapping.first.bias"] = Source((f"{prefix}map_label.bias",))
    if hasattr(mapping.embedding, "frequencies"):
        found["mapping.embedding.frequencies"] = Source((f"{prefix}map_noise.freqs",))
    found |= _levels(network, prefix)
    for index, level in enumerate(decoder.levels):
        if level.image is not None:
            name = f"{prefix}dec.{_size(network, len(decoder.levels) - 1 - index)}_aux"
            found |= _image(f"decoder.levels.{index}.image", f"{name}_norm", f"{name}_conv")
    return found


def dhariwal_sources(network: Any, prefix: str = "") -> Sources:
    """Sources of a ``DhariwalUNet``, whose embeddings are [cos, sin] where ours are [sin, cos]."""
    mapping, last = network.mapping, len(network.decoder.levels) - 1
    found = _mapping(mapping, prefix, swapped_inputs, swapped_outputs)
    if mapping.last is not None:
        found["mapping.last.rows"] = Source((f"{prefix}map_label.weight",), linear)
    found |= _levels(network, prefix)
    return found | _image(f"decoder.levels.{last}.image", f"{prefix}out_norm", f"{prefix}out_conv")


def swapped_inputs(w: np.ndarray) -> np.ndarray:
    """PyTorch's linear layer of [cos, sin] as one of [sin, cos]: (out, in) -> (in, out)."""
    return np.roll(linear(w), w.shape[1] // 2, axis=0)


def swapped_outputs(w: np.ndarray) -> np.ndarray:
    """PyTorch's linear layer to [cos, sin] as one to [sin, cos]: (out, in) -> (in, out)."""
    return np.roll(linear(w), w.shape[0] // 2, axis=1)


def weights(path: str, name: str, kernel: Transform, bias: Transform = identity) -> Sources:
    """A linear layer or a convolution."""
    return {
        f"{path}.kernel": Source((f"{name}.weight",), kernel),
        f"{path}.bias": Source((f"{name}.bias",), bias),
    }


def norm(path: str, name: str) -> Sources:
    """A normalisation."""
    return {f"{path}.scale": Source((f"{name}.weight",)), f"{path}.bias": Source((f"{name}.bias",))}


def _mapping(mapping: Any, prefix: str, first: Transform, augment: Transform) -> Sources:
    found = weights("mapping.linear1", f"{prefix}map_layer0", first)
    found |= weights("mapping.linear2", f"{prefix}map_layer1", linear)
    if mapping.augment is not None:
        found["mapping.augment.kernel"] = Source((f"{prefix}map_augment.weight",), augment)
    return found


def _levels(network: Any, prefix: str) -> Sources:
    """All but what is before the first and after the last convolution."""
    found = weights("encoder.first", f"{prefix}enc.{_size(network, 0)}_conv", conv)
    for index, level in enumerate(network.encoder.levels):
        path, name = f"encoder.levels.{index}", f"{prefix}enc.{_size(network, index)}"
        if level.down is not None:
            found |= _block(level.down, f"{path}.down", f"{name}_down")
        if level.told is not None:
            kind = "skip" if level.told.conv.kernel.shape[0] == 1 else "residual"
            found |= weights(f"{path}.told.conv", f"{name}_aux_{kind}", conv)
        found |= _stages(level.blocks, f"{path}.blocks", f"{name}_block")
    deepest = len(network.encoder.levels) - 1
    found |= _stages(network.encoder.middle, "encoder.middle", f"{prefix}dec.{_size(network, deepest)}_in")
    for index, level in enumerate(network.decoder.levels):
        path, name = f"decoder.levels.{index}", f"{prefix}dec.{_size(network, deepest - index)}"
        if level.up is not None:
            found |= _block(level.up, f"{path}.up", f"{name}_up")
        found |= _stages(level.blocks, f"{path}.blocks", f"{name}_block")
    return found


def _stages(stages: Any, path: str, name: str) -> Sources:
    found: Sources = {}
    for index, stage in enumerate(stages):
        found |= _block(stage.block, f"{path}.{index}.block", f"{name}{index}")
        if stage.attention is not None:
            found |= _attention(stage.attention.heads, f"{path}.{index}.attention", f"{name}{index}")
    return found


def _block(block: Any, path: str, name: str) -> Sources:
    found = norm(f"{path}.norm1", f"{name}.norm0") | norm(f"{path}.norm2", f"{name}.norm1")
    found |= weights(f"{path}.conv1", f"{name}.conv0", conv) | weights(f"{path}.conv2", f"{name}.conv1", conv)
    found |= weights(f"{path}.embed", f"{name}.affine", linear)
    return found if block.skip is None else found | weights(f"{path}.skip", f"{name}.skip", conv)


def _attention(heads: int, path: str, name: str) -> Sources:
    def ours(transform: Transform) -> Transform:
        return reordered(transform, heads, ("head", "channel", "qkv"))

    found = norm(f"{path}.norm", f"{name}.norm2")
    found |= weights(f"{path}.qkv", f"{name}.qkv", ours(conv_as_linear), ours(identity))
    return found | weights(f"{path}.out", f"{name}.proj", conv_as_linear)


def _image(path: str, norm_name: str, conv_name: str) -> Sources:
    return norm(f"{path}.norm", norm_name) | weights(f"{path}.conv", conv_name, conv)


def _size(network: Any, level: int) -> str:
    size = network.shape[0] >> level
    return f"{size}x{size}"


def _scaled_rows(n_classes: int) -> Transform:
    """The original multiplies a one-hot label by sqrt(n_classes); our rows hold that."""

    def scale(w: np.ndarray) -> np.ndarray:
        return math.sqrt(n_classes) * linear(w)

    return scale


def _song(prefix: str) -> Layout:
    def recognises(names: Collection[str]) -> bool:
        encoder = any(name.startswith(f"{prefix}enc.") for name in names)
        return encoder and f"{prefix}out_norm.weight" not in names

    return Layout(
        title="SongUNet of EDM",
        recognises=recognises,
        sources=lambda network: song_sources(network, prefix),
        ignored=IGNORED,
        hints=HINTS,
    )


def _dhariwal(prefix: str) -> Layout:
    return Layout(
        title="DhariwalUNet of EDM",
        recognises=lambda names: f"{prefix}out_norm.weight" in names,
        sources=lambda network: dhariwal_sources(network, prefix),
        ignored=IGNORED,
        hints=HINTS,
    )


LAYOUTS = (_song("model."), _dhariwal("model."), _song(""), _dhariwal(""))
