"""The noise-conditional classifier of Song et al. 2021."""

from __future__ import annotations

import functools

import jax
import jax.numpy as jnp
from flax import nnx

from score_sde.networks.conditions import require_only
from score_sde.networks.layers import (
    NAIVE,
    Conv,
    DType,
    GroupNorm,
    Linear,
    SigmaEmbedding,
    average_pool,
    convolve,
    fan_out_normal_init,
    lecun_normal_init,
    require_example,
    require_shape,
)
from score_sde.networks.layers.linear import computed
from score_sde.typing import Array, Batch, Condition, Key, PerExample

CONV = functools.partial(Conv, init=fan_out_normal_init, init_scale=2.0, bias_init=None)
DENSE = functools.partial(Linear, init=lecun_normal_init)
FEATURES = 512  # of what blocks are told


class WideResNet(nnx.Module):
    """Wide ResNet (Zagoruyko and Komodakis 2016) of (x, sigma): log p(class | x_t) up to a constant.

    Song et al. 2021, appendix I: 28 layers, ten times as wide. Each example is standardised first.
    ``labels`` are sigma. There is no dropout.

    Attributes:
        n_classes: number of outputs.
        blocks: residual blocks at each of three resolutions.
        width: multiple of 16, 32 and 64 channels.

    Raises:
        InputError: an axis that cannot be halved twice; x not of ``shape``; a condition.
    """

    def __init__(
        self,
        shape: tuple[int, ...] = (32, 32, 3),
        n_classes: int = 10,
        blocks: int = 4,
        width: int = 10,
        dtype: DType = jnp.float32,
        remat: bool = False,
        *,
        rngs: nnx.Rngs,
    ) -> None:
        self.shape = require_shape("WideResNet", shape, 3)
        self.embedding = SigmaEmbedding(128, rngs=rngs)
        self.linear1 = DENSE(256, FEATURES, rngs=rngs)
        self.linear2 = DENSE(FEATURES, FEATURES, rngs=rngs)
        rank, channels, made = len(shape) - 1, 16, []
        self.first = CONV(shape[-1], channels, rank=rank, dtype=dtype, rngs=rngs)
        for level, n_out in enumerate((16 * width, 32 * width, 64 * width)):
            for index in range(blocks):
                made.append(
                    WideBlock(
                        channels, n_out, rank, halves=level > 0 and index == 0,
                        begins=level == 0 and index == 0, dtype=dtype, remat=remat, rngs=rngs,
                    )
                )  # fmt: skip
                channels = n_out
        self.blocks = nnx.List(made)
        self.norm = GroupNorm(channels, eps=1e-5)
        self.last = Linear(channels, n_classes, init=_logits_init, rngs=rngs)

    def __call__(
        self, x: Batch, labels: PerExample, cond: Condition = None, *, key: Key | None = None
    ) -> Array:
        """(B, *shape), (B,) -> logits (B, n_classes), of the dtype of x."""
        require_example("WideResNet", x, self.shape)
        require_only(cond, network="WideResNet")
        features = self.embedding(labels).astype(self.linear1.kernel.dtype)
        embedding = self.linear2(jax.nn.silu(self.linear1(features)))
        hidden = self.first(_standardised(x))
        for block in self.blocks:
            hidden = block(hidden, embedding)
        hidden = jax.nn.relu(self.norm(hidden.astype(x.dtype)))
        return self.last(jnp.mean(hidden, axis=tuple(range(1, x.ndim - 1)))).astype(x.dtype)


class WideBlock(nnx.Module):
    """x + conv(relu(norm(conv(relu(norm(x))) + W silu(e)))), where x is pooled and filled up with zeros.

    ``halves``: to half the resolution; ``begins``: relu(norm(x)) stands for x on the skip too.
    """

    def __init__(
        self,
        n_in: int,
        n_out: int,
        rank: int,
        *,
        halves: bool,
        begins: bool,
        dtype: DType,
        remat: bool,
        rngs: nnx.Rngs,
    ) -> None:
        self.norm1, self.norm2 = GroupNorm(n_in, eps=1e-5), GroupNorm(n_out, eps=1e-5)
        self.conv1 = CONV(n_in, n_out, rank=rank, dtype=dtype, rngs=rngs)
        self.conv2 = CONV(n_out, n_out, rank=rank, dtype=dtype, rngs=rngs)
        self.embed = DENSE(FEATURES, n_out, dtype=dtype, rngs=rngs)
        self.halves, self.begins, self.remat = halves, begins, remat

    def __call__(self, x: Array, embedding: Array) -> Array:
        """(B, *space, n_in), (B, 512) -> (B, *space', n_out)."""
        return (jax.checkpoint(_wide) if self.remat else _wide)(self, x, embedding)


def _wide(block: WideBlock, x: Array, embedding: Array) -> Array:
    hidden = jax.nn.relu(block.norm1(x))
    skip = hidden if block.begins else x
    if block.halves:
        kernel = computed(block.conv1.kernel[...], block.conv1.dtype)
        hidden = convolve(NAIVE.smoothed(computed(hidden, block.conv1.dtype)), kernel, 2, padding=0)
        skip = average_pool(skip)
    else:
        hidden = block.conv1(hidden)
    told = block.embed(jax.nn.silu(embedding))
    hidden = hidden + told.reshape(len(told), *(1,) * (x.ndim - 2), -1)
    hidden = block.conv2(jax.nn.relu(block.norm2(hidden)))
    missing = hidden.shape[-1] - skip.shape[-1]
    return hidden + jnp.pad(skip, [*[(0, 0)] * (x.ndim - 1), (0, missing)])


def _standardised(x: Array) -> Array:
    """Mean 0 and standard deviation 1 for each example, unless that is below 1 / sqrt(values)."""
    axes = tuple(range(1, x.ndim))
    least = (x.size / len(x)) ** -0.5
    spread = jnp.maximum(jnp.std(x, axis=axes, keepdims=True), least)
    return (x - jnp.mean(x, axis=axes, keepdims=True)) / spread


def _logits_init(key: Key, shape: tuple[int, ...], scale: float = 1.0) -> Array:
    """Uniform on +-1 / sqrt(classes)."""
    bound = shape[-1] ** -0.5
    return jax.random.uniform(key, shape, jnp.float32, -bound, bound)
