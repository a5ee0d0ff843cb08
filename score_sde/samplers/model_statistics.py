"""What DPM-Solver-v3 knows of a model beforehand."""

from __future__ import annotations

from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import jax.numpy as jnp
import numpy as np
from scipy.interpolate import CubicSpline

from score_sde.errors import InputError
from score_sde.pytree import Pytree, derived
from score_sde.typing import Array

COEFFICIENTS = 5  # of a quartic, which the integral of a cubic is


class Values(NamedTuple):
    """At one lambda or some.

    Attributes:
        linear: l.
        linear_integral: L, of l.
        rate_integral: S, of s.
        offset: b.
    """

    linear: Array
    linear_integral: Array
    rate_integral: Array
    offset: Array


class ModelStatistics(Pytree):
    """l, s and b (Zheng et al. 2023, section 3.1) as cubic splines in lambda = log(alpha / sigma).

    With f = (sigma E[z | x_t] - l x) / alpha, l is such that f hardly changes with x, and s f + b is the best
    linear guess of df / dlambda along the flow. ``estimate_statistics`` estimates them. The defaults, l = 1
    and s = b = 0, know nothing: f = -D. Beyond the places all three are as at the last one.

    Attributes:
        places: lambdas, rising, (knots,).
        linear: l at the places, (knots, *kept), where kept broadcasts to an example.
        rate: s, likewise.
        offset: b, likewise.
    """

    places: Any = (-12.0, 12.0)
    linear: Any = (1.0, 1.0)
    rate: Any = (0.0, 0.0)
    offset: Any = (0.0, 0.0)
    pieces: Array = derived()  # of l, L, s, S and b: (5, coefficients, knots - 1, *kept)

    def __post_init__(self) -> None:
        places = np.asarray(self.places, np.float64)
        if places.ndim != 1 or places.size < 2 or not np.all(np.diff(places) > 0):
            raise InputError("ModelStatistics.places", places.tolist(), "two or more rising numbers")
        found, splines = {"places": places}, {}
        for name in ("linear", "rate", "offset"):
            values = found[name] = np.asarray(getattr(self, name), np.float64)
            if values.shape[:1] != places.shape or not np.all(np.isfinite(values)):
                expected = f"finite values at {places.size} places"
                raise InputError(f"ModelStatistics.{name}", values.shape, expected)
            splines[name] = CubicSpline(places, values)
        linear, rate, offset = splines.values()
        each = (linear, linear.antiderivative(), rate, rate.antiderivative(), offset)
        found["pieces"] = np.stack([_padded(spline.c) for spline in each])
        for name, value in found.items():
            object.__setattr__(self, name, value)  # of NumPy: a default must not start JAX when imported

    @classmethod
    def load(cls, path: str) -> ModelStatistics:
        """What ``save`` wrote."""
        file = Path(path)
        if not file.is_file():
            remedy = "python -m experiments.solver_statistics writes one"
            raise InputError("ModelStatistics.path", path, "a file that exists", remedy)
        with np.load(file) as arrays:
            names = ("places", "linear", "rate", "offset")
            if missing := [name for name in names if name not in arrays]:
                raise InputError("ModelStatistics.path", path, f"the array {missing[0]} in it")
            return cls(**{name: arrays[name] for name in names})

    def save(self, path: str | Path | BinaryIO) -> None:
        """As npz, to a path or an open file."""
        np.savez(path, places=self.places, linear=self.linear, rate=self.rate, offset=self.offset)

    def at(self, place: Array) -> Values:
        """At a lambda (), or some (n,): each (*kept), or (n, *kept)."""
        places, pieces = (jnp.asarray(each, place.dtype) for each in (self.places, self.pieces))
        inside = jnp.clip(place, places[0], places[-1])
        piece = jnp.clip(jnp.searchsorted(places, inside, side="right") - 1, 0, len(places) - 2)
        kept = (1,) * (pieces.ndim - 3)
        beyond, into = (each.reshape(each.shape + kept) for each in (place - inside, inside - places[piece]))
        chosen = pieces[:, :, piece]
        total = chosen[:, 0]
        for power in range(1, COEFFICIENTS):
            total = total * into + chosen[:, power]
        linear, linear_integral, rate, rate_integral, offset = total
        return Values(linear, linear_integral + beyond * linear, rate_integral + beyond * rate, offset)


def _padded(coefficients: np.ndarray) -> np.ndarray:
    """Polynomials of lower degree as quartics: the highest power comes first."""
    more = COEFFICIENTS - len(coefficients)
    return np.concatenate([np.zeros((more, *coefficients.shape[1:])), coefficients])
