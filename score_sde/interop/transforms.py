"""From PyTorch's and flax's layouts of weights to ours: kernels (*field, in, out), products x W."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

Transform = Callable[..., np.ndarray]


def identity(w: np.ndarray) -> np.ndarray:
    """Biases, norms, embedding tables, NIN weights (in, out), and all that flax stored."""
    return w


def linear(w: np.ndarray) -> np.ndarray:
    """PyTorch's linear layer: (out, in) -> (in, out)."""
    if w.ndim != 2:
        raise ValueError(f"a matrix was expected, not {w.ndim} axes")
    return w.T


def conv(w: np.ndarray) -> np.ndarray:
    """PyTorch's convolution over any number of axes: (out, in, *field) -> (*field, in, out)."""
    return np.moveaxis(w, (0, 1), (-1, -2))


def conv_as_linear(w: np.ndarray) -> np.ndarray:
    """A convolution of one pixel as a product, PyTorch's: (out, in, 1, ...) -> (in, out)."""
    return w.reshape(w.shape[:2]).T


def kernel_as_linear(w: np.ndarray) -> np.ndarray:
    """A convolution of one pixel as a product, flax's: (1, ..., in, out) -> (in, out)."""
    return w.reshape(w.shape[-2:])


def joined(transform: Transform) -> Transform:
    """Several layers side by side as one: each through ``transform``, then along the last axis.

    ``joined(identity)`` of q, k and v, each (in, out), gives (in, 3 out); of biases (out,) likewise.
    """

    def join(*ws: np.ndarray) -> np.ndarray:
        return np.concatenate([transform(w) for w in ws], axis=-1)

    return join


def part(transform: Transform, index: int, of: int) -> Transform:
    """One of ``of`` equal parts of the outputs of ``transform``."""

    def take(w: np.ndarray) -> np.ndarray:
        return np.split(transform(w), of, axis=-1)[index]

    return take


def reordered(transform: Transform, heads: int, order: Sequence[str]) -> Transform:
    """Outputs of a layer for q, k and v, from another order to ours, ("qkv", "head", "channel").

    ``order`` names the axes that the outputs of ``transform`` run over, slowest first: legacy ADM has
    ("head", "qkv", "channel"), EDM ("head", "channel", "qkv").
    """
    ours = ("qkv", "head", "channel")

    def reorder(w: np.ndarray) -> np.ndarray:
        w = transform(w)
        sizes = {"qkv": 3, "head": heads, "channel": w.shape[-1] // (3 * heads)}
        axes = w.reshape(*w.shape[:-1], *(sizes[name] for name in order))
        first = w.ndim - 1
        moved = axes.transpose(*range(first), *(first + order.index(name) for name in ours))
        return moved.reshape(w.shape)

    return reorder
