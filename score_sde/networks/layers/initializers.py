"""How weights are drawn: ``init(key, shape, scale)`` for a kernel (*field, n_in, n_out)."""

from __future__ import annotations

import math
from collections.abc import Callable

import jax
import jax.numpy as jnp

from score_sde.typing import Array, Key

Init = Callable[[Key, tuple[int, ...], float], Array]
BiasInit = Callable[[Key, tuple[int, ...]], Array]  # from the kernel's shape to (n_out,)


def uniform_init(key: Key, shape: tuple[int, ...], scale: float = 1.0) -> Array:
    """Uniform with variance scale / fan_avg, the DDPM default (Ho et al. 2020); scale 0 gives zeros.

    The last two axes are inputs and outputs, the ones before them the receptive field.
    """
    return _uniform(key, shape, 3 * scale / (0.5 * math.prod(shape[:-2]) * (shape[-2] + shape[-1])))


def fan_in_uniform_init(key: Key, shape: tuple[int, ...], scale: float = 1.0) -> Array:
    """Uniform on +-sqrt(scale / fan_in): PyTorch's default for linear and convolution layers."""
    return _uniform(key, shape, scale / math.prod(shape[:-1]))


def normal_init(key: Key, shape: tuple[int, ...], scale: float = 1.0) -> Array:
    """N(0, scale), whatever the shape: tables of classes."""
    return math.sqrt(scale) * jax.random.normal(key, shape, jnp.float32)


def narrow_normal_init(key: Key, shape: tuple[int, ...], scale: float = 1.0) -> Array:
    """N(0, 0.02^2 scale), whatever the shape: of embeddings in transformers (Peebles and Xie 2023's code)."""
    return normal_init(key, shape, 0.02**2 * scale)


def lecun_normal_init(key: Key, shape: tuple[int, ...], scale: float = 1.0) -> Array:
    """Normal, cut at two standard deviations, of variance scale / fan_in: flax's default."""
    return math.sqrt(scale) * jax.nn.initializers.lecun_normal()(key, shape, jnp.float32)


def fan_out_normal_init(key: Key, shape: tuple[int, ...], scale: float = 1.0) -> Array:
    """N(0, scale / fan_out), with scale 2 that of He et al. 2015 for gradients through ReLU."""
    fan_out = math.prod(shape) / shape[-2]
    return math.sqrt(scale / fan_out) * jax.random.normal(key, shape, jnp.float32)


def fan_in_bias_init(key: Key, shape: tuple[int, ...]) -> Array:
    """Uniform on +-sqrt(1 / fan_in) of the kernel's shape: PyTorch's default biases."""
    return _uniform(key, (shape[-1],), 1 / math.prod(shape[:-1]))


def zero_bias_init(key: Key, shape: tuple[int, ...]) -> Array:
    """Zeros."""
    del key
    return jnp.zeros(shape[-1], jnp.float32)


def _uniform(key: Key, shape: tuple[int, ...], squared_bound: float) -> Array:
    if not squared_bound:
        return jnp.zeros(shape, jnp.float32)
    # Drawn flat: the generator over four axes takes five times longer to compile on a CPU.
    flat = jax.random.uniform(key, (math.prod(shape),), jnp.float32, -1, 1)
    return math.sqrt(squared_bound) * flat.reshape(shape)
