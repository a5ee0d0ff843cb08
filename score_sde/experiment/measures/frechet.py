"""Frechet distance of the samples to statistics that ``--mode=inspect`` wrote, or that were published."""

from __future__ import annotations

from score_sde.evaluation.features import Features, Pixels
from score_sde.evaluation.moments import frechet, load_moments, moments_of
from score_sde.experiment.measures.base import Measure, Measurement, Subject
from score_sde.pytree import static


class Frechet(Measure):
    """|m_1 - m_2|^2 + tr(C_1 + C_2 - 2 (C_1 C_2)^(1/2)) of features: FID where they are Inception's.

    Attributes:
        statistics: the ``.npz`` file with ``mu`` and ``sigma`` of the data.
        features: as in the experiment that was inspected.
        n_samples: published distances take 50,000; fewer give larger values.
    """

    statistics: str = static()
    features: Features = Pixels()
    n_samples: int = static(500)

    def __call__(self, subject: Subject) -> Measurement:
        """``frechet`` and of which features."""
        reference = load_moments(self.statistics, features=self.features.name)
        found = frechet(moments_of(self.features(subject.samples(self.n_samples))), reference)
        values = {"frechet": found, "frechet_features": self.features.name, "frechet_samples": self.n_samples}
        return Measurement(values, [("Frechet distance", found, None, f"{self.features.name} features")])
