"""How facebookresearch/DiT (``models.py``, commit ed81ce2) and SiT, which took it over, name their tensors.

``blocks.0.attn.qkv.weight``, ``final_layer.linear.weight``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from score_sde.errors import InputError
from score_sde.interop.base import Layout, Source, Sources
from score_sde.interop.edm import swapped_inputs, weights
from score_sde.interop.transforms import conv, linear

HINTS = {
    "pos_embed": "set patch, width, or the shape of the data: the positions are of other tokens",
    "x_embedder.*": "set patch, width, or the channels of the data",
    "y_embedder.*": "set n_classes (there is one row more, for no class) or width",
    "t_embedder.*": "set width",
    "blocks.*": "set depth or width",
    "final_layer.*": "set outputs, patch or width",
}


def dit_sources(network: Any) -> Sources:
    """Sources of a ``DiT`` or ``SiT``, its blocks in a list or stacked."""
    found = {"tokens.positions": Source(("pos_embed",))}
    found |= weights("tokens.linear", "x_embedder.proj", conv_as_patches)
    found |= weights("mapping.linear1", "t_embedder.mlp.0", swapped_inputs)
    found |= weights("mapping.linear2", "t_embedder.mlp.2", linear)
    if network.mapping.last is not None:
        found["mapping.last.rows"] = Source(("y_embedder.embedding_table.weight",))
    found |= tower_sources(network.blocks)
    found |= weights("last.modulation", "final_layer.adaLN_modulation.1", linear)
    return found | weights("last.linear", "final_layer.linear", linear)


def tower_sources(tower: Any) -> Sources:
    """Sources of the blocks, whichever way they are held.

    Raises:
        InputError: a reversible tower, which is another function of the same parameters.
    """
    if hasattr(tower, "coupled"):
        expected = "Unrolled(), Scanned() or Grouped(), which released weights are of"
        raise InputError("network.layers", "Reversible()", expected, "set layers, or train it as it is")
    each = [_block(f"blocks.{number}") for number in range(tower.depth)]
    if hasattr(tower, "stacked"):
        return {f"blocks.stacked.{path}": joined_sources([one[path] for one in each]) for path in each[0]}
    return {
        f"blocks.each.{number}.{path}": found
        for number, one in enumerate(each)
        for path, found in one.items()
    }


def joined_sources(each: Sequence[Source]) -> Source:
    """Where the same parameter of several blocks comes from, stacked along a first axis."""
    transform, count = each[0].transform, len(each[0].names)

    def stack(*arrays: np.ndarray) -> np.ndarray:
        return np.stack([transform(*arrays[i : i + count]) for i in range(0, len(arrays), count)])

    return Source(tuple(name for source in each for name in source.names), stack)


def conv_as_patches(w: np.ndarray) -> np.ndarray:
    """A convolution of whole patches as a product, PyTorch's: (out, in, *patch) -> (patch values in, out)."""
    return conv(w).reshape(-1, w.shape[0])


def _block(name: str) -> Sources:
    found = weights("attention.qkv", f"{name}.attn.qkv", linear)
    found |= weights("attention.out", f"{name}.attn.proj", linear)
    found |= weights("mlp.rise", f"{name}.mlp.fc1", linear)
    found |= weights("mlp.fall", f"{name}.mlp.fc2", linear)
    return found | weights("modulation", f"{name}.adaLN_modulation.1", linear)


LAYOUTS = (
    Layout(
        title="DiT or SiT",
        recognises=lambda names: "x_embedder.proj.weight" in names and "final_layer.linear.weight" in names,
        sources=dit_sources,
        hints=HINTS,
    ),
)
