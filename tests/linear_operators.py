"""Small examples of every linear operator of the package, and their matrices column by column."""

import math
from collections.abc import Callable

import jax
import numpy as np
from walk import concrete_subclasses

from score_sde.inverse import LinearOperator, operators

IMAGE = (6, 8, 3)
SIGNAL = (9, 2)


def numbers(*shape: int) -> np.ndarray:
    return np.random.default_rng(math.prod(shape) + len(shape)).normal(size=shape)


def chance(share: float, *shape: int) -> np.ndarray:
    return np.random.default_rng(math.prod(shape)).random(shape) < share


def deficient() -> np.ndarray:
    """Rank 3 of shape (7, 5): neither all rows nor all columns are independent."""
    return numbers(7, 3) @ numbers(3, 5)


def blurred_and_pooled():
    blur = operators.GaussianBlur(shape=IMAGE, std=0.7)
    return operators.Composed(outer=operators.AveragePooling(shape=IMAGE, factor=2), inner=blur)


def two_instruments():
    mask = operators.Mask(mask=chance(0.3, *IMAGE))
    return operators.Stacked(operators=[mask, operators.AveragePooling(shape=IMAGE, factor=2)])


CASES: dict[str, list[Callable[[], LinearOperator]]] = {
    "BicubicDownsampling": [
        lambda: operators.BicubicDownsampling(shape=(8, 12, 2), factor=2),
    ],
    "AveragePooling": [
        lambda: operators.AveragePooling(shape=IMAGE, factor=2),
        lambda: operators.AveragePooling(shape=SIGNAL, factor=3),
    ],
    "Colorization": [
        lambda: operators.Colorization(shape=(4, 5, 3)),
        lambda: operators.Colorization(shape=(7, 4)),
    ],
    "Convolution": [
        lambda: operators.Convolution(shape=(5, 8, 2), kernel=numbers(3, 4)),
        lambda: operators.Convolution(shape=SIGNAL, kernel=np.full(3, 1 / 3)),  # which loses a frequency
    ],
    "Dense": [
        lambda: operators.Dense(matrix=numbers(4, 9), shape=(3, 3, 1), measured=(2, 2)),
        lambda: operators.Dense(matrix=deficient()),
        lambda: operators.Dense(matrix=numbers(2, 11)),  # few rows: V by reflections
    ],
    "FourierSampling": [
        lambda: operators.FourierSampling(shape=(5, 8, 2), mask=chance(0.4, 5, 8)),
        lambda: operators.FourierSampling(shape=SIGNAL, mask=chance(0.6, 9)),
    ],
    "GaussianBlur": [
        lambda: operators.GaussianBlur(shape=IMAGE, std=0.6),
    ],
    "HadamardSensing": [
        lambda: operators.HadamardSensing(shape=IMAGE, n=20),
        lambda: operators.HadamardSensing(shape=(7,), n=7, seed=3),
    ],
    "Identity": [lambda: operators.Identity(shape=(5,))],
    "LinearComposed": [blurred_and_pooled],
    "LinearStacked": [two_instruments],
    "Mask": [
        lambda: operators.Mask(shape=IMAGE, mask=chance(0.5, 6, 8, 1)),
        lambda: operators.Mask(mask=chance(0.5, 11)),
    ],
    "MotionBlur": [lambda: operators.MotionBlur(shape=IMAGE, length=3.3, angle=30.0)],
    "RadonTransform": [
        lambda: operators.RadonTransform(shape=(6, 5, 2), angles=[10.0, 100.0]),
    ],
    "SeparableBlur": [
        lambda: operators.SeparableBlur(shape=IMAGE, rows=numbers(4, 6), columns=numbers(9, 8)),
    ],
}


def linear_cases() -> list[tuple[str, Callable[[], LinearOperator]]]:
    """Each class of the package with its examples above, or made with a shape alone."""
    found = []
    for cls in concrete_subclasses(LinearOperator, "score_sde.inverse"):
        builders = CASES.get(cls.__name__, [lambda cls=cls: cls(shape=IMAGE)])
        found += [(f"{cls.__name__}-{i}", builder) for i, builder in enumerate(builders)]
    return found


@jax.jit
def apply(operator, x):
    return operator(x)


@jax.jit
def adjoint(operator, y):
    return operator.adjoint(y)


@jax.jit
def weighted_adjoint(operator, y, signal, noise):
    return operator.weighted_adjoint(y, signal, noise)


@jax.jit
def iterated_adjoint(operator, y, signal, noise):
    """By conjugate gradients, whatever else the operator knows."""
    return LinearOperator.weighted_adjoint(operator, y, signal, noise)


@jax.jit
def spectrum(operator, x):
    return operator.to_spectrum(x)


@jax.jit
def image_of(operator, z):
    return operator.from_spectrum(z)


@jax.jit
def measured_spectrum(operator, y):
    return operator.measured_spectrum(y)


def units(shape: tuple[int, ...]) -> np.ndarray:
    """Every unit vector, in the shape of an example."""
    size = math.prod(shape)
    return np.eye(size).reshape(size, *shape)


def matrix_of(operator: LinearOperator) -> np.ndarray:
    """(values measured, values): A applied to every unit vector."""
    return rows(apply(operator, units(operator.shape))).T


def rows(x) -> np.ndarray:
    """Examples as rows."""
    return np.asarray(x, np.float64).reshape(x.shape[0], -1)
