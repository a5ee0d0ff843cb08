"""The network of Frechet Inception Distances, from the file of weights that the user has."""

from __future__ import annotations

from score_sde.evaluation.features import Decoded, Inception
from score_sde.interop.diffusers_names import autoencoder_kl
from score_sde.interop.weights import read_weights


def inception(*, path: str, white: float = 255.0) -> Inception:
    """Features of an experiment: ``features=call(inception, path="pt_inception-2015-12-05-6726825d.pth")``.

    The file is the one that PyTorch ports of FID download, or its arrays by the same names as safetensors;
    nothing in it is executed. ``white`` is the largest value of the images.

    Raises:
        InputError: no such file, a damaged one, or weights of another network.
    """
    return Inception.of(read_weights(path).tensors, white=white)


def decoded_inception(*, path: str, autoencoder: str, size: int = 256) -> Decoded:
    """The same features of what a released autoencoder makes of latents: images of ``size`` pixels.

    ``autoencoder`` is its ``diffusion_pytorch_model.safetensors``.

    Raises:
        InputError: no such file, a damaged one, or weights of another network.
    """
    network = autoencoder_kl(path=autoencoder, size=size)
    return Decoded(network=network, features=inception(path=path))
