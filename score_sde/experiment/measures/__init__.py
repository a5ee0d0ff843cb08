"""What ``--mode=eval`` can measure. A new measure is one file: subclass ``Measure``."""

from score_sde.experiment.measures.accuracy import Accuracy
from score_sde.experiment.measures.base import Measure, Measurement, Subject
from score_sde.experiment.measures.distances import Distances
from score_sde.experiment.measures.frechet import Frechet
from score_sde.experiment.measures.ladder import Ladder
from score_sde.experiment.measures.legibility import Legible
from score_sde.experiment.measures.likelihood import Likelihood
from score_sde.experiment.measures.loss import Loss
from score_sde.experiment.measures.memorization import Memorized

__all__ = [
    "Accuracy",
    "Distances",
    "Frechet",
    "Ladder",
    "Legible",
    "Likelihood",
    "Loss",
    "Measure",
    "Measurement",
    "Memorized",
    "Subject",
]
