"""Whether the samples are copies of the training data."""

from __future__ import annotations

from score_sde.evaluation.memorization import check_memorization
from score_sde.experiment.measures.base import Measure, Measurement, Subject
from score_sde.experiment.pictures import picture_neighbors
from score_sde.pytree import static


class Memorized(Measure):
    """Distance to the nearest training example, of samples against that of held-out data."""

    n_samples: int = static(500)

    def __call__(self, subject: Subject) -> Measurement:
        """``memorization``: medians, quantiles, the chance that a sample is the nearer; a picture."""
        train, test = subject.splits["train"]["x"], subject.splits["test"]["x"]
        samples = subject.samples(self.n_samples)
        found = check_memorization(samples, train, test)
        summary = found.summary()
        picture_neighbors(
            subject.folder / "nearest_neighbors.png", samples, train[found.neighbors], subject.data
        )
        medians = f"samples {summary['median_sample']:.1f}, test {summary['median_test']:.1f}"
        note = f"medians: {medians}; 1 is as far as fresh data"
        rows = [
            ("nearest-train distance ratio", summary["ratio"], None, note),
            ("nearer than 1 % of test", summary["suspicious"], None, "0.01 for fresh data"),
        ]
        return Measurement({"memorization": summary}, rows)
