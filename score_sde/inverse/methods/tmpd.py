"""Tweedie moment projected diffusions."""

from __future__ import annotations

from score_sde.inverse.base import Measurement
from score_sde.inverse.methods.covariance_solvers import Budget, CovarianceSolver
from score_sde.inverse.methods.gradient import GradientMethod, Local
from score_sde.inverse.methods.tweedie import covariance_pull
from score_sde.typing import Batch


class TMPD(GradientMethod):
    """grad log p(y | x_t) = J^T A^T (A C A^T + noise)^-1 (y - A D), C = sigma^2 / alpha J.

    Boys et al. 2024, "Tweedie moment projected diffusions for inverse problems", eq. 10 and 11: p(x_0 | x_t)
    is taken as the normal law of its true mean D and covariance C (Tweedie's formulas). Draws from the
    posterior for Gaussian data; for other data p(x_0 | x_t) is not normal while its modes are apart, and
    weights of modes come out wrong by as much. Its derivative by x_t leaves out that of C.

    Operators that are not linear are replaced by their derivative at D.

    Attributes:
        solver: ``Budget()``, exact for up to 5 values of y and MMPS beyond; ``Exact()`` whatever it takes; or
            ``RowSums()``, the paper's diagonal approximation for images, which costs one product and is
            right only where A C A^T is diagonal.
    """

    solver: CovarianceSolver = Budget()

    def pull(self, measurement: Measurement, local: Local) -> Batch:
        """A^T (A C A^T + noise)^-1 (y - A D)."""
        return covariance_pull(self.solver, measurement, local)
