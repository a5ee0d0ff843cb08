"""The network of Frechet Inception Distances, from the file of weights that the user has."""

from __future__ import annotations

from score_sde.evaluation.features import Inception
from score_sde.interop.weights import read_weights


def inception(*, path: str, white: float = 255.0) -> Inception:
    """Features of an experiment: ``features=call(inception, path="pt_inception-2015-12-05-6726825d.pth")``.

    The file is the one that PyTorch ports of FID download, or its arrays by the same names as safetensors;
    nothing in it is executed. ``white`` is the largest value of the images.

    Raises:
        InputError: no such file, a damaged one, or weights of another network.
    """
    return Inception.of(read_weights(path).tensors, white=white)
