"""What the backward pass keeps, against hand counts."""

import jax
import jax.ad_checkpoint
import jax.numpy as jnp
import pytest

from score_sde.experiment.accounting import bytes_of, count_flops, gradient_cost

FLOAT, BATCH, WIDTH, DEPTH = 4, 3, 5, 6


def saved_bytes(loss, params, *args):
    return gradient_cost(loss, params, *args).saved_bytes


def shape(*sizes, dtype=jnp.float32):
    return jax.ShapeDtypeStruct(sizes, dtype)


def test_bytes_of_a_tree():
    tree = {"a": shape(2, 3), "b": [shape(4, dtype=jnp.bfloat16), shape(dtype=jnp.int32)], "c": None}
    assert bytes_of(tree) == 6 * 4 + 4 * 2 + 4


def layers(params, x):
    for kernel in params:
        x = jnp.sin(x @ kernel)
    return jnp.sum(x)


PARAMS = [shape(WIDTH, WIDTH)] * DEPTH
X = shape(BATCH, WIDTH)


def test_a_perceptron_keeps_two_arrays_a_layer():
    """cos of each product for the sine, and each sine but the last for the kernel behind it."""
    each = FLOAT * BATCH * WIDTH
    assert saved_bytes(layers, PARAMS, X) == (2 * DEPTH - 1) * each
    assert saved_bytes(layers, PARAMS, shape(7 * BATCH, WIDTH)) == 7 * (2 * DEPTH - 1) * each


def test_parameters_and_batch_are_not_activations():
    """A linear model keeps its batch, which is there anyway."""
    assert saved_bytes(lambda w, x: jnp.sum(x @ w), PARAMS[0], X) == 0


def rematerialised(params, x):
    block = jax.checkpoint(lambda kernel, x: jnp.sin(x @ kernel))
    for kernel in params:
        x = block(kernel, x)
    return jnp.sum(x)


def test_recomputed_blocks_keep_their_inputs_only():
    assert saved_bytes(rematerialised, PARAMS, X) == (DEPTH - 1) * FLOAT * BATCH * WIDTH


def test_what_is_used_twice_is_kept_once():
    def loss(kernel, x):
        hidden = jnp.sin(x @ kernel)
        return jnp.sum(hidden @ kernel) + jnp.sum(hidden @ (2 * kernel))

    each = FLOAT * BATCH * WIDTH
    assert saved_bytes(loss, PARAMS[0], X) == 2 * each + FLOAT * WIDTH * WIDTH  # and twice the kernel


def test_half_precision_halves_it():
    def loss(params, x):
        return layers([kernel.astype(jnp.bfloat16) for kernel in params], x.astype(jnp.bfloat16))

    kernels, batch = 2 * DEPTH * WIDTH * WIDTH, 2 * BATCH * WIDTH  # those casts are arrays of their own
    first = 2 * WIDTH * WIDTH  # the batch needs no gradient, so the first kernel is not kept
    assert saved_bytes(loss, PARAMS, X) == 2 * (2 * DEPTH - 1) * BATCH * WIDTH + kernels - first + batch


@pytest.mark.parametrize("loss", [layers, rematerialised])
def test_it_is_what_jax_says_that_it_saves(loss, capsys):
    """``print_saved_residuals`` names every array, parameters and batch among them."""
    jax.ad_checkpoint.print_saved_residuals(loss, PARAMS, X)
    lines = capsys.readouterr().out.splitlines()
    kept = [line for line in lines if "from the argument" not in line]
    sizes = [FLOAT * BATCH * WIDTH for line in kept if line.startswith(f"f32[{BATCH},{WIDTH}]")]
    assert len(sizes) == len(kept)
    assert saved_bytes(loss, PARAMS, X) == sum(sizes)


@pytest.mark.parametrize("loss", [layers, rematerialised])
def test_the_operations_are_those_of_value_and_grad(loss):
    assert gradient_cost(loss, PARAMS, X).flops == count_flops(jax.value_and_grad(loss), PARAMS, X)
