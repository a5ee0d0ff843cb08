"""The modules of DDPM, DDPM++ and NCSN++ in the order in which the original code makes them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from score_sde.errors import InputError


class Unit(NamedTuple):
    """One module of the original code.

    Attributes:
        kind: which class of the original it is, a key of ``score_sde_names.CLASSES``.
        path: of our module below the network.
        module: ours.
        listed: whether PyTorch's list of modules has it; flax counts all.
    """

    kind: str
    path: str
    module: Any
    listed: bool = True


def units(network: Any) -> Iterator[Unit]:
    """All modules of a ``DDPM`` or an ``NCSNpp``.

    Raises:
        InputError: a network with class labels, which no published one has.
    """
    mapping = network.mapping
    if mapping is not None:
        yield from _mapping(mapping)
    yield Unit("conv", "encoder.first", network.encoder.first)
    for index, level in enumerate(network.encoder.levels):
        path = f"encoder.levels.{index}"
        if level.down is not None:
            yield from _between(level.down, f"{path}.down", "down")
        if level.told is not None:
            yield from _told(level.told, f"{path}.told")
        for number, stage in enumerate(level.blocks):
            yield from _stage(stage, f"{path}.blocks.{number}")
    for index, stage in enumerate(network.encoder.middle):
        yield from _stage(stage, f"encoder.middle.{index}")
    for index, level in enumerate(network.decoder.levels):
        path = f"decoder.levels.{index}"
        if level.up is not None:
            yield from _between(level.up, f"{path}.up", "up")
        for number, stage in enumerate(level.blocks):
            yield from _stage(stage, f"{path}.blocks.{number}")
        if level.image is not None:
            yield from _image(level.image, f"{path}.image", index)


def _mapping(mapping: Any) -> Iterator[Unit]:
    if mapping.classes is not None:
        raise InputError("network.n_classes", mapping.classes.shape[0] - 1, "None, as in the published ones")
    if hasattr(mapping.embedding, "frequencies"):
        yield Unit("fourier", "mapping.embedding", mapping.embedding)
    yield Unit("dense", "mapping.linear1", mapping.linear1)
    yield Unit("dense", "mapping.linear2", mapping.linear2)


def _between(layer: Any, path: str, kind: str) -> Iterator[Unit]:
    """A residual block, or a filter or convolution that changes the resolution."""
    if hasattr(layer, "norm1"):
        yield Unit("block", path, layer)
    else:
        yield Unit(kind, f"{path}.conv", layer.conv)


def _told(layer: Any, path: str) -> Iterator[Unit]:
    if hasattr(layer, "combine"):
        yield Unit("down", "", None, listed=False)  # the image is halved by a module without parameters
        yield Unit("combine", f"{path}.conv", layer.conv)
    else:
        yield Unit("down", f"{path}.conv", layer.conv)


def _stage(stage: Any, path: str) -> Iterator[Unit]:
    yield Unit("block", f"{path}.block", stage.block)
    if stage.attention is not None:
        yield Unit("attention", f"{path}.attention", stage.attention)


def _image(layer: Any, path: str, index: int) -> Iterator[Unit]:
    if hasattr(layer, "output"):
        yield from _image(layer.layer, f"{path}.layer", index)
        yield from _image(layer.output, f"{path}.output", 0)
    elif hasattr(layer, "norm"):
        if index:
            yield Unit("up", "", None, listed=False)
        yield Unit("norm", f"{path}.norm", layer.norm)
        yield Unit("conv", f"{path}.conv", layer.conv)
    else:
        yield Unit("up", f"{path}.conv", layer.conv)
