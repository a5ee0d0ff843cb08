"""What every operator asks of its settings."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from score_sde.errors import InputError
from score_sde.inverse.base import Operator
from score_sde.typing import Batch


def require_shape(where: str, shape: Any, least_axes: int = 1) -> None:
    """Raise unless ``shape`` is that of one example, with at least so many axes, channels among them."""
    whole = isinstance(shape, tuple) and all(isinstance(n, int) and n > 0 for n in shape)
    if not whole or len(shape) < least_axes:
        expected = {1: "(d,), (L, C) or (H, W, C)", 2: "(L, C) or (H, W, C)", 3: "(H, W, C)"}[least_axes]
        raise InputError(f"{where}.shape", shape, f"a tuple of whole numbers, {expected}")


def require_example(operator: Operator, x: Batch) -> None:
    """Raise unless x is a batch of what the operator was made for: reshaping would hide the mistake."""
    if x.shape[1:] != operator.shape:
        where, expected = f"x of {type(operator).__name__}", f"(batch, *{operator.shape})"
        raise InputError(where, x.shape, expected, "make the operator for the data's shape")


def require_factor(where: str, shape: tuple[int, ...], factor: Any) -> None:
    """Raise unless ``factor`` is a whole number that divides every axis but that of the channels."""
    if not isinstance(factor, int) or isinstance(factor, bool) or factor < 1:
        raise InputError(f"{where}.factor", factor, "a whole number, 1 or more")
    if any(n % factor for n in shape[:-1]):
        common = math.gcd(*shape[:-1])
        divisors = [n for n in range(1, common + 1) if common % n == 0]
        expected = f"a number that divides the sides of the shape {shape}"
        raise InputError(f"{where}.factor", factor, expected, f"one of {divisors}, or crop the data")


def require_number(where: str, value: Any, least: float, strictly: bool = False) -> None:
    """Raise unless ``value`` is one finite number, not below ``least``, or above it."""
    number = np.asarray(value)
    good = number.shape == () and number.dtype.kind in "fiu" and np.isfinite(number)
    if not good or number < least or (strictly and number == least):
        raise InputError(where, value, f"a number {'above' if strictly else 'not below'} {least:g}")


def require_range(where: str, low: Any, high: Any) -> None:
    """Raise unless low < high."""
    if not low < high:
        raise InputError(f"{where}.high", high, f"more than low = {low!r}")


def boolean(where: str, mask: Any, shape: tuple[int, ...], kept: str) -> np.ndarray:
    """A mask as booleans of ``shape``; raise where it is anything else, or keeps nothing."""
    array = np.asarray(mask)
    if array.dtype != np.bool_:
        remedy = "compare what you have, as in mask > 0.5"
        raise InputError(f"{where}.mask", f"an array of {array.dtype}", "booleans", remedy)
    fits = array.ndim == len(shape) and all(n in (1, m) for n, m in zip(array.shape, shape, strict=True))
    if not fits:
        remedy = "axes may be 1 where all are alike"
        raise InputError(f"{where}.mask", f"an array of shape {array.shape}", f"the shape {shape}", remedy)
    if not array.any():
        raise InputError(f"{where}.mask", "False everywhere", f"at least one {kept}", "True is what is seen")
    return np.broadcast_to(array, shape)
