"""Inception-v3 as Frechet Inception Distances take it, on weights that the user has."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from score_sde.errors import InputError
from score_sde.evaluation.features.base import Features
from score_sde.evaluation.features.inception_table import BLOCKS, CHANNELS, Conv, Pool
from score_sde.pytree import static
from score_sde.typing import Array

SIZE = 299  # height and width that the network was trained at
EPSILON = 1e-3  # of its batch normalisation
SAME = ((0, 0), (1, 1), (1, 1), (0, 0))  # padding of pools with a window of 3 that keep the size
IGNORED = ("fc.", "AuxLogits.")  # classifiers, and counters of batch normalisation
COUNTER = "num_batches_tracked"


class Layer(NamedTuple):
    """A convolution with its batch normalisation folded in: kernel (h, w, n_in, n_out) and bias (n_out,)."""

    kernel: Array
    bias: Array


class Inception(Features):
    """2,048 numbers of an image: the average over space of the last block (Szegedy et al. 2016, table 1).

    The network of FID: average pools do not count the padding, and the last block pools by the maximum.
    Images of 0 .. ``white`` with one channel (repeated) or three are brought to 299 x 299 by bilinear
    interpolation without antialiasing and to [-1, 1], as the PyTorch port of FID does.

    ``Inception.of(arrays)`` makes one from the arrays of the published file of weights.
    """

    layers: dict[str, Layer]
    white: float = static(255.0)
    batch: int = static(32)  # images at once; the last ones are filled up, so that it compiles once

    @classmethod
    def of(cls, arrays: Mapping[str, np.ndarray], **options: Any) -> Inception:
        """From arrays by the names of the published weights (``Mixed_5b.branch1x1.conv.weight``, ...).

        Raises:
            InputError: an array that is missing, unknown, or not of its shape.
        """
        names = dict(convolutions())
        expected = {key for name in names for key in _keys(name)}
        given = {name for name in arrays if not name.startswith(IGNORED) and not name.endswith(COUNTER)}
        for name in sorted(expected - given):
            raise InputError("Inception weights", "no array of this name", name, "take the FID weights")
        for name in sorted(given - expected):
            raise InputError("Inception weights", name, "a name of the FID Inception-v3", "another network?")
        return cls(layers={name: _folded(name, shape, arrays) for name, shape in names.items()}, **options)

    def __call__(self, examples: np.ndarray) -> np.ndarray:
        """(B, H, W, 1 or 3) -> (B, 2048)."""
        images = np.asarray(examples)
        if images.ndim != 4 or images.shape[-1] not in (1, CHANNELS):
            raise InputError("Inception: shape of images", images.shape, "(B, H, W, 1 or 3)", "use Pixels")
        parts = []
        for start in range(0, len(images), self.batch):
            part = images[start : start + self.batch]
            filled = np.concatenate([part, np.zeros((self.batch - len(part), *part.shape[1:]), part.dtype)])
            parts.append(np.asarray(_evaluate(self.layers, filled, self.white))[: len(part)])
        return np.concatenate(parts).astype(np.float64)


def convolutions() -> Iterator[tuple[str, tuple[int, int, int, int]]]:
    """Names and shapes (n_out, n_in, h, w) of all kernels, each once, in the order of evaluation."""
    seen, n_in = set(), CHANNELS
    for block in BLOCKS:
        n_out = 0
        for branch in block.branches:
            width = n_in
            for conv in branch.convs:
                name = block.path(conv)
                if name not in seen:
                    yield name, (conv.n_out, width, *conv.kernel)
                seen.add(name)
                width = conv.n_out
            n_out += width
        n_in = n_out


def _keys(name: str) -> list[str]:
    return [f"{name}.conv.weight", *(f"{name}.bn.{part}" for part in _NORM)]


_NORM = ("weight", "bias", "running_mean", "running_var")


def _folded(name: str, shape: tuple[int, ...], arrays: Mapping[str, np.ndarray]) -> Layer:
    kernel, *norm = (np.asarray(arrays[key], np.float32) for key in _keys(name))
    for key, array, expected in zip(_keys(name), (kernel, *norm), (shape, *[shape[:1]] * 4), strict=True):
        if array.shape != expected:
            raise InputError(f"shape of {key}", array.shape, f"{expected}", "take the FID weights")
    weight, bias, mean, variance = norm
    scale = weight / np.sqrt(variance + EPSILON)
    return Layer(jnp.asarray(kernel.transpose(2, 3, 1, 0) * scale), jnp.asarray(bias - mean * scale))


@jax.jit
def _evaluate(layers: dict[str, Layer], images: Array, white: float) -> Array:
    x = images.astype(jnp.float32)
    x = jnp.broadcast_to(x, (*x.shape[:-1], CHANNELS))
    x = jax.image.resize(x, (len(x), SIZE, SIZE, CHANNELS), "linear", antialias=False)
    x = 2 * x / white - 1
    for block in BLOCKS:
        outputs = []
        for branch in block.branches:
            hidden = _POOLS[branch.pool](x)
            for conv in branch.convs:
                hidden = _convolved(conv, layers[block.path(conv)], hidden)
            outputs.append(hidden)
        x = jnp.concatenate(outputs, axis=-1)
    return jnp.mean(x, axis=(1, 2))


def _convolved(conv: Conv, layer: Layer, x: Array) -> Array:
    strides, layout = (conv.stride, conv.stride), ("NHWC", "HWIO", "NHWC")
    padding = "SAME" if conv.padded else "VALID"
    y = jax.lax.conv_general_dilated(x, layer.kernel, strides, padding, dimension_numbers=layout)
    return jax.nn.relu(y + layer.bias)


def _average(x: Array) -> Array:
    def window(values: Array) -> Array:
        return jax.lax.reduce_window(values, 0.0, jax.lax.add, (1, 3, 3, 1), (1, 1, 1, 1), SAME)

    return window(x) / window(jnp.ones((1, *x.shape[1:3], 1), x.dtype))


def _largest(x: Array) -> Array:
    return jax.lax.reduce_window(x, -jnp.inf, jax.lax.max, (1, 3, 3, 1), (1, 1, 1, 1), SAME)


def _halved(x: Array) -> Array:
    return jax.lax.reduce_window(x, -jnp.inf, jax.lax.max, (1, 3, 3, 1), (1, 2, 2, 1), "VALID")


_POOLS = {
    Pool.NONE: lambda x: x,
    Pool.AVERAGE: _average,
    Pool.LARGEST: _largest,
    Pool.HALVED: _halved,
}
