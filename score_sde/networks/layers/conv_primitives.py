"""A convolution and its two transposes as primitives, each the transpose of the others, each fast on a CPU.

With y = C(x, k), X(y, k) and K(x, y) such that <y', C(x, k)> = <x, X(y', k)> = <k, K(x, y')>, the transposes
of each are the other two. On accelerators they are the convolutions that ``jax.lax`` derives. XLA's CPU
backend brings convolutions into its fast form (NHWC, HWIO, NHWC) only in the entry computation,
so that those are 4 to 120 times slower (``experiments.benchmarks.convolutions``) inside ``jax.lax.scan``
(https://github.com/jax-ml/jax/issues/12868): there they are written in that form to begin with.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax.extend.core import Primitive
from jax.interpreters import ad, batching, mlir

from score_sde.typing import Array

Sides = tuple[int, int]
STATIC = ("window", "size", "precision")


class Window(NamedTuple):
    """Stride and dilation of every axis of space, and the zeros before and after each."""

    stride: int
    dilation: int
    padding: tuple[Sides, ...]


def library(x: Array, kernel: Array, window: Window, before: int = 1) -> Array:
    """``jax.lax``'s convolution, of x with ``before - 1`` zeros between its elements."""
    rank = kernel.ndim - 2
    return jax.lax.conv_general_dilated(
        x,
        kernel,
        (window.stride,) * rank,
        window.padding,
        lhs_dilation=(before,) * rank,
        rhs_dilation=(window.dilation,) * rank,
        dimension_numbers=("NWC", "WIO", "NWC") if rank == 1 else ("NHWC", "HWIO", "NHWC"),
    )


def convolution(x: Array, kernel: Array, window: Window) -> Array:
    """C: the convolution of (B, *space, n_in) with (*field, n_in, n_out)."""
    return forward_p.bind(x, kernel, window=window, size=(), precision=_precision())


def to_input(y: Array, kernel: Array, window: Window, space: tuple[int, ...]) -> Array:
    """X: what (B, *out, n_out) gives back to an x of this ``space``."""
    return to_input_p.bind(y, kernel, window=window, size=space, precision=_precision())


def to_kernel(x: Array, y: Array, window: Window, field: tuple[int, ...]) -> Array:
    """K: what x and y give to a kernel of this ``field``."""
    return to_kernel_p.bind(x, y, window=window, size=field, precision=_precision())


def _precision() -> str | None:
    """That of the context in which the function is called, since it is compiled in another."""
    found: str | None = jax.config.jax_default_matmul_precision  # type: ignore[attr-defined]
    return found


def _forward(x: Array, kernel: Array, window: Window, size: tuple[int, ...]) -> Array:
    del size
    return library(x, kernel, window)


def _to_input(y: Array, kernel: Array, window: Window, size: tuple[int, ...]) -> Array:
    x = jax.ShapeDtypeStruct((y.shape[0], *size, kernel.shape[-2]), y.dtype)
    return jax.linear_transpose(lambda x: library(x, kernel, window), x)(y)[0]


def _to_kernel(x: Array, y: Array, window: Window, size: tuple[int, ...]) -> Array:
    kernel = jax.ShapeDtypeStruct((*size, x.shape[-1], y.shape[-1]), x.dtype)
    return jax.linear_transpose(lambda k: library(x, k, window), kernel)(y)[0]


def _to_input_on_cpu(y: Array, kernel: Array, window: Window, size: tuple[int, ...]) -> Array:
    """Every pixel of y goes back to those that it saw: the kernel turned round, its channels exchanged."""
    stride, dilation, padding = window
    turned = jnp.flip(kernel, range(kernel.ndim - 2)).swapaxes(-1, -2)
    sides = []
    for n, m, k, (low, _) in zip(size, y.shape[1:-1], kernel.shape[:-2], padding, strict=True):
        sides.append((dilation * (k - 1) - low, n + low - stride * (m - 1) - 1))
    return library(y, turned, Window(1, dilation, tuple(sides)), before=stride)


def _to_kernel_on_cpu(x: Array, y: Array, window: Window, size: tuple[int, ...]) -> Array:
    """x seen through the window y: examples are the channels, channels of x the examples."""
    if rows_pay(x, size, window):
        kernel = jax.ShapeDtypeStruct((*size, x.shape[-1], y.shape[-1]), x.dtype)
        return jax.linear_transpose(lambda k: along_rows(x, k, window), kernel)(y)[0]
    stride, dilation, padding = window
    sides = []
    for n, m, k, (low, _) in zip(x.shape[1:-1], y.shape[1:-1], size, padding, strict=True):
        sides.append((low, dilation * (k - 1) - n - low + stride * (m - 1) + 1))
    images, field = jnp.swapaxes(x, 0, -1), jnp.moveaxis(y, 0, -2)
    return jnp.moveaxis(library(images, field, Window(dilation, stride, tuple(sides))), 0, -2)


def rows_pay(x: Array, field: tuple[int, ...], window: Window) -> bool:
    """Whether ``along_rows`` is the faster: all sizes measured but few channels, and small images of few."""
    plain = len(field) == 2 and window.stride == window.dilation == 1
    return plain and x.shape[-1] > 4 and x.size // x.shape[0] >= 4096


def along_rows(x: Array, kernel: Array, window: Window) -> Array:
    """C with two axes of space: every row of x by every row of the kernel, then shifted sums.

    y_h = sum_i z_(h + i - top, i), z_(h, i) = (row h of x) * (row i of the kernel).

    What it is for is its transpose to the kernel, the weight gradient. XLA's CPU backend computes the
    transpose of a convolution as one whose features are the batch, 8 numbers at a time; here rows of pixels
    are part of the batch, which makes features enough for a product of matrices at full speed.
    """
    (top, bottom), sides = window.padding
    rows, columns, n_in, n_out = kernel.shape
    high = x.shape[1] + top + bottom - rows + 1
    flat = kernel.transpose(1, 2, 0, 3).reshape(columns, n_in, rows * n_out)
    z = convolution(x.reshape(-1, *x.shape[2:]), flat, Window(1, 1, (sides,)))
    z = z.reshape(*x.shape[:2], -1, rows * n_out)
    return functools.reduce(
        jnp.add, [_shifted(part, i - top, high) for i, part in enumerate(jnp.split(z, rows, axis=-1))]
    )


def _shifted(z: Array, shift: int, high: int) -> Array:
    """Rows ``shift`` .. ``shift + high - 1`` of z, zeros where it has none."""
    return jax.lax.pad(
        z, jnp.zeros((), z.dtype), [(0, 0, 0), (-shift, high + shift - z.shape[1], 0), (0, 0, 0), (0, 0, 0)]
    )


def _forward_shape(x: Any, kernel: Any, *, window: Window, size: tuple[int, ...], precision: Any) -> Any:
    del size, precision
    reach = [window.dilation * (k - 1) for k in kernel.shape[:-2]]
    sides = [sum(pair) for pair in window.padding]
    space = [
        (n + pad - r - 1) // window.stride + 1 for n, pad, r in zip(x.shape[1:-1], sides, reach, strict=True)
    ]
    return x.update(shape=(x.shape[0], *space, kernel.shape[-1]), weak_type=False)


def _to_input_shape(y: Any, kernel: Any, *, window: Window, size: tuple[int, ...], precision: Any) -> Any:
    del window, precision
    return y.update(shape=(y.shape[0], *size, kernel.shape[-2]), weak_type=False)


def _to_kernel_shape(x: Any, y: Any, *, window: Window, size: tuple[int, ...], precision: Any) -> Any:
    del window, precision
    return x.update(shape=(*size, x.shape[-1], y.shape[-1]), weak_type=False)


def _defined(name: str, shape: Any, plain: Any, on_cpu: Any) -> Primitive:
    """A primitive with its shape, what it computes, and how on a CPU."""
    primitive = Primitive(name)
    primitive.def_impl(jax.jit(primitive.bind, static_argnames=STATIC))
    primitive.def_abstract_eval(shape)
    mlir.register_lowering(primitive, mlir.lower_fun(_in_precision(plain), multiple_results=False))
    on_cpu_rule = mlir.lower_fun(_in_precision(on_cpu), multiple_results=False)
    mlir.register_lowering(primitive, on_cpu_rule, platform="cpu")
    return primitive


def _in_precision(function: Any) -> Callable[..., Array]:
    """The function with its parameters by name, compiled for the precision that was asked for."""

    def computed(a: Array, b: Array, *, window: Window, size: tuple[int, ...], precision: Any) -> Array:
        with jax.default_matmul_precision(precision):
            found: Array = function(a, b, window, size)
        return found

    return computed


forward_p = _defined("convolution", _forward_shape, _forward, _forward)
to_input_p = _defined("convolution_to_input", _to_input_shape, _to_input, _to_input_on_cpu)
to_kernel_p = _defined("convolution_to_kernel", _to_kernel_shape, _to_kernel, _to_kernel_on_cpu)


def _space(x: Any) -> tuple[int, ...]:
    return tuple(x.aval.shape[1:-1])


def _field(kernel: Any) -> tuple[int, ...]:
    return tuple(kernel.aval.shape[:-2])


# Transposes to the first and to the second operand; what is None is the operand that is asked for.
ad.defbilinear(
    forward_p,
    lambda ct, x, kernel, window, **_: to_input(ct, kernel, window, _space(x)),
    lambda ct, x, kernel, window, **_: to_kernel(x, ct, window, _field(kernel)),
)
ad.defbilinear(
    to_input_p,
    lambda ct, y, kernel, window, **_: convolution(ct, kernel, window),
    lambda ct, y, kernel, window, **_: to_kernel(ct, y, window, _field(kernel)),
)
ad.defbilinear(
    to_kernel_p,
    lambda ct, x, y, window, **_: to_input(y, ct, window, _space(x)),
    lambda ct, x, y, window, **_: convolution(x, ct, window),
)


def _batched(primitive: Primitive, plain: Any, args: Any, dims: Any, **params: Any) -> tuple[Array, int]:
    """More examples where those alone are many and stay so in the result; otherwise the library's way."""
    (a, b), (at, other) = args, dims
    if other is not None or primitive is to_kernel_p:
        function = functools.partial(_in_precision(plain), **params)
        return jax.vmap(function, in_axes=dims)(a, b), 0
    a = jnp.moveaxis(a, at, 0)
    found = primitive.bind(a.reshape(-1, *a.shape[2:]), b, **params)
    return found.reshape(*a.shape[:2], *found.shape[1:]), 0


for _primitive, _plain in ((forward_p, _forward), (to_input_p, _to_input), (to_kernel_p, _to_kernel)):
    batching.primitive_batchers[_primitive] = functools.partial(_batched, _primitive, _plain)
