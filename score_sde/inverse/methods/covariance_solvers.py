"""(A C A^T + noise)^-1 times a residual, where A C A^T is known by its products."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable

import jax
import jax.numpy as jnp

from score_sde.arrays import flatten
from score_sde.errors import InputError
from score_sde.inverse.conjugate_gradients import conjugate_gradients
from score_sde.products import full_einsum
from score_sde.pytree import Pytree, static
from score_sde.typing import Array, Batch

Product = Callable[[Batch], Batch]  # A C A^T v, of the shape of y


class CovarianceSolver(Pytree, ABC):
    """A way to solve with the covariance of y given x_t."""

    @abstractmethod
    def __call__(self, product: Product, noise: Array, residual: Batch) -> Batch:
        """(A C A^T + noise)^-1 residual; the pseudo-inverse where this has none."""


class ConjugateGradients(CovarianceSolver):
    """Few products in sequence: as exact as there are iterations, or as y has values.

    Attributes:
        iterations: at most; a solve that has converged rests.
    """

    iterations: int = static(5)

    def __post_init__(self) -> None:
        if self.iterations < 1:
            raise InputError("ConjugateGradients.iterations", self.iterations, "a count of at least 1")

    def __call__(self, product: Product, noise: Array, residual: Batch) -> Batch:
        """By conjugate gradients, each example at its own pace."""
        return conjugate_gradients(lambda v: product(v) + noise * v, residual, self.iterations)


class Direct(CovarianceSolver):
    """The matrix itself, by as many products at once as y has values, and its eigenvalues.

    Negative eigenvalues, which a network's Jacobian may give, are raised to those of the noise.
    """

    def __call__(self, product: Product, noise: Array, residual: Batch) -> Batch:
        """By eigenvalues."""
        shape, size = residual.shape, math.prod(residual.shape[1:])
        units = jnp.eye(size, dtype=residual.dtype).reshape(size, *shape[1:])
        rows = jax.vmap(lambda unit: flatten(product(jnp.broadcast_to(unit, shape))), out_axes=1)(units)
        noises = flatten(jnp.broadcast_to(noise, shape))
        matrix = 0.5 * (rows + jnp.swapaxes(rows, 1, 2)) + jax.vmap(jnp.diag)(noises)
        values, axes = jnp.linalg.eigh(matrix)
        least = jnp.min(noises, axis=1, keepdims=True)
        values = jnp.maximum(values, least)
        rounding = size * jnp.finfo(values.dtype).eps * values[:, -1:]
        solvable = values > jnp.where(least > 0, 0, rounding)
        inverse = jnp.where(solvable, 1 / jnp.where(solvable, values, 1), 0)
        spectrum = full_einsum("bij,bi->bj", axes, flatten(residual))
        return full_einsum("bij,bj->bi", axes, inverse * spectrum).reshape(shape)


class RowSums(CovarianceSolver):
    """A diagonal matrix of the sums of each row: one product (Boys et al. 2024, for images).

    Equal to the covariance only where that is diagonal; sums below zero count as zero.
    """

    def __call__(self, product: Product, noise: Array, residual: Batch) -> Batch:
        """Value by value."""
        total = jnp.maximum(product(jnp.ones_like(residual)), 0) + noise
        return jnp.where(total > 0, residual / jnp.where(total > 0, total, 1), 0)


class Exact(CovarianceSolver):
    """``Direct`` for measurements of few values, conjugate gradients until they converge for others.

    Attributes:
        largest: values of y up to which the matrix is formed.
        iterations: at most, where it is not.
    """

    largest: int = static(16)
    iterations: int = static(200)

    def __call__(self, product: Product, noise: Array, residual: Batch) -> Batch:
        """By the cheaper of the two."""
        few = math.prod(residual.shape[1:]) <= self.largest
        solver = Direct() if few else ConjugateGradients(iterations=self.iterations)
        return solver(product, noise, residual)


class Budget(CovarianceSolver):
    """Exact where y has few values; else as far as so many conjugate gradient steps lead.

    Attributes:
        products: at most, each of them a transpose of the network.
    """

    products: int = static(5)

    def __post_init__(self) -> None:
        if self.products < 1:
            raise InputError("Budget.products", self.products, "a count of at least 1")

    def __call__(self, product: Product, noise: Array, residual: Batch) -> Batch:
        """By the better of the two that it can pay for."""
        few = math.prod(residual.shape[1:]) <= self.products
        solver = Direct() if few else ConjugateGradients(iterations=self.products)
        return solver(product, noise, residual)
