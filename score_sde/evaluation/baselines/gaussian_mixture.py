"""The best Gaussian mixture that the training data can support."""

from __future__ import annotations

from typing import ClassVar

from score_sde.evaluation.baselines.base import ContinuousBaseline, Dequantized, LogProb
from score_sde.evaluation.baselines.mixtures import affordable, choose_mixture
from score_sde.pytree import static


class GaussianMixture(ContinuousBaseline):
    """sum_k w_k N(m_k, C_k) by scikit-learn; number of components and shrinkage chosen on validation.

    ``shrinkages`` are pairs (to pooled, to diagonal): (1, 0) are tied and (0, 1) diagonal covariances.
    """

    name: ClassVar[str] = "Gaussian mixture"
    components: tuple[int, ...] = static((5, 20, 40, 60))
    shrinkages: tuple[tuple[float, float], ...] = static(
        (
            (0.02, 0.02),
            (0.05, 0.1),
            (0.05, 0.2),
            (0.05, 0.3),
            (0.05, 0.4),
            (0.05, 0.6),
            (1.0, 0.0),
            (0.0, 1.0),
        )
    )

    def fit_density(self, train: Dequantized, validation: Dequantized) -> tuple[LogProb, str]:
        """One fit for each number of components; shrinkage costs only an evaluation."""
        components = affordable(self.components, len(train.centers))
        # A tenth of the noise's own variance: it keeps EM regular and is far below what data have.
        floor = 0.1 * train.noise_variance
        mixture, note = choose_mixture(train.draws, validation.draws, components, self.shrinkages, floor)
        return mixture.log_prob, note
