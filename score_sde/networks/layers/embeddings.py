"""Noise labels and classes as vectors: sinusoidal positions, random Fourier features, tables."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from score_sde.errors import InputError
from score_sde.networks.base import Frozen
from score_sde.networks.layers.initializers import Init, uniform_init
from score_sde.networks.layers.linear import DType, Linear
from score_sde.typing import Array, PerExample

Frequencies = Callable[[np.ndarray, int, float, Any], np.ndarray]


def stepwise_decays(k: np.ndarray, n: int, period: float, dtype: Any) -> np.ndarray:
    """exp(k (-log(period) / n)), quotient, product and result rounded to ``dtype``: score_sde's."""
    exponents = k.astype(dtype) * np.asarray(-math.log(period) / n, dtype)
    return np.exp(exponents.astype(np.float64)).astype(dtype)


def stepwise_powers(k: np.ndarray, n: int, period: float, dtype: Any) -> np.ndarray:
    """(1 / period)^(k / n) where every operation rounds to ``dtype``: EDM's."""
    exponents = k.astype(dtype) / np.asarray(n, dtype)
    base = np.asarray(1 / period, dtype).astype(np.float64)
    return (base ** exponents.astype(np.float64)).astype(dtype)


def stepwise_exponentials(k: np.ndarray, n: int, period: float, dtype: Any) -> np.ndarray:
    """exp(-log(period) k / n) where every operation rounds to ``dtype``: ADM's."""
    exponents = np.asarray(-math.log(period), dtype) * k.astype(dtype) / np.asarray(n, dtype)
    return np.exp(exponents.astype(np.float64)).astype(dtype)


class PositionalEmbedding(nnx.Module):
    """[sin(w_k l), cos(w_k l)], w_k = scale * max_period^(-k / n), k = 0 .. dim/2 - 1.

    n = dim/2 - 1 with ``endpoint``, so that the longest period is 2 pi ``max_period`` itself (DDPM, Ho et al.
    2020, appendix B, after Vaswani et al. 2017), and n = dim/2 without (ADM). ``labels`` (B,) -> (B, dim), in
    float32 or the labels' wider type. With ``scale=1`` labels are 0 .. 999; ``scale`` brings labels of
    another range, such as log-signal-to-noise ratios, to that size. ``frequencies`` says how the powers are
    rounded: where labels are hundreds, it shows that those of published networks were float32 (DDPM++ with
    the exact powers is 7e-6 from score_sde's float32 outputs, and 1e-6 with score_sde's). No parameters.
    """

    def __init__(
        self,
        dim: int,
        *,
        max_period: float = 10_000.0,
        scale: float = 1.0,
        endpoint: bool = True,
        frequencies: Frequencies = stepwise_decays,
        rngs: nnx.Rngs | None = None,
    ) -> None:
        del rngs  # nothing is drawn; the other embeddings take it in the same place
        _require_even("PositionalEmbedding.dim", dim, 4)
        self.dim, self.max_period, self.scale = dim, max_period, scale
        self.intervals = dim // 2 - 1 if endpoint else dim // 2
        self.table = frequencies

    def __call__(self, labels: PerExample) -> Array:
        """Embed (B,) labels as (B, dim)."""
        labels = _wide(labels)
        table = self.table(np.arange(self.dim // 2), self.intervals, self.max_period, labels.dtype)
        return _waves(labels, self.scale * jnp.asarray(table))


class FourierEmbedding(nnx.Module):
    """[sin(2 pi w_k l), cos(2 pi w_k l)] with fixed random frequencies w_k ~ N(0, scale^2).

    ``labels`` (B,) -> (B, dim), in float32 or the labels' wider type (Tancik et al. 2020; Song et al. 2021,
    appendix C, with scale 16 and l = log sigma). The frequencies are ``Frozen``: kept in checkpoints, but
    not trained.
    """

    def __init__(self, dim: int, *, scale: float = 16.0, rngs: nnx.Rngs) -> None:
        _require_even("FourierEmbedding.dim", dim, 2)
        self.frequencies = Frozen(scale * jax.random.normal(rngs.params(), (dim // 2,), jnp.float32))

    def __call__(self, labels: PerExample) -> Array:
        """Embed (B,) labels as (B, dim)."""
        labels = _wide(labels)
        return _waves(labels, 2 * jnp.pi * jax.lax.stop_gradient(self.frequencies[...]).astype(labels.dtype))


class SigmaEmbedding(FourierEmbedding):
    """``FourierEmbedding`` of log(label), for labels that are sigma, with ``channels`` frequencies.

    NCSN++'s (Song et al. 2021, appendix C): (B,) -> (B, 2 channels).
    """

    def __init__(self, channels: int, *, scale: float = 16.0, rngs: nnx.Rngs) -> None:
        super().__init__(2 * channels, scale=scale, rngs=rngs)

    def __call__(self, labels: PerExample) -> Array:
        """Embed (B,) positive labels as (B, 2 channels)."""
        return super().__call__(jnp.log(_wide(labels)))


class LabelEmbedding(nnx.Module):
    """Noise labels, and class labels if there are any, as one vector per example.

    W_2 act(W_1 e(labels)) (Ho et al. 2020, appendix B) plus a learnt vector for each class; row ``n_classes``
    of the table stands for "no class", as classifier-free guidance needs (Ho and Salimans 2022).
    ``embedding`` maps (B,) labels to (B, n_features).
    """

    def __init__(
        self,
        embedding: Callable[[Array], Array],
        n_features: int,
        n_out: int,
        n_classes: int | None = None,
        *,
        act: Callable[[Array], Array] = jax.nn.silu,
        init: Init = uniform_init,
        dtype: DType = jnp.float32,
        rngs: nnx.Rngs,
    ) -> None:
        self.embedding, self.act = embedding, act
        self.linear1 = Linear(n_features, n_out, init=init, dtype=dtype, rngs=rngs)
        self.linear2 = Linear(n_out, n_out, init=init, dtype=dtype, rngs=rngs)
        shape = (n_classes or 0) + 1, n_out
        rows = None if n_classes is None else jax.random.normal(rngs.params(), shape, jnp.float32)
        self.classes = None if rows is None else nnx.Param(rows)

    def __call__(self, labels: Array, cond: Array | None = None) -> Array:
        """(B,) labels and (B,) class labels or None -> (B, n_out)."""
        features = self.embedding(labels).astype(self.linear1.kernel.dtype)
        hidden = self.linear2(self.act(self.linear1(features)))
        if self.classes is None:
            if cond is not None:
                raise InputError(
                    "cond", cond, "None", "build the network with n_classes to give it class labels"
                )
            return hidden
        table = self.classes[...].astype(hidden.dtype)
        return hidden + (table[-1] if cond is None else table[cond])


def label_embedding(
    embedding: Callable[..., Any] | None,
    channels: int,
    n_classes: int | None = None,
    *,
    act: Callable[[Array], Array] = jax.nn.silu,
    dtype: DType = jnp.float32,
    rngs: nnx.Rngs,
) -> LabelEmbedding | None:
    """Score networks' ``LabelEmbedding`` with 4 ``channels`` features of ``embedding(channels, rngs=rngs)``.

    None where ``embedding`` is None: a network that is not told the noise.

    Raises:
        InputError: classes without an embedding.
    """
    if embedding is None:
        if n_classes is not None:
            raise InputError("n_classes", n_classes, "None for a network without embedding", "give embedding")
        return None
    features = embedding(channels, rngs=rngs)
    n_features = jax.eval_shape(features, jnp.ones(1)).shape[-1]
    return LabelEmbedding(features, n_features, 4 * channels, n_classes, act=act, dtype=dtype, rngs=rngs)


def _wide(labels: PerExample) -> Array:
    """Labels in float32 or their own wider type; integers in the widest that there is."""
    labels = jnp.asarray(labels)
    integers = jnp.issubdtype(labels.dtype, jnp.integer)
    return labels.astype(float if integers else jnp.promote_types(labels.dtype, jnp.float32))


def _waves(labels: PerExample, frequencies: Array) -> Array:
    angles = labels[:, None] * frequencies
    return jnp.concatenate([jnp.sin(angles), jnp.cos(angles)], axis=1)


def _require_even(where: str, dim: int, least: int) -> None:
    if dim < least or dim % 2:
        raise InputError(where, dim, f"an even number, at least {least}", "half of it are sines")
