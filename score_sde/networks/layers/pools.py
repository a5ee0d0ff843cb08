"""From the features of a U-Net's encoder to a vector: what classifiers end in."""

from __future__ import annotations

import dataclasses
import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
from flax import nnx

from score_sde.networks.layers.attending import attend
from score_sde.networks.layers.blocks import Style
from score_sde.networks.layers.heads import HEADS_OF_64, Heads
from score_sde.networks.layers.linear import Linear
from score_sde.typing import Array

WIDTH = 2048  # of the hidden layer after averages over space


class Pool(ABC):
    """Makes the layer ``layer(last, features)`` -> (B, n_out), computed in the parameters' type.

    ``widths`` are the channels of all features, the last being the middle's, at resolution ``space``.
    """

    @abstractmethod
    def layer(
        self, widths: Sequence[int], space: tuple[int, ...], n_out: int, style: Style, rngs: nnx.Rngs
    ) -> nnx.Module:
        """The layer."""


@dataclasses.dataclass(frozen=True)
class AttentionPool(Pool):
    """The mean pixel attends to itself and all pixels, which have learnt positions (Radford et al. 2021)."""

    heads: Heads = HEADS_OF_64

    def layer(
        self, widths: Sequence[int], space: tuple[int, ...], n_out: int, style: Style, rngs: nnx.Rngs
    ) -> nnx.Module:
        """The layer."""
        return PooledByAttention(widths[-1], math.prod(space), self.heads(widths[-1]), n_out, style, rngs)


@dataclasses.dataclass(frozen=True)
class MeanPool(Pool):
    """W mean(act(norm(last))) with W = 0 to start from (ADM's 'adaptive')."""

    def layer(
        self, widths: Sequence[int], space: tuple[int, ...], n_out: int, style: Style, rngs: nnx.Rngs
    ) -> nnx.Module:
        """The layer."""
        return PooledByMean(widths[-1], n_out, style, rngs)


@dataclasses.dataclass(frozen=True)
class SpatialPool(Pool):
    """W_2 relu(W_1 m), where m joins the means over space of all features (ADM's 'spatial')."""

    def layer(
        self, widths: Sequence[int], space: tuple[int, ...], n_out: int, style: Style, rngs: nnx.Rngs
    ) -> nnx.Module:
        """The layer."""
        return PooledFeatures(sum(widths), n_out, jax.nn.relu, None, style, rngs)


@dataclasses.dataclass(frozen=True)
class NormedSpatialPool(Pool):
    """W_2 act(norm(W_1 m)), where m joins the means over space of all features (ADM's 'spatial_v2')."""

    def layer(
        self, widths: Sequence[int], space: tuple[int, ...], n_out: int, style: Style, rngs: nnx.Rngs
    ) -> nnx.Module:
        """The layer."""
        return PooledFeatures(sum(widths), n_out, style.act, style.norm(WIDTH), style, rngs)


ATTENTION_POOL = AttentionPool()


class PooledByAttention(nnx.Module):
    """The layer of ``AttentionPool``."""

    def __init__(self, width: int, pixels: int, heads: int, n_out: int, style: Style, rngs: nnx.Rngs) -> None:
        self.norm, self.act, self.heads = style.norm(width), style.act, heads
        self.positions = nnx.Param(
            jax.random.normal(rngs.params(), (pixels + 1, width), jnp.float32) / width**0.5
        )
        drawn: dict[str, Any] = {"init": style.init, "bias_init": style.bias_init, "rngs": rngs}
        self.qkv = Linear(width, 3 * width, **drawn)
        self.out = Linear(width, n_out, **drawn)

    def __call__(self, last: Array, features: list[Array]) -> Array:
        """(B, *space, width) -> (B, n_out)."""
        del features
        hidden = self.act(self.norm(last))
        pixels = hidden.reshape(hidden.shape[0], -1, hidden.shape[-1])
        tokens = jnp.concatenate([jnp.mean(pixels, axis=1, keepdims=True), pixels], axis=1)
        qkv = self.qkv(tokens + self.positions[...])
        qkv = qkv.reshape(*tokens.shape[:2], 3, self.heads, tokens.shape[-1] // self.heads)
        mixed = attend(qkv[:, :1, 0], qkv[:, :, 1], qkv[:, :, 2])
        return self.out(mixed.reshape(mixed.shape[0], -1))


class PooledByMean(nnx.Module):
    """The layer of ``MeanPool``."""

    def __init__(self, width: int, n_out: int, style: Style, rngs: nnx.Rngs) -> None:
        self.norm, self.act = style.norm(width), style.act
        self.out = Linear(width, n_out, init=style.init, init_scale=0.0, rngs=rngs)

    def __call__(self, last: Array, features: list[Array]) -> Array:
        """(B, *space, width) -> (B, n_out)."""
        del features
        return self.out(_over_space(self.act(self.norm(last))))


class PooledFeatures(nnx.Module):
    """The layer of ``SpatialPool`` and ``NormedSpatialPool``."""

    def __init__(
        self, width: int, n_out: int, act: Any, norm: nnx.Module | None, style: Style, rngs: nnx.Rngs
    ) -> None:
        drawn: dict[str, Any] = {"init": style.init, "bias_init": style.bias_init, "rngs": rngs}
        self.hidden, self.out = Linear(width, WIDTH, **drawn), Linear(WIDTH, n_out, **drawn)
        self.act, self.norm = act, norm

    def __call__(self, last: Array, features: list[Array]) -> Array:
        """(B, *space_i, width_i) for all i -> (B, n_out)."""
        del last
        hidden = self.hidden(jnp.concatenate([_over_space(feature) for feature in features], axis=-1))
        return self.out(self.act(hidden if self.norm is None else self.norm(hidden)))


def _over_space(x: Array) -> Array:
    return jnp.mean(x, axis=tuple(range(1, x.ndim - 1)))
