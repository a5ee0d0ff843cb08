"""The derivatives of group normalisation that are written out, against those of its formula."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from score_sde.networks.layers import GroupNorm


def normal(seed, *shape):
    return np.random.default_rng(seed).standard_normal(shape)


def formula(x, gain, offset, groups=4, eps=1e-6):
    """Wu and He 2018, equation 1, in numpy's own order of operations."""
    grouped = x.reshape(len(x), -1, groups, x.shape[-1] // groups)
    mean, variance = grouped.mean((1, 3), keepdims=True), grouped.var((1, 3), keepdims=True)
    unit = ((grouped - mean) / jnp.sqrt(variance + eps)).reshape(x.shape)
    return unit * gain[:, None, None] + offset[:, None, None]


def ours(x, gain, offset):
    layer = GroupNorm(8, groups=4)
    return layer.modulated(x, gain - 1, offset)  # its own scale is 1 and its bias 0


def loss(norm, arguments):
    return jnp.sum(jnp.sin(norm(*arguments)))


def gradients(norm, arguments):
    return jax.grad(lambda a: loss(norm, a))(arguments)


def tangents(norm, arguments):
    return jax.jvp(lambda a: norm(*a), (arguments,), (jax.tree.map(jnp.cos, arguments),))


def curvature(norm, arguments):
    along = (jax.tree.map(jnp.cos, arguments),)
    return jax.jvp(lambda a: gradients(norm, a), (arguments,), along)


def twice_reverse(norm, arguments):
    return jax.grad(lambda a: jnp.sum(gradients(norm, a)[0] ** 2))(arguments)


def one_an_example(norm, arguments):
    return jax.vmap(lambda x, g, o: gradients(norm, (x[None], g[None], o[None])))(*arguments)


@pytest.mark.parametrize(
    "mode", [gradients, tangents, curvature, twice_reverse, one_an_example], ids=lambda mode: mode.__name__
)
def test_derivatives_are_those_of_the_formula(mode, x64):
    x, gain, offset = 1 + normal(0, 2, 3, 4, 8), normal(1, 2, 8), normal(2, 2, 8)
    arguments = tuple(jnp.asarray(a) for a in (x, gain, offset))
    expected = jax.tree.leaves(mode(formula, arguments))
    for a, b in zip(jax.tree.leaves(mode(ours, arguments)), expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-10, atol=1e-12)
    wrong = jax.tree.leaves(mode(ours, (x, 1.05 * gain, offset)))  # power: 5 % is seen
    assert not np.allclose(wrong[0], expected[0], rtol=1e-3, atol=1e-3)
