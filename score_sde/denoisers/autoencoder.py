"""An autoencoder in the place of a model: what latents are made with, and images out of them."""

from __future__ import annotations

from typing import Any

from score_sde.denoisers.callables import as_pytree
from score_sde.pytree import Pytree
from score_sde.sdes.base import SDE
from score_sde.typing import Array, Batch, Key


class Autoencoder(Pytree):
    """A network with ``encode``, which gives a law with ``sample``, and ``decode``: ``AutoencoderKL``.

    It has no score; ``sde`` is only what an experiment has.
    """

    sde: SDE
    network: Any

    def __post_init__(self) -> None:
        object.__setattr__(self, "network", as_pytree("Autoencoder.network", self.network))

    def posterior(self, x: Batch) -> Any:
        """The law of the latent given x in model space, with ``mean``, ``log_variance`` and ``sample``."""
        return self.network.encode(x)

    def encode(self, key: Key, x: Batch) -> Array:
        """A draw of the latent given x in model space."""
        return self.posterior(x).sample(key)

    def decode(self, z: Array) -> Batch:
        """The image of a latent, in model space."""
        return self.network.decode(z)
