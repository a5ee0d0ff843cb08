"""The augmentation of Karras et al. (2022): flips and one affine map, which the network is told of."""

from __future__ import annotations

import math
from typing import NamedTuple

import jax
import jax.numpy as jnp

from score_sde.errors import InputError
from score_sde.products import full_matmul
from score_sde.pytree import static
from score_sde.training.augmentations.base import Augmentation
from score_sde.training.augmentations.flip import flipped
from score_sde.training.augmentations.warps import Warp, Wavelet, require_images
from score_sde.typing import Array, Batch, Key

WAVELET = Wavelet()
LABELS = {"xflip": 1, "yflip": 1, "scale": 1, "rotate": 2, "aniso": 2, "translate": 2}


class Draws(NamedTuple):
    """What was drawn for each example: 0 where a transformation is not made."""

    xflip: Array  # (B,) whether left and right are exchanged
    yflip: Array  # (B,) whether up and down are
    scale: Array  # (B,) log2 of the magnification, in standard deviations
    rotate: Array  # (B,) angle
    aniso: Array  # (B,) log2 of the stretching along an axis, in standard deviations
    axis: Array  # (B,) angle of that axis
    translate: Array  # (B, 2) shift right and down, in standard deviations


class KarrasAugmentation(Augmentation):
    """Random flips, scaling, rotation, stretching and shifts (Karras et al. 2022, appendix F.2, table 6).

    Each transformation is made with probability ``p`` times its own multiplier (at most 1); one whose
    multiplier is 0 is left out, with its labels. The defaults are those of CIFAR-10: horizontal flips of
    half the examples whatever ``p`` is, the others at 12 %; nine labels.

    Attributes:
        p: probability of the transformations.
        xflip: multiplier of exchanging left and right (in half of the cases).
        yflip: multiplier of exchanging up and down (in half of the cases).
        scale: multiplier of magnifying by 2^(scale_std w), w ~ N(0, 1).
        rotate: multiplier of rotating by an angle uniform in +-pi rotate_max.
        aniso: multiplier of stretching by 2^(aniso_std w) along an axis and shrinking across it.
        translate: multiplier of shifting by translate_std w of the image size.
        scale_std: standard deviation of log2 of the scale.
        rotate_max: range of angles, 1 for all.
        aniso_std: standard deviation of log2 of the stretching.
        aniso_rotate_prob: probability that the axis of stretching has a random angle; else it is horizontal.
        translate_std: standard deviation of shifts, in image sizes.
        warp: how images are resampled.
    """

    p: float = 0.12
    xflip: float = static(1e8)
    yflip: float = static(1.0)
    scale: float = static(1.0)
    rotate: float = static(1.0)
    aniso: float = static(1.0)
    translate: float = static(1.0)
    scale_std: float = 0.2
    rotate_max: float = 1.0
    aniso_std: float = 0.2
    aniso_rotate_prob: float = 0.5
    translate_std: float = 0.125
    warp: Warp = WAVELET

    def __post_init__(self) -> None:
        if not 0 <= self.p <= 1:
            raise InputError("KarrasAugmentation.p", self.p, "a probability")
        for name in LABELS:
            if getattr(self, name) < 0:
                raise InputError(
                    f"KarrasAugmentation.{name}", getattr(self, name), "a multiplier of at least 0"
                )

    @property
    def n_labels(self) -> int:
        """1 for each flip and the scale, 2 for rotation, stretching and translation each."""
        return sum(count for name, count in LABELS.items() if getattr(self, name) > 0)

    def __call__(self, key: Key, x: Batch) -> tuple[Batch, Array]:
        """Images (B, H, W, C) and labels (B, n_labels)."""
        return self.apply(self.draw(key, len(x)), x)

    def draw(self, key: Key, count: int) -> Draws:
        """Random transformations of ``count`` examples; each has a key of its own."""
        keys = dict(zip(LABELS, jax.random.split(key, len(LABELS)), strict=True))

        def made(name: str, values: Array) -> Array:
            chance = jax.random.fold_in(keys[name], 1)
            yes = jax.random.bernoulli(chance, jnp.minimum(self.p * getattr(self, name), 1.0), (count,))
            return jnp.where(yes.reshape(-1, *[1] * (values.ndim - 1)), values, 0)

        def normal(name: str, *more: int) -> Array:
            return made(name, jax.random.normal(keys[name], (count, *more)))

        def angle(key: Key) -> Array:
            return jax.random.uniform(key, (count,), minval=-math.pi, maxval=math.pi)

        turned = jax.random.bernoulli(jax.random.fold_in(keys["aniso"], 2), self.aniso_rotate_prob, (count,))
        return Draws(
            xflip=made("xflip", jax.random.bernoulli(keys["xflip"], 0.5, (count,)).astype(float)),
            yflip=made("yflip", jax.random.bernoulli(keys["yflip"], 0.5, (count,)).astype(float)),
            scale=normal("scale"),
            rotate=self.rotate_max * made("rotate", angle(keys["rotate"])),
            aniso=normal("aniso"),
            axis=jnp.where(turned, angle(jax.random.fold_in(keys["aniso"], 3)), 0),
            translate=normal("translate", 2),
        )

    def apply(self, draws: Draws, x: Batch) -> tuple[Batch, Array]:
        """Images under these transformations, and their labels."""
        require_images(x)
        x = flipped(x, draws.xflip > 0, axis=2)
        x = flipped(x, draws.yflip > 0, axis=1)
        moved = (
            (draws.scale != 0) | (draws.rotate != 0) | (draws.aniso != 0) | (draws.translate != 0).any(axis=1)
        )
        warped = self.warp(x, self.inverse(draws, *x.shape[1:3]).astype(x.dtype))
        # An image that is not moved stays as it is, to the last bit.
        return jnp.where(moved[:, None, None, None], warped, x), self.labels(draws).astype(x.dtype)

    def inverse(self, draws: Draws, height: int, width: int) -> Array:
        """From positions in the result to those in the image, (B, 2, 3), in pixels about the centre."""
        size = jnp.exp2(self.scale_std * draws.scale)
        along = jnp.exp2(self.aniso_std * draws.aniso)
        zero = jnp.zeros_like(along)
        stretch = jnp.stack([jnp.stack([1 / along, zero], -1), jnp.stack([zero, along], -1)], -2)
        turned = full_matmul(rotation(draws.rotate), rotation(-draws.axis))
        linear = full_matmul(full_matmul(turned, stretch), rotation(draws.axis))
        linear = linear / size[:, None, None]
        shift = draws.translate * self.translate_std * jnp.array([width, height])
        return jnp.concatenate([linear, -full_matmul(linear, shift[..., None])], axis=-1)

    def labels(self, draws: Draws) -> Array:
        """What the network is told, (B, n_labels): 0 for each transformation that was not made."""
        columns = {
            "xflip": [draws.xflip],
            "yflip": [draws.yflip],
            "scale": [draws.scale],
            "rotate": [jnp.cos(draws.rotate) - 1, jnp.sin(draws.rotate)],
            "aniso": [draws.aniso * jnp.cos(draws.axis), draws.aniso * jnp.sin(draws.axis)],
            "translate": [draws.translate[:, 0], draws.translate[:, 1]],
        }
        used = [column for name, its in columns.items() if getattr(self, name) > 0 for column in its]
        return jnp.stack(used, axis=-1) if used else jnp.zeros((len(draws.xflip), 0))


def rotation(angle: Array) -> Array:
    """Matrices (B, 2, 2) that turn by these angles."""
    c, s = jnp.cos(angle), jnp.sin(angle)
    return jnp.stack([jnp.stack([c, -s], -1), jnp.stack([s, c], -1)], -2)
