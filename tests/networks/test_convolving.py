"""Every derivative of a convolution against XLA's own convolution, whose rules are its library's."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from score_sde.networks.layers import conv_primitives
from score_sde.networks.layers.conv_primitives import Window, along_rows, convolution, library
from score_sde.networks.layers.convolving import convolve

ONE = ((1, 1), (1, 1))
CASES = {  # x, kernel, window
    "same": ((2, 6, 5, 4), (3, 3, 4, 3), Window(1, 1, ONE)),
    "by rows": ((2, 16, 16, 16), (3, 3, 16, 3), Window(1, 1, ONE)),
    "strided": ((2, 7, 8, 4), (3, 3, 4, 3), Window(2, 1, ONE)),
    "a stride that leaves pixels over": ((2, 9, 12, 4), (3, 2, 4, 3), Window(3, 1, ((0, 1), (0, 0)))),
    "dilated": ((2, 9, 8, 4), (3, 3, 4, 3), Window(1, 2, ((2, 2), (1, 3)))),
    "strided and dilated": ((2, 9, 8, 4), (3, 3, 4, 3), Window(2, 2, ONE)),
    "wider padding than the kernel": ((2, 5, 6, 4), (2, 3, 4, 3), Window(1, 1, ((3, 2), (4, 0)))),
    "one axis": ((2, 9, 4), (4, 4, 3), Window(1, 1, ((2, 1),))),
    "one axis, strided": ((2, 9, 4), (3, 4, 3), Window(2, 1, ((1, 1),))),
}


def normal(seed, *shape):
    return np.random.default_rng(seed).standard_normal(shape)


def example(name):
    x, kernel, window = CASES[name]
    ours, theirs = (functools.partial(function, window=window) for function in (convolution, library))
    return jnp.asarray(normal(0, *x)), jnp.asarray(normal(1, *kernel)), ours, theirs


def loss(convolution, x, kernel):
    return jnp.sum(jnp.sin(convolution(x, kernel)))


def gradients(convolution, x, kernel):
    return jax.grad(functools.partial(loss, convolution), argnums=(0, 1))(x, kernel)


def forward_gradients(convolution, x, kernel):
    return jax.jvp(functools.partial(convolution), (x, kernel), (kernel_like(x), kernel_like(kernel)))


def curvature(convolution, x, kernel):
    """Forward over reverse: how the gradients change along a direction of both arguments."""
    derivative = functools.partial(gradients, convolution)
    return jax.jvp(derivative, (x, kernel), (kernel_like(x), kernel_like(kernel)))


def twice_reverse(convolution, x, kernel):
    """Of both gradients to both arguments: every transpose of every transpose."""
    sizes = jax.grad(lambda x, k: sum(jnp.sum(g**3) for g in gradients(convolution, x, k)), argnums=(0, 1))
    return sizes(x, kernel)


def one_gradient_a_kernel(convolution, x, kernel):
    kernels = jnp.stack([kernel, 2 * kernel, kernel[::-1]])
    return jax.vmap(functools.partial(gradients, convolution), in_axes=(None, 0))(x, kernels)


def one_gradient_an_example(convolution, x, kernel):
    return jax.vmap(lambda a: gradients(convolution, a[None], kernel))(x)


def one_gradient_an_example_and_kernel(convolution, x, kernel):
    kernels = jnp.stack([kernel, kernel[::-1]])
    return jax.vmap(lambda a, k: gradients(convolution, a[None], k), in_axes=(0, 0))(x, kernels)


def jacobian(convolution, x, kernel):
    return jax.jacrev(lambda x: convolution(x, kernel).sum((0, 1)))(x)


def in_a_loop(convolution, x, kernel):
    """Two steps down the gradient."""

    def step(at, _):
        dx, dkernel = gradients(convolution, *at)
        return (at[0] - 0.01 * dx, at[1] - 0.01 * dkernel), None

    return jax.lax.scan(step, (x, kernel), length=2)[0]


MODES = [
    gradients, forward_gradients, curvature, twice_reverse, one_gradient_a_kernel, one_gradient_an_example,
    one_gradient_an_example_and_kernel, jacobian, in_a_loop,
]  # fmt: skip


def kernel_like(a):
    return jnp.asarray(normal(a.size, *a.shape), a.dtype)


def largest_error(ours, theirs):
    pairs = zip(jax.tree.leaves(ours), jax.tree.leaves(theirs), strict=True)
    return max(float(np.max(np.abs(a - b)) / np.max(np.abs(b))) for a, b in pairs)


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("mode", MODES, ids=lambda mode: mode.__name__)
def test_derivatives_are_those_of_xlas_convolution(mode, name, x64):
    x, kernel, ours, theirs = example(name)
    expected = jax.jit(functools.partial(mode, theirs))(x, kernel)
    assert largest_error(jax.jit(functools.partial(mode, ours))(x, kernel), expected) < 1e-11


@pytest.mark.parametrize("mode", MODES, ids=lambda mode: mode.__name__)
def test_a_kernel_that_is_off_is_seen(mode, x64):
    x, kernel, ours, theirs = example("same")
    assert largest_error(mode(ours, x, 1.05 * kernel), mode(theirs, x, kernel)) > 1e-3


@pytest.mark.parametrize("name", ["same", "by rows"])
@pytest.mark.parametrize("mode", [gradients, curvature], ids=lambda mode: mode.__name__)
def test_float32_is_as_near_to_float64_as_xlas(mode, name, x64):
    x, kernel, ours, theirs = example(name)
    kernel = kernel / 12
    exact = mode(theirs, x, kernel)
    single = jnp.asarray(x, jnp.float32), jnp.asarray(kernel, jnp.float32)
    assert largest_error(mode(ours, *single), exact) < 2e-6


@pytest.mark.parametrize("padding", [((1, 1), (1, 1)), ((0, 0), (0, 0)), ((2, 2), (3, 0)), ((0, 1), (2, 1))])
@pytest.mark.parametrize("field", [(3, 3), (2, 3), (5, 1), (1, 4)])
def test_sums_of_rows_are_the_convolution(field, padding, x64):
    x, kernel, window = normal(4, 2, 7, 6, 3), normal(5, *field, 3, 2), Window(1, 1, padding)
    expected = library(x, kernel, window)
    assert largest_error(along_rows(x, kernel, window), expected) < 1e-14


def compiled_for(platform, function, *args):
    """The convolutions of a program, a line each, as they are given to that platform's compiler."""
    module = jax.export.export(jax.jit(function), platforms=[platform])(*args).mlir_module()
    return [line for line in module.splitlines() if "stablehlo.convolution" in line]


def forms(convolutions):
    """How each names its axes."""
    return [line.partition("dim_numbers = ")[2].partition(", window")[0] for line in convolutions]


@pytest.mark.parametrize("name", CASES)
def test_on_a_cpu_all_are_in_the_form_of_its_fast_routine(name):
    x, kernel, ours, theirs = example(name)
    canonical = {"[b, 0, 1, f]x[0, 1, i, o]->[b, 0, 1, f]", "[b, 0, f]x[0, i, o]->[b, 0, f]"}
    gradient = functools.partial(twice_reverse, ours)
    assert set(forms(compiled_for("cpu", gradient, x, kernel))) <= canonical
    assert not set(forms(compiled_for("cpu", functools.partial(gradients, theirs), x, kernel))) <= canonical


@pytest.mark.parametrize("platform", ["tpu", "cuda"])
@pytest.mark.parametrize("name", CASES)
def test_accelerators_get_the_librarys_convolutions(name, platform):
    x, kernel, ours, theirs = example(name)
    found, expected = (
        compiled_for(platform, functools.partial(gradients, function), x, kernel)
        for function in (ours, theirs)
    )
    assert sorted(map(_without_names, found)) == sorted(map(_without_names, expected))


def _without_names(line):
    """All but the numbers of its values, and whose function it is in."""
    return line.partition("dim_numbers")[2].partition(" loc(")[0]


@pytest.mark.parametrize("shape", [(2, 4, 4, 8), (2, 32, 8), (2, 64, 64, 3)])
def test_rows_are_for_large_images_of_many_channels(shape):
    field, same = (3,) * (len(shape) - 2), Window(1, 1, ((1, 1),) * (len(shape) - 2))
    assert not conv_primitives.rows_pay(jnp.ones(shape), field, same)
    assert conv_primitives.rows_pay(jnp.ones((2, 16, 16, 16)), (3, 3), Window(1, 1, ONE))


@pytest.mark.parametrize("platform", ["cpu", "cuda"])
def test_the_precision_is_that_of_the_call(platform):
    x, kernel, ours, _ = example("same")
    gradient = functools.partial(gradients, ours)
    assert not any("HIGHEST" in line for line in compiled_for(platform, gradient, x, kernel))
    with jax.default_matmul_precision("highest"):
        lines = compiled_for(platform, gradient, x, kernel)
    assert len(lines) == 3
    assert all("HIGHEST" in line for line in lines)


@pytest.mark.parametrize("stride", [1, 2])
def test_networks_take_it(stride, x64):
    x, kernel = normal(8, 2, 6, 5, 4), normal(9, 3, 3, 4, 3)
    window = Window(stride, 1, ONE)
    np.testing.assert_array_equal(convolve(x, kernel, stride), library(x, kernel, window))
