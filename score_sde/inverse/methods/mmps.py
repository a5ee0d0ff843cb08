"""Moment matching posterior sampling."""

from __future__ import annotations

from score_sde.errors import InputError
from score_sde.inverse.base import Measurement
from score_sde.inverse.methods.covariance_solvers import ConjugateGradients
from score_sde.inverse.methods.gradient import GradientMethod, Local
from score_sde.inverse.methods.tweedie import covariance_pull
from score_sde.pytree import static
from score_sde.typing import Batch


class MMPS(GradientMethod):
    """J^T A^T (A C A^T + noise)^-1 (y - A D), C = sigma^2 / alpha J, by few conjugate gradient steps.

    Rozet et al. 2024, "Learning diffusion priors from observations by expectation maximization", section
    4.2. What converges is TMPD, with its law and bias; few steps shrink the pull of y, so that draws agree
    with it less than the posterior does, and cost one transpose each.

    Attributes:
        iterations: of conjugate gradients.
    """

    iterations: int = static(5)

    def __post_init__(self) -> None:
        if self.iterations < 1:
            raise InputError("MMPS.iterations", self.iterations, "a count of at least 1")

    def pull(self, measurement: Measurement, local: Local) -> Batch:
        """A^T times the solution after ``iterations`` steps."""
        return covariance_pull(ConjugateGradients(iterations=self.iterations), measurement, local)
