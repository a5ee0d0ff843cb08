"""Training: a pure step, several of them per dispatch over a sharded batch, in a loop that survives kills."""

from score_sde.training.augmentations import Augmentation, KarrasAugmentation, NoAugmentation, RandomFlip
from score_sde.training.checkpoint import Checkpoints, CheckpointWriter
from score_sde.training.conditions import ClassLabels, Condition, GuidedLabels, LowResolution, Unconditional
from score_sde.training.ema import EMA, ConstantEMA, HalfLifeEMA, NoEMA, WarmupEMA
from score_sde.training.loop import Trained, fit
from score_sde.training.optimizer import adam, sgd
from score_sde.training.plan import Plan
from score_sde.training.recorder import DivergenceError
from score_sde.training.schedules import Constant, Cosine, InverseSqrt, Linear, Schedule
from score_sde.training.sharding import initialize_distributed, make_mesh
from score_sde.training.state import TrainState, init_state
from score_sde.training.step import make_multi_step, make_step

__all__ = [
    "EMA",
    "Augmentation",
    "CheckpointWriter",
    "Checkpoints",
    "ClassLabels",
    "Condition",
    "Constant",
    "ConstantEMA",
    "Cosine",
    "DivergenceError",
    "GuidedLabels",
    "HalfLifeEMA",
    "InverseSqrt",
    "KarrasAugmentation",
    "Linear",
    "LowResolution",
    "NoAugmentation",
    "NoEMA",
    "Plan",
    "RandomFlip",
    "Schedule",
    "TrainState",
    "Trained",
    "Unconditional",
    "WarmupEMA",
    "adam",
    "fit",
    "init_state",
    "initialize_distributed",
    "make_mesh",
    "make_multi_step",
    "make_step",
    "sgd",
]
