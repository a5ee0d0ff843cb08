"""The model's bits per dimension beside those of honest density baselines."""

from __future__ import annotations

from score_sde.errors import InputError
from score_sde.evaluation.baselines import Baseline, ladder, strongest
from score_sde.experiment.measures.base import Measure, Measurement, Subject


class Ladder(Measure):
    """Baselines fitted to train, chosen on validation, measured on test, all dequantised alike.

    ``baselines`` in the results is name -> bits per dimension, ``baselines_stderr`` their errors.
    """

    baselines: tuple[Baseline, ...] = strongest()

    def __call__(self, subject: Subject) -> Measurement:
        """``baselines`` and ``baselines_stderr``; needs integer data."""
        levels = getattr(subject.data.units, "levels", None)
        if levels is None:
            expected = "data with integer levels"
            raise InputError("measures: Ladder", type(subject.data).__name__, expected, "leave Ladder out")
        subject.report("baselines: fitting")
        train, validation, test = (subject.splits[name]["x"] for name in ("train", "validation", "test"))
        rungs = ladder(self.baselines, train, validation, test, levels=levels)
        values = {
            "baselines": {name: rung.mean for name, rung in rungs.items()},
            "baselines_stderr": {name: rung.stderr for name, rung in rungs.items()},
        }
        rows = [(f"bits/dim of {name}", rung.mean, rung.stderr, rung.note) for name, rung in rungs.items()]
        return Measurement(values, rows)
