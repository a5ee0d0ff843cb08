"""The parts put together: what the command line does, and what a script or notebook may call."""

from score_sde.experiment.base import Experiment, Restored, restore
from score_sde.experiment.evaluating import evaluate
from score_sde.experiment.importing import import_weights, pretrained
from score_sde.experiment.inspecting import inspect
from score_sde.experiment.planning import plan
from score_sde.experiment.sampling import sample
from score_sde.experiment.training import train

__all__ = [
    "Experiment",
    "Restored",
    "evaluate",
    "import_weights",
    "inspect",
    "plan",
    "pretrained",
    "restore",
    "sample",
    "train",
]
