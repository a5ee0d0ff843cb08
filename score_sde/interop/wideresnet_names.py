"""How score_sde (in flax) names the tensors of its noise-conditional classifier.

``WideResnetGroup_1.WideResnetBlock_0.conv1.kernel``; the norms are called ``init_bn``, ``bn_2`` and
``pre-pool-bn`` after the batch norms that they replaced.
"""

from __future__ import annotations

from typing import Any

from score_sde.interop.base import Layout, Source, Sources

GROUPS = 3
HINTS = {"*Dense_2*": "set n_classes", "*": "set blocks or width"}


def sources(network: Any) -> Sources:
    """Sources of a ``WideResNet``."""
    found = {"embedding.frequencies": Source(("GaussianFourierProjection_0.W",))}
    for number, path in enumerate(("linear1", "linear2", "last")):
        found |= _layer(path, f"Dense_{number}", "kernel", "bias")
    found |= _layer("first", "init_conv", "kernel") | _layer("norm", "pre-pool-bn", "scale", "bias")
    each = len(network.blocks) // GROUPS
    for index in range(len(network.blocks)):
        name, path = f"WideResnetGroup_{index // each}.WideResnetBlock_{index % each}", f"blocks.{index}"
        found |= _layer(f"{path}.norm1", f"{name}.init_bn", "scale", "bias")
        found |= _layer(f"{path}.norm2", f"{name}.bn_2", "scale", "bias")
        found |= _layer(f"{path}.conv1", f"{name}.conv1", "kernel")
        found |= _layer(f"{path}.conv2", f"{name}.conv2", "kernel")
        found |= _layer(f"{path}.embed", f"{name}.Dense_0", "kernel", "bias")
    return found


def _layer(path: str, name: str, *arrays: str) -> Sources:
    return {f"{path}.{array}": Source((f"{name}.{array}",)) for array in arrays}


LAYOUTS = (
    Layout(
        title="noise-conditional WideResNet of score_sde",
        recognises=lambda names: any(name.startswith("WideResnetGroup_") for name in names),
        sources=sources,
        hints=HINTS,
    ),
)
