"""Divergences of vector fields over batches: exact, or estimated with random probes."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, ClassVar

import jax
import jax.numpy as jnp

from score_sde.arrays import sum_per_example
from score_sde.errors import InputError
from score_sde.products import full_einsum
from score_sde.pytree import Pytree, static
from score_sde.typing import Array, Batch, Key, PerExample

Field = Callable[[Batch], Batch]  # acts on each example alone


class Divergence(Pytree, ABC):
    """div f(x) = sum_i d f_i / d x_i of a field that acts on each example alone.

    Probes are drawn once and reused, so that a likelihood follows one deterministic trajectory. Their
    leaves have a leading batch axis.

    Attributes:
        statement: what a number that it entered is told to be, after a comma.
    """

    statement: ClassVar[str] = ", its trace estimated with random probes"

    @abstractmethod
    def draw(self, key: Key, x: Batch) -> Any:
        """Probes for states like ``x``: those of example i depend on ``key`` and i, not on the batch size."""

    @abstractmethod
    def estimate(self, probes: Any, field: Field, x: Batch) -> tuple[Batch, Array]:
        """f(x) and its divergence, (batch, estimates), from one evaluation of the field."""

    @abstractmethod
    def stderr(self, estimates: Array) -> PerExample:
        """Standard error of the mean of (batch, estimates) over the randomness of the probes."""

    def __call__(self, key: Key, field: Field, x: Batch) -> tuple[Batch, Array]:
        """Draw probes and estimate: f(x) and (batch, estimates) divergences."""
        return self.estimate(self.draw(key, x), field, x)


class ExactDivergence(Divergence):
    """The trace of the Jacobian by one directional derivative per dimension; one estimate.

    Attributes:
        chunk: number of dimensions differentiated at once; None: all of them.
    """

    statement: ClassVar[str] = ""

    chunk: int | None = static(None)

    def draw(self, key: Key, x: Batch) -> Any:
        """No probes."""
        del key, x
        return ()

    def estimate(self, probes: Any, field: Field, x: Batch) -> tuple[Batch, Array]:
        """f(x) and sum_i e_i . J e_i."""
        del probes
        value, directional = jax.linearize(field, x)
        basis = jnp.eye(x[0].size, dtype=x.dtype).reshape(x[0].size, *x.shape[1:])

        def diagonal(direction: Array) -> PerExample:
            return sum_per_example(directional(jnp.broadcast_to(direction, x.shape)) * direction)

        entries = jax.lax.map(diagonal, basis, batch_size=min(self.chunk or len(basis), len(basis)))
        return value, jnp.sum(entries, axis=0)[:, None]

    def stderr(self, estimates: Array) -> PerExample:
        """0."""
        return jnp.zeros_like(estimates[:, 0])


class Probe(Pytree, ABC):
    """A law with independent entries of mean 0 and variance 1."""

    @abstractmethod
    def __call__(self, key: Key, shape: tuple[int, ...], dtype: Any) -> Array:
        """Draw probes."""


class Rademacher(Probe):
    """Signs: the law of smallest variance, which is 0 for a diagonal Jacobian."""

    def __call__(self, key: Key, shape: tuple[int, ...], dtype: Any) -> Array:
        """-1 or 1 with probability 1/2 each."""
        return jax.random.rademacher(key, shape, dtype)


class GaussianProbe(Probe):
    """Standard normal entries."""

    def __call__(self, key: Key, shape: tuple[int, ...], dtype: Any) -> Array:
        """N(0, 1)."""
        return jax.random.normal(key, shape, dtype)


class Hutchinson(Divergence):
    """e . J e with E[e e^T] = I: unbiased (Hutchinson 1990; Song et al. 2021, eq. 40).

    Attributes:
        probes: number of independent estimates of each example.
        noise: the probes' law.
    """

    probes: int = static(1)
    noise: Probe = Rademacher()

    def __post_init__(self) -> None:
        if self.probes < 1:
            raise InputError(
                "Hutchinson.probes", self.probes, "at least 1", "use ExactDivergence for no noise"
            )

    def draw(self, key: Key, x: Batch) -> Array:
        """(batch, probes, *event)."""
        return _draw(self.noise, key, self.probes, x)

    def estimate(self, probes: Any, field: Field, x: Batch) -> tuple[Batch, Array]:
        """f(x) and e . J e of each probe, by forward differentiation."""

        def one(probe: Batch) -> tuple[Batch, PerExample]:
            value, slope = jax.jvp(field, (x,), (probe,))
            return value, sum_per_example(slope * probe)

        # The value does not depend on the probe, so vmap evaluates the field once.
        return jax.vmap(one, in_axes=1, out_axes=(None, 1))(probes)

    def stderr(self, estimates: Array) -> PerExample:
        """Sample standard deviation / sqrt(probes); NaN with a single probe, which cannot tell."""
        return _stderr(estimates)


class HutchPlusPlus(Divergence):
    """tr(Q^T J Q) + a Hutchinson estimate of the rest, tr((I - Q Q^T) J (I - Q Q^T)) (Meyer et al. 2021).

    Q is an orthonormal basis of J S for random S: the directions in which J is large are traced exactly,
    and probes see what is left. Unbiased for every J, given S; for the positive semidefinite matrices of
    its theory the error falls as 1 / m in the number m of products, where Hutchinson's falls as
    1 / sqrt(m). J of a probability flow is a multiple of I plus a part of any sign, so that the gain here is
    whatever ``stderr`` says it is. 2 sketch + probes products with J, one evaluation of the field.

    Attributes:
        sketch: columns of S, at most the dimensions of an example (then the trace is exact).
        probes: number of estimates of the rest.
        noise: the law of S and of the probes.
    """

    sketch: int = static(2)
    probes: int = static(2)
    noise: Probe = Rademacher()

    def __post_init__(self) -> None:
        for name in ("sketch", "probes"):
            if getattr(self, name) < 1:
                remedy = "use Hutchinson for no sketch, ExactDivergence for no noise"
                raise InputError(f"HutchPlusPlus.{name}", getattr(self, name), "at least 1", remedy)

    def draw(self, key: Key, x: Batch) -> Array:
        """S and the probes, (batch, sketch + probes, *event)."""
        if self.sketch > x[0].size:
            expected = f"at most the {x[0].size} dimensions of an example"
            raise InputError("HutchPlusPlus.sketch", self.sketch, expected, "use ExactDivergence")
        return _draw(self.noise, key, self.sketch + self.probes, x)

    def estimate(self, probes: Any, field: Field, x: Batch) -> tuple[Batch, Array]:
        """f(x), and for each probe e: tr(Q^T J Q) + r . J r with r = e - Q Q^T e."""
        value, directional = jax.linearize(field, x)

        def products(rows: Array) -> Array:
            """J of each of (batch, k, dimensions)."""
            moved = jax.vmap(directional, in_axes=1, out_axes=1)(rows.reshape(*rows.shape[:2], *x.shape[1:]))
            return moved.reshape(rows.shape)

        rows = probes.reshape(*probes.shape[:2], -1)
        sketched = products(rows[:, : self.sketch])
        basis = jnp.swapaxes(jnp.linalg.qr(jnp.swapaxes(sketched, 1, 2))[0], 1, 2)  # its rows are orthonormal
        caught = jnp.sum(basis * products(basis), axis=(1, 2))
        rest = rows[:, self.sketch :]
        rest = rest - full_einsum("bpk,bkd->bpd", full_einsum("bpd,bkd->bpk", rest, basis), basis)
        return value, caught[:, None] + jnp.sum(rest * products(rest), axis=2)

    def stderr(self, estimates: Array) -> PerExample:
        """Sample standard deviation / sqrt(probes), given S; NaN with a single probe."""
        return _stderr(estimates)


def _draw(noise: Probe, key: Key, count: int, x: Batch) -> Array:
    """(batch, count, *event): those of example i depend on ``key`` and i alone."""
    shape = (count, *x.shape[1:])

    def one(index: Array) -> Array:
        return noise(jax.random.fold_in(key, index), shape, x.dtype)

    return jax.vmap(one)(jnp.arange(x.shape[0]))


def _stderr(estimates: Array) -> PerExample:
    return jnp.std(estimates, axis=1, ddof=1) / jnp.sqrt(estimates.shape[1])
