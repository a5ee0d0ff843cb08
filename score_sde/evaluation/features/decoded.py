"""Features of what an autoencoder's decoder makes of latents."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from score_sde.evaluation.features.base import Features
from score_sde.pytree import static


class Decoded(Features):
    """Features of the images 0 .. 255 that ``network.decode`` makes of latents, a few at a time.

    Their name is that of the features of images, so that they compare with statistics of images.

    Attributes:
        network: has ``decode``, from latents to images between -1 and 1.
        features: of images.
        batch: latents that are decoded at once.
    """

    network: Any
    features: Features
    batch: int = static(16)

    @property
    def name(self) -> str:
        """That of the features of images."""
        return self.features.name

    def __call__(self, examples: np.ndarray) -> np.ndarray:
        """Latents (B, *space, C) -> (B, features)."""
        images = [
            _pixels(self.network, jnp.asarray(examples[first : first + self.batch], jnp.float32))
            for first in range(0, len(examples), self.batch)
        ]
        return self.features(np.concatenate([np.asarray(image) for image in images]))


@jax.jit
def _pixels(network: Any, latents: jax.Array) -> jax.Array:
    """Images as bytes."""
    return jnp.clip(jnp.round(127.5 * (network.decode(latents) + 1)), 0, 255).astype(jnp.uint8)
