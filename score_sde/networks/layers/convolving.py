"""How a convolution and its derivatives are computed: the one place that says so."""

from __future__ import annotations

import functools
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax.custom_derivatives import SymbolicZero

from score_sde.typing import Array

Sides = tuple[int, int]


class Window(NamedTuple):
    """Stride and dilation of every axis of space, and the zeros before and after each."""

    stride: int
    dilation: int
    padding: tuple[Sides, ...]


def convolve(
    x: Array, kernel: Array, stride: int = 1, dilation: int = 1, padding: int | None = None
) -> Array:
    """Convolution of (B, *space, n_in) with (*field, n_in, n_out).

    Padded with k - 1 - (k - 1) // 2 zeros before and (k - 1) // 2 after where the stride is 1, and as many
    on both sides, k // 2, where it is not, so that strided layers see what PyTorch's do; or with ``padding``
    zeros on both sides of every axis.

    A kernel of one pixel is a product of matrices. Otherwise the value is the library's convolution, and so
    is the derivative with respect to x; that with respect to the kernel is ``along_rows`` on CPU where that
    is the faster. Every mode of differentiation, and of any order, works.
    """
    wide = jnp.promote_types(x.dtype, kernel.dtype)  # as a product of matrices does by itself
    x, kernel, field = x.astype(wide), kernel.astype(wide), kernel.shape[:-2]
    if set(field) == {1} and stride == 1:
        return x @ kernel.reshape(kernel.shape[-2:])
    reach = [dilation * (k - 1) for k in field]
    same = [(k - k // 2, k // 2) if stride == 1 else (k // 2, k // 2) for k in reach]
    window = Window(stride, dilation, tuple(same if padding is None else [(padding, padding)] * len(field)))
    return (_convolved if _rows_pay(x, kernel, window) else library)(x, kernel, window)


def library(x: Array, kernel: Array, window: Window) -> Array:
    """``jax.lax``'s convolution."""
    rank = kernel.ndim - 2
    return jax.lax.conv_general_dilated(
        x,
        kernel,
        (window.stride,) * rank,
        window.padding,
        rhs_dilation=(window.dilation,) * rank,
        dimension_numbers=("NWC", "WIO", "NWC") if rank == 1 else ("NHWC", "HWIO", "NHWC"),
    )


def along_rows(x: Array, kernel: Array, window: Window) -> Array:
    """The same with two axes of space: every row of x by every row of the kernel, then shifted sums.

    y_h = sum_i z_(h + i - top, i), z_(h, i) = (row h of x) * (row i of the kernel).

    What it is for is its transpose to the kernel, the weight gradient. XLA's CPU backend computes the
    transpose of a convolution as one whose features are the batch, 8 numbers at a time; here rows of pixels
    are part of the batch, which makes features enough for a product of matrices at full speed.
    """
    (top, bottom), sides = window.padding
    rows, columns, n_in, n_out = kernel.shape
    high = x.shape[1] + top + bottom - rows + 1
    flat = kernel.transpose(1, 2, 0, 3).reshape(columns, n_in, rows * n_out)
    z = library(x.reshape(-1, *x.shape[2:]), flat, Window(1, 1, (sides,)))
    z = z.reshape(*x.shape[:2], -1, rows * n_out)
    return functools.reduce(
        jnp.add, [_shifted(part, i - top, high) for i, part in enumerate(jnp.split(z, rows, axis=-1))]
    )


def _shifted(z: Array, shift: int, high: int) -> Array:
    """Rows ``shift`` .. ``shift + high - 1`` of z, zeros where it has none."""
    return jax.lax.pad(
        z, jnp.zeros((), z.dtype), [(0, 0, 0), (-shift, high + shift - z.shape[1], 0), (0, 0, 0), (0, 0, 0)]
    )


def _rows_pay(x: Array, kernel: Array, window: Window) -> bool:
    """Whether rows are the faster on CPU: all sizes measured but few channels, and small images of few."""
    plain = kernel.ndim == 4 and window.stride == window.dilation == 1
    return plain and x.shape[-1] > 4 and x.size // x.shape[0] >= 4096


@functools.partial(jax.custom_jvp, nondiff_argnums=(2,))
def _convolved(x: Array, kernel: Array, window: Window) -> Array:
    return library(x, kernel, window)


def _derivative(window: Window, primals: Any, tangents: Any) -> tuple[Array, Array]:
    (x, kernel), (dx, dkernel) = primals, tangents
    y, terms = _convolved(x, kernel, window), []
    if not isinstance(dx, SymbolicZero):
        terms.append(_convolved(dx, kernel, window))
    if not isinstance(dkernel, SymbolicZero):
        terms.append(_linear_in_kernel(x, dkernel, window))
    return y, functools.reduce(jnp.add, terms) if terms else jnp.zeros_like(y)


_convolved.defjvp(_derivative, symbolic_zeros=True)


def _linear_in_kernel(x: Array, kernel: Array, window: Window) -> Array:
    """Chosen when it is compiled, so that a program compiled here for an accelerator is the accelerator's."""
    return jax.lax.platform_dependent(
        x,
        kernel,
        cpu=functools.partial(along_rows, window=window),
        default=functools.partial(library, window=window),
    )
