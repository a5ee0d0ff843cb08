"""Distances of the samples to test data, each beside its floor."""

from __future__ import annotations

from score_sde.evaluation.distances import sample_distances
from score_sde.experiment.measures.base import Measure, Measurement, Subject
from score_sde.pytree import static


class Distances(Measure):
    """Sliced Wasserstein, MMD, Frechet, precision and recall of samples; the floor is train against test."""

    n_samples: int = static(500)

    def __call__(self, subject: Subject) -> Measurement:
        """``distances``: name -> value, floor and the floor's standard deviation."""
        splits = subject.splits
        found = sample_distances(subject.samples(self.n_samples), splits["train"]["x"], splits["test"]["x"])
        rows = [
            (name.replace("_", " "), entry.value, None, f"floor {entry.floor:.3f} +- {entry.floor_std:.3f}")
            for name, entry in found.items()
        ]
        return Measurement({"distances": {name: entry._asdict() for name, entry in found.items()}}, rows)
