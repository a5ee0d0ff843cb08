"""Operation counts against closed forms and against XLA's own count."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from score_sde.experiment.accounting import count_flops
from score_sde.networks import layers


def shape(*sizes, dtype=jnp.float32):
    return jax.ShapeDtypeStruct(sizes, dtype)


def convolve(x, kernel, stride=1, padding="SAME", **options):
    numbers = ("NHWC", "HWIO", "NHWC")
    return jax.lax.conv_general_dilated(
        x, kernel, (stride, stride), padding, dimension_numbers=numbers, **options
    )


def test_a_matrix_product_has_two_operations_for_each_multiply_add():
    assert count_flops(jnp.matmul, shape(3, 5), shape(5, 7)) == (2 * 3 * 5 * 7, 0)
    assert count_flops(jnp.matmul, shape(2, 3, 5), shape(2, 5, 7)) == (2 * 2 * 3 * 5 * 7, 0)


@pytest.mark.parametrize(
    ("x", "kernel", "options", "expected"),
    [
        (shape(2, 8, 6, 4), shape(3, 3, 4, 5), {}, 2 * 2 * 8 * 6 * 3 * 3 * 4 * 5),
        (shape(2, 8, 6, 4), shape(1, 1, 4, 5), {}, 2 * 2 * 8 * 6 * 4 * 5),
        (shape(2, 8, 8, 4), shape(3, 3, 4, 5), {"stride": 2}, 2 * 2 * 4 * 4 * 3 * 3 * 4 * 5),
        (shape(1, 8, 8, 4), shape(3, 3, 1, 4), {"feature_group_count": 4}, 2 * 8 * 8 * 3 * 3 * 4),
        (
            shape(1, 4, 4, 4),
            shape(2, 2, 4, 5),
            {"lhs_dilation": (2, 2), "padding": [(1, 0), (1, 0)]},
            2 * 7 * 7 * 4 * 4 * 5 // 4,  # a transposed convolution: each tap meets a zero three times of four
        ),
    ],
)
def test_convolutions(x, kernel, options, expected):
    assert count_flops(lambda a, k: convolve(a, k, **options), x, kernel).matmul == pytest.approx(
        expected, rel=0.01
    )


@pytest.mark.parametrize("function", [convolve, layers.convolve], ids=["lax", "networks"])
@pytest.mark.parametrize("stride", [1, 2])
def test_the_gradients_of_a_convolution_cost_as_much_as_itself(stride, function):
    """Input gradient and weight gradient: the same multiply-adds each, so forward and backward are 3."""

    def loss(x, kernel):
        return jnp.sum(jnp.square(function(x, kernel, stride)))

    args = shape(2, 8, 8, 4), shape(3, 3, 4, 6)
    forward = 2 * 2 * (8 // stride) ** 2 * 9 * 4 * 6
    assert count_flops(loss, *args).matmul == forward
    assert count_flops(jax.value_and_grad(loss, argnums=(0, 1)), *args).matmul == 3 * forward


def test_attention():
    """Scores and their product with the values: 4 B heads T^2 d (Vaswani et al. 2017, equation 1)."""
    batch, tokens, heads, size = 2, 16, 4, 8
    q = shape(batch, tokens, heads, size)
    assert count_flops(jax.nn.dot_product_attention, q, q, q).matmul == 4 * batch * heads * tokens**2 * size


def test_elementwise_and_reductions():
    assert count_flops(lambda x: jnp.tanh(x) * 2 + x, shape(4, 5)) == (0, 3 * 20)
    assert count_flops(jnp.sum, shape(4, 5)) == (0, 20)
    assert count_flops(lambda x: x.T.reshape(2, 10)[:, ::-1], shape(4, 5)) == (0, 0)


def test_loops_branches_and_functions():
    x, w = shape(3, 5), shape(5, 5)
    once = 2 * 3 * 5 * 5

    def scanned(x, w):
        return jax.lax.scan(lambda carry, _: (carry @ w, None), x, length=7)[0]

    def looped(x, w):
        return jax.lax.while_loop(lambda carry: carry[0, 0] > 0, lambda carry: carry @ w, x)

    def branched(x, w):
        return jax.lax.cond(x[0, 0] > 0, lambda: x @ w @ w, lambda: x @ w)

    def mapped(x, w):
        return jax.vmap(lambda row: row @ w)(x)

    assert count_flops(scanned, x, w).matmul == 7 * once
    assert count_flops(looped, x, w).matmul == once
    assert count_flops(branched, x, w).matmul == 2 * once
    for inlined in (mapped, jax.jit(mapped), jax.checkpoint(mapped), jax.jit(jax.checkpoint(mapped))):
        assert count_flops(inlined, x, w).matmul == once


def test_functions_with_derivative_rules_of_their_own():
    @jax.custom_vjp
    def square(x, w):
        return x @ w

    square.defvjp(lambda x, w: (x @ w, (x, w)), lambda kept, g: (g @ kept[1].T, kept[0].T @ g))
    tangent = jax.custom_jvp(jnp.matmul)
    tangent.defjvp(lambda primals, tangents: (jnp.matmul(*primals), tangents[0] @ primals[1]))
    args = shape(3, 5), shape(5, 5)
    once = 2 * 3 * 5 * 5
    assert count_flops(square, *args).matmul == once
    assert count_flops(tangent, *args).matmul == once
    assert count_flops(jax.grad(lambda x, w: jnp.sum(square(x, w)), (0, 1)), *args).matmul == 3 * once


def test_recomputation_is_counted():
    """Two layers: 2 forward and 3 for gradients (the batch needs none); under checkpoint 2 once more."""

    def loss(params, x):
        return jnp.sum(jnp.tanh(jnp.tanh(x @ params[0]) @ params[1]))

    args = [shape(5, 5), shape(5, 5)], shape(3, 5)
    once = 2 * 3 * 5 * 5
    assert count_flops(jax.value_and_grad(loss), *args).matmul == 5 * once
    assert count_flops(jax.value_and_grad(jax.checkpoint(loss)), *args).matmul == 7 * once


def network(params, x):
    hidden = jnp.tanh(convolve(x, params["first"], padding="VALID"))
    hidden = convolve(2 * hidden + 1, params["second"], 2, padding="VALID")
    return jnp.sum(jnp.square(jnp.mean(hidden, axis=(1, 2)) @ params["last"]))


NETWORK = (
    {"first": shape(3, 3, 4, 8), "second": shape(3, 3, 8, 16), "last": shape(16, 5)},
    shape(2, 12, 12, 4),
)


def test_a_network_against_xla():
    """Without padding XLA counts the same products; how it counts a mean or a square is its own affair."""
    cost = jax.jit(network).lower(*NETWORK).cost_analysis()
    theirs = cost["flops"] + cost["transcendentals"]
    ours = count_flops(network, *NETWORK)
    assert ours.total == pytest.approx(theirs, rel=1e-3)
    assert ours.total * 1.05 != pytest.approx(theirs, rel=1e-3)


def test_nothing_is_computed():
    """Shapes that no machine could hold."""
    assert count_flops(jnp.matmul, shape(10**7, 10**7), shape(10**7, 10**7)).matmul == 2e21


def test_concrete_arrays_count_as_their_shapes():
    assert count_flops(jnp.matmul, np.ones((3, 5)), np.ones((5, 7))).total == 210
