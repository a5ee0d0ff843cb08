"""A small conditional flow on the cells of integers, for variational dequantisation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from score_sde.arrays import sum_per_example
from score_sde.networks.layers import Conv, Linear
from score_sde.typing import Array, Batch, Condition, Key, PerExample

LARGEST = 3.0  # of a log scale: no coupling stretches or shrinks by more than exp(3)


class DequantizationFlow(nnx.Module):
    """q(u | x) on (0, 1)^d: affine couplings of normal noise h_0, then u = Phi(h_K); x are cells' middles.

    h_k = h_(k-1) on one half of the values, a chequerboard, and exp(s) h_(k-1) + b on the other, with s and b
    functions of x and the first half; the halves change by turns. log q = log N(h_0) - sum s - log N(h_K).
    The couplings start as identities, so that q starts uniform. Ho et al. 2019 ("Flow++", section 3.1) have
    deeper couplings and a logistic function in the place of Phi.

    Args:
        shape: of an example, channels last; convolutions over its space, or with none (d,) dense layers.
        width: hidden channels.
        couplings: at least 2, so that every value is moved.
        rngs: initialisation.
    """

    def __init__(
        self, shape: tuple[int, ...], width: int = 32, couplings: int = 4, *, rngs: nnx.Rngs
    ) -> None:
        self.first_half = tuple(np.asarray(np.indices(shape).sum(axis=0) % 2 == 0).ravel().tolist())
        self.couplings = nnx.List([_Coupling(shape, width, rngs=rngs) for _ in range(couplings)])

    def __call__(self, x: Batch, noise: Batch) -> tuple[Batch, PerExample]:
        """Shares u (B, *shape) of the cells and log q(u | x) in nats (B,)."""
        half = jnp.asarray(self.first_half).reshape(x.shape[1:])
        h, stretched = noise, jnp.zeros(x.shape[:1], x.dtype)
        for index, coupling in enumerate(self.couplings):
            kept = half if index % 2 else ~half
            h, log_scale = coupling(x, h, kept)
            stretched = stretched + log_scale
        log_prob = sum_per_example(0.5 * (jnp.square(h) - jnp.square(noise))) - stretched
        return jax.scipy.stats.norm.cdf(h), log_prob


class _Coupling(nnx.Module):
    """Scale and shift of the values that are not kept."""

    def __init__(self, shape: tuple[int, ...], width: int, *, rngs: nnx.Rngs) -> None:
        channels, rank = shape[-1], len(shape) - 1

        def layer(n_in: int, n_out: int, scale: float = 1.0) -> Any:
            if rank:
                return Conv(n_in, n_out, rank=rank, init_scale=scale, rngs=rngs)
            return Linear(n_in, n_out, init_scale=scale, rngs=rngs)

        self.layers = nnx.List([layer(2 * channels, width), layer(width, width)])
        self.last = layer(width, 2 * channels, 0.0)

    def __call__(self, x: Batch, h: Batch, kept: Array) -> tuple[Batch, PerExample]:
        """The moved h, and the sum of the log scales."""
        hidden = jnp.concatenate([x, jnp.where(kept, h, 0.0)], axis=-1)
        for layer in self.layers:
            hidden = jax.nn.silu(layer(hidden))
        log_scale, shift = jnp.split(self.last(hidden), 2, axis=-1)
        log_scale = jnp.where(kept, 0.0, LARGEST * jnp.tanh(log_scale / LARGEST))
        return jnp.exp(log_scale) * h + jnp.where(kept, 0.0, shift), sum_per_example(log_scale)


class WithDequantization(nnx.Module):
    """A network and the dequantisation flow that is trained beside it, for ``denoisers.Dequantizing``.

    Args:
        shape: of an example.
        network: makes the network from ``shape`` and ``rngs``: ``bind(UNet, channels=32)``.
        flow: makes the flow likewise.
        rngs: initialisation.
    """

    def __init__(
        self,
        shape: tuple[int, ...],
        network: Callable[..., Any],
        flow: Callable[..., Any] = DequantizationFlow,
        *,
        rngs: nnx.Rngs,
    ) -> None:
        self.network = network(shape=shape, rngs=rngs)
        self.flow = flow(shape=shape, rngs=rngs)

    def __call__(
        self, x: Batch, labels: PerExample, cond: Condition = None, *, key: Key | None = None
    ) -> Batch:
        """The network's output."""
        return self.network(x, labels, cond, key=key)

    def dequantize(self, x: Batch, noise: Batch) -> tuple[Batch, PerExample]:
        """The flow's shares and their log density."""
        return self.flow(x, noise)
