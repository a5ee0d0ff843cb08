"""From a file of weights to a network."""

from __future__ import annotations

import pathlib
from collections.abc import Collection, Mapping
from typing import Any, TypeVar

import numpy as np

from score_sde.interop.base import Layout, Source, Sources, choose, flatten, load_tensors
from score_sde.interop.layouts import LAYOUTS
from score_sde.interop.weights import read_weights
from score_sde.networks.base import partition

Network = TypeVar("Network")


def load(path: str | pathlib.Path, network: Network, layouts: Collection[Layout] = LAYOUTS) -> Network:
    """The network with the moving averages of a file of weights: what the authors sampled with.

    The format is recognised by the file's content, the names of its tensors by ``layouts``; parameters by our
    own names (``save_network``) are read too.

    Raises:
        InputError: the file cannot be read, or is not of this network: tensors that are missing, left over or
            misshapen are named.
    """
    tensors = read_weights(path).averages
    return load_tensors(network, tensors, layout_of(tensors, network, str(path), layouts))


def layout_of(
    tensors: Mapping[str, np.ndarray],
    network: Any,
    where: str = "file of weights",
    layouts: Collection[Layout] = LAYOUTS,
) -> Layout:
    """The layout that recognises a file's names, our own included.

    Raises:
        InputError: none does; ``where`` names the file.
    """
    return choose((*layouts, own_layout(network)), tensors, where)


def own_layout(network: Any) -> Layout:
    """The layout of this package, recognised where most of the network's parameters are in the file."""
    paths = [path for path, _ in flatten(partition(network)[0])]

    def recognises(names: Collection[str]) -> bool:
        return 2 * len(set(paths) & set(names)) > len(paths)

    def sources(_: Any) -> Sources:
        return {path: Source((path,)) for path in paths}

    return Layout(title="a network of this package", recognises=recognises, sources=sources)
