"""One Gaussian with a full covariance."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from score_sde.evaluation.baselines.base import ContinuousBaseline, Dequantized, LogProb, best
from score_sde.evaluation.baselines.mixtures import Mixture
from score_sde.pytree import static


class Gaussian(ContinuousBaseline):
    """N(m, (1 - a) S + a diag(S)), S the covariance of the dequantised data, ``a`` chosen on validation."""

    name: ClassVar[str] = "Gaussian"
    shrinkages: tuple[float, ...] = static((0.0, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0))

    def fit_density(self, train: Dequantized, validation: Dequantized) -> tuple[LogProb, str]:
        """Closed form for every shrinkage; the noise keeps all covariances regular."""
        mean, full = train.centers.mean(axis=0), train.covariance

        def density(shrinkage: float) -> LogProb:
            shrunk = (1 - shrinkage) * full + shrinkage * np.diag(np.diag(full))
            return Mixture(np.ones(1), mean[None], shrunk[None]).log_prob

        shrinkage = best({a: -density(a)(validation.draws).mean() for a in self.shrinkages})
        return density(shrinkage), f"full covariance, shrinkage {shrinkage:g}"
