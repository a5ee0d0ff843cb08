"""Whether an independent classifier can read the samples."""

from __future__ import annotations

import numpy as np

from score_sde.errors import InputError
from score_sde.evaluation.legibility import assess_legibility, train_judge
from score_sde.experiment.measures.base import Measure, Measurement, Subject
from score_sde.pytree import static


class Legible(Measure):
    """The fraction of samples of which a classifier trained on real data is over ``threshold`` sure.

    ``judged_by`` is how many training examples the classifier learns from, None for all: one of its halves
    is a support vector machine, whose time grows with their square.
    """

    n_samples: int = static(500)
    threshold: float = static(0.9)
    judged_by: int | None = static(None)

    def __call__(self, subject: Subject) -> Measurement:
        """``legible``, ``legible_real`` (the test split), the class histogram and its coverage.

        ``legible_as_told`` of a class-conditional model: the fraction that the judge takes for its label.
        """
        train, test = subject.splits["train"], subject.splits["test"]
        if "label" not in train:
            raise InputError(
                "measures: Legible", type(subject.data).__name__, "data with labels", "leave it out"
            )
        drawn = subject.drawn(self.n_samples)
        told = subject.condition.record(drawn.cond).get("labels")
        labels = None if told is None else np.asarray(told)
        judge = train_judge(train["x"][: self.judged_by], train["label"][: self.judged_by])
        ours = assess_legibility(judge, drawn.samples, labels, threshold=self.threshold)
        real = assess_legibility(judge, test["x"], test["label"], threshold=self.threshold)
        values = {
            "legible": ours.confident,
            "legible_stderr": ours.confident_stderr,
            "legible_real": real.confident,
            "judge_accuracy": real.accuracy,
            "class_histogram": ours.class_histogram,
            "class_coverage": ours.coverage,
        }
        note = f"judge over {self.threshold:.0%} sure; real test data {real.confident:.3f}"
        rows = [
            ("legible samples", ours.confident, ours.confident_stderr, note),
            ("class coverage", ours.coverage, None, "entropy of the classes over its maximum; 1 is even"),
        ]
        if ours.accuracy is not None:
            values["legible_as_told"] = ours.accuracy
            note = f"the judge's class is the one asked for; real test data {real.accuracy:.3f}"
            rows.append(("samples of their class", ours.accuracy, None, note))
        return Measurement(values, rows)
