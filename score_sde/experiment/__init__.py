"""The parts put together: what the command line does, and what a script or notebook may call."""

from score_sde.experiment.base import Experiment, Restored, restore
from score_sde.experiment.evaluating import evaluate
from score_sde.experiment.importing import import_weights, pretrained
from score_sde.experiment.inspecting import inspect
from score_sde.experiment.likelihood_plan import LikelihoodPlan
from score_sde.experiment.likelihoods import likelihood
from score_sde.experiment.planning import plan
from score_sde.experiment.sampling import sample
from score_sde.experiment.training import train

__all__ = [
    "Experiment",
    "LikelihoodPlan",
    "Restored",
    "evaluate",
    "import_weights",
    "inspect",
    "likelihood",
    "plan",
    "pretrained",
    "restore",
    "sample",
    "train",
]
