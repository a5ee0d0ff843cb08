"""The layers that image networks are built from, channels last.

Parameters are float32; ``dtype`` is what a layer computes in. Layers are plain functions of their
arguments: no hidden state, and randomness (dropout) only from a key that the caller gives.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import jax
import jax.numpy as jnp
from flax import nnx

from score_sde.errors import InputError
from score_sde.typing import Array, Key

DType = jax.typing.DTypeLike
Activation = Callable[[Array], Array]


def uniform_init(key: Key, shape: tuple[int, ...], scale: float = 1.0) -> Array:
    """Uniform with variance scale / fan_avg, the DDPM default (Ho et al. 2020); scale 0 gives zeros.

    The last two axes are inputs and outputs, the ones before them the receptive field.
    """
    field = math.prod(shape[:-2])
    bound = math.sqrt(3 * scale / (0.5 * field * (shape[-2] + shape[-1])))
    if not scale:
        return jnp.zeros(shape)
    # Drawn flat: the generator over four axes takes five times longer to compile on a CPU.
    return bound * jax.random.uniform(key, (math.prod(shape),), jnp.float32, -1, 1).reshape(shape)


def dropout(key: Key | None, x: Array, rate: float) -> Array:
    """Zero each value with probability ``rate``, and divide the others by 1 - rate; no key: x itself.

    ``rate`` is rounded to a multiple of 1/256, so that one random word serves four values: on a
    processor without a fast generator the random numbers would otherwise cost as much as the layer.
    """
    threshold = _dropout_threshold(rate)
    if key is None or threshold == 0:
        return x
    words = jax.random.bits(key, (-(-x.size // 4),), jnp.uint32)
    octets = jax.lax.bitcast_convert_type(words, jnp.uint8).reshape(-1)[: x.size].reshape(x.shape)
    return jnp.where(octets >= threshold, x * (256 / (256 - threshold)), 0).astype(x.dtype)


def _dropout_threshold(rate: float) -> int:
    threshold = round(256 * rate)
    if not 0 <= rate < 1 or threshold == 256 or (rate > 0 and threshold == 0):
        raise InputError("dropout", rate, "0, or a number from 0.002 to 0.998", "0 for none, 0.1 is usual")
    return threshold


class Linear(nnx.Module):
    """x W + b over the last axis, W (n_in, n_out)."""

    def __init__(
        self, n_in: int, n_out: int, *, init_scale: float = 1.0, dtype: DType = jnp.float32, rngs: nnx.Rngs
    ) -> None:
        self.kernel = nnx.Param(uniform_init(rngs.params(), (n_in, n_out), init_scale))
        self.bias = nnx.Param(jnp.zeros(n_out))
        self.dtype = dtype

    def __call__(self, x: Array) -> Array:
        """(..., n_in) -> (..., n_out)."""
        return x.astype(self.dtype) @ self.kernel[...].astype(self.dtype) + self.bias[...].astype(self.dtype)


class Conv(nnx.Module):
    """Two-dimensional convolution with zero padding ("same"), kernel (height, width, n_in, n_out).

    A 1x1 kernel without stride is computed as a matrix product, which is several times faster on CPU.
    """

    def __init__(
        self,
        n_in: int,
        n_out: int,
        kernel_size: int = 3,
        *,
        stride: int = 1,
        init_scale: float = 1.0,
        dtype: DType = jnp.float32,
        rngs: nnx.Rngs,
    ) -> None:
        shape = (kernel_size, kernel_size, n_in, n_out)
        self.kernel = nnx.Param(uniform_init(rngs.params(), shape, init_scale))
        self.bias = nnx.Param(jnp.zeros(n_out))
        self.stride, self.dtype = stride, dtype

    def __call__(self, x: Array) -> Array:
        """(B, H, W, n_in) -> (B, H/stride, W/stride, n_out)."""
        kernel, x = self.kernel[...].astype(self.dtype), x.astype(self.dtype)
        return convolve(x, kernel, self.stride) + self.bias[...].astype(self.dtype)


def convolve(x: Array, kernel: Array, stride: int = 1) -> Array:
    """Convolution of (B, H, W, n_in) with (k, k, n_in, n_out), zero padded: the one place that says how.

    No rule of its own for gradients: outside of loops the library's are the fastest at these sizes, and a
    custom rule would forbid forward-mode differentiation, which likelihoods use. Inside ``lax.scan`` XLA's
    CPU backend makes the gradient to the kernel twenty times slower and more: train outside of loops there.
    """
    if kernel.shape[:2] == (1, 1) and stride == 1:
        return x @ kernel[0, 0]
    return jax.lax.conv_general_dilated(
        x, kernel, (stride, stride), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC")
    )


class GroupNorm(nnx.Module):
    """(x - mean) / sqrt(variance + eps) * scale + bias, over space and the channels of a group.

    Statistics in float32 whatever the dtype of x (Wu and He 2018). ``groups=None``: the published
    default of these networks, min(channels / 4, 32).
    """

    def __init__(self, channels: int, *, groups: int | None = None, eps: float = 1e-6) -> None:
        self.groups = min(max(channels // 4, 1), 32) if groups is None else groups
        if channels % self.groups:
            raise InputError("GroupNorm.groups", self.groups, f"a divisor of channels = {channels}")
        self.scale, self.bias = nnx.Param(jnp.ones(channels)), nnx.Param(jnp.zeros(channels))
        self.eps = eps

    def __call__(self, x: Array) -> Array:
        """(B, ..., channels) -> the same."""
        pixels = x.astype(jnp.float32).reshape(x.shape[0], -1, x.shape[-1])
        mean = self._group_mean(jnp.mean(pixels, axis=1))
        variance = self._group_mean(jnp.mean(jnp.square(pixels - mean[:, None]), axis=1))
        gain = jax.lax.rsqrt(variance + self.eps) * self.scale[...]
        shift = self.bias[...] - mean * gain
        return (pixels * gain[:, None] + shift[:, None]).reshape(x.shape).astype(x.dtype)

    def _group_mean(self, means: Array) -> Array:
        # Space first, then the few channels of a group: the long sum runs over contiguous vectors.
        groups = means.reshape(means.shape[0], self.groups, -1)
        return jnp.broadcast_to(jnp.mean(groups, axis=2, keepdims=True), groups.shape).reshape(means.shape)


class SelfAttention(nnx.Module):
    """x + W_out softmax(q k^T / sqrt(head size)) v over the pixels of a normalised x.

    With ``heads=1`` the block of DDPM (Ho et al. 2020, appendix B); the result is divided by
    ``rescale`` (sqrt(2) in Song et al. 2021). W_out starts at ``init_scale``, 0 by default.
    """

    def __init__(
        self,
        channels: int,
        *,
        heads: int = 1,
        rescale: float = 1.0,
        init_scale: float = 0.0,
        dtype: DType = jnp.float32,
        rngs: nnx.Rngs,
    ) -> None:
        if channels % heads:
            raise InputError("SelfAttention.heads", heads, f"a divisor of channels = {channels}")
        self.norm = GroupNorm(channels)
        self.qkv = Linear(channels, 3 * channels, dtype=dtype, rngs=rngs)
        self.out = Linear(channels, channels, init_scale=init_scale, dtype=dtype, rngs=rngs)
        self.heads, self.rescale = heads, rescale

    def __call__(self, x: Array) -> Array:
        """(B, ..., channels) -> the same; every pixel sees every other."""
        batch, channels = x.shape[0], x.shape[-1]
        qkv = self.qkv(self.norm(x)).reshape(batch, -1, 3, self.heads, channels // self.heads)
        mixed = jax.nn.dot_product_attention(qkv[:, :, 0], qkv[:, :, 1], qkv[:, :, 2])
        return (x + self.out(mixed.reshape(x.shape))) / self.rescale


class ResidualBlock(nnx.Module):
    """skip(x) + conv(dropout(act(norm(conv(act(norm(x))) + W emb)))), over ``rescale``.

    The block of DDPM (Ho et al. 2020, appendix B). ``resample`` (an up- or downsampling function, as in
    BigGAN) acts on both branches before the first convolution. The second convolution starts at
    ``init_scale``, 0 by default: the block starts as its skip. A skip that changes the number of
    channels is a 1x1 convolution.
    """

    def __init__(
        self,
        n_in: int,
        n_out: int,
        n_embedding: int,
        *,
        dropout: float = 0.0,
        act: Activation = jax.nn.silu,
        resample: Callable[[Array], Array] | None = None,
        rescale: float = 1.0,
        init_scale: float = 0.0,
        dtype: DType = jnp.float32,
        rngs: nnx.Rngs,
    ) -> None:
        self.norm1, self.norm2 = GroupNorm(n_in), GroupNorm(n_out)
        self.conv1 = Conv(n_in, n_out, dtype=dtype, rngs=rngs)
        self.embed = Linear(n_embedding, n_out, dtype=dtype, rngs=rngs)
        self.conv2 = Conv(n_out, n_out, init_scale=init_scale, dtype=dtype, rngs=rngs)
        self.skip = Conv(n_in, n_out, 1, dtype=dtype, rngs=rngs) if n_in != n_out else None
        self.dropout, self.act, self.resample, self.rescale = dropout, act, resample, rescale

    def __call__(self, x: Array, embedding: Array, *, key: Key | None = None) -> Array:
        """(B, H, W, n_in), (B, n_embedding) -> (B, H', W', n_out); ``key=None``: no dropout."""
        hidden = self.act(self.norm1(x))
        if self.resample is not None:
            x, hidden = self.resample(x), self.resample(hidden)
        hidden = self.conv1(hidden) + self.embed(self.act(embedding))[:, None, None, :]
        hidden = dropout(key, self.act(self.norm2(hidden)), self.dropout)
        skip = x if self.skip is None else self.skip(x)
        return (skip + self.conv2(hidden)) / self.rescale


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
        act: Activation = jax.nn.silu,
        dtype: DType = jnp.float32,
        rngs: nnx.Rngs,
    ) -> None:
        self.embedding, self.act = embedding, act
        self.linear1 = Linear(n_features, n_out, dtype=dtype, rngs=rngs)
        self.linear2 = Linear(n_out, n_out, dtype=dtype, rngs=rngs)
        rows = None if n_classes is None else jax.random.normal(rngs.params(), (n_classes + 1, n_out))
        self.classes = None if rows is None else nnx.Param(rows)

    def __call__(self, labels: Array, cond: Array | None = None) -> Array:
        """(B,) labels and (B,) class labels or None -> (B, n_out)."""
        hidden = self.linear2(self.act(self.linear1(self.embedding(labels))))
        if self.classes is None:
            if cond is not None:
                raise InputError(
                    "cond", cond, "None", "build the network with n_classes to give it class labels"
                )
            return hidden
        table = self.classes[...].astype(hidden.dtype)
        return hidden + (table[-1] if cond is None else table[cond])


def split_or_none(key: Key | None, n: int) -> Iterator[Key | None]:
    """``n`` keys from one, or ``n`` times None."""
    return iter([None] * n if key is None else list(jax.random.split(key, n)))
