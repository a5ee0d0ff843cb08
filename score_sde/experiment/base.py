"""The parts of an experiment, as a configuration names them, and the model that they make."""

from __future__ import annotations

import dataclasses
import pathlib
from collections.abc import Callable
from typing import Any, ClassVar

import jax
import optax

from score_sde.data.base import Dataset
from score_sde.denoisers.base import ScoreModel
from score_sde.denoisers.preconditioned import Preconditioned
from score_sde.errors import InputError
from score_sde.evaluation.features import Features, Pixels
from score_sde.experiment.likelihood_plan import LikelihoodPlan
from score_sde.experiment.measures.base import Measure
from score_sde.networks.base import Params, initialise, partition
from score_sde.objectives.base import Objective
from score_sde.samplers.base import Sampling
from score_sde.sdes.base import SDE
from score_sde.training.augmentations.base import Augmentation, NoAugmentation
from score_sde.training.checkpoint import Checkpoints
from score_sde.training.conditions import Condition, Unconditional
from score_sde.training.ema import EMA
from score_sde.training.plan import Plan
from score_sde.training.state import TrainState, init_state
from score_sde.training.step import Step, make_step

UNCONDITIONAL = Unconditional()
PIXELS = Pixels()
NO_AUGMENTATION = NoAugmentation()
LIKELIHOOD = LikelihoodPlan()


@dataclasses.dataclass(frozen=True, kw_only=True)
class Experiment:
    """Everything that a run needs: ``get_config()`` returns ``call(Experiment, ...)``.

    Attributes:
        data: the data set, which also says the shape of an example and its units.
        sde: the forward process.
        network: makes the network from ``shape`` (of an example) and ``rngs``: ``bind(UNet, channels=32)``.
        model: makes the score model from ``network`` and ``sde``: ``bind(Preconditioned, precondition=...)``.
        objective: the training loss.
        optimizer: an optax transformation: ``call(adam, learning_rate=...)``.
        ema: average of the parameters, which is what is sampled and evaluated.
        training: lengths and intervals of the run, and the batch size.
        sampler: draws samples from the model; None for a model that draws none, as a classifier.
        measures: what ``--mode=eval`` measures.
        likelihood: what ``--mode=likelihood`` computes.
        condition: what of a batch the network is told: nothing, or its class labels.
        augmentation: random changes of training examples.
        features: what ``--mode=inspect`` and Frechet distances describe an example by.
        n_samples: how many samples ``--mode=sample`` draws.
        sampling_batch: how many are drawn at once.
        seed: of initialisation, training, evaluation and sampling.
    """

    may_change: ClassVar[tuple[str, ...]] = (
        "training",
        "sampler",
        "measures",
        "likelihood",
        "n_samples",
        "sampling_batch",
        "condition.sampled",
        "features",
        "network.layers",  # those that hold parameters otherwise do not find theirs in a checkpoint
        "network.remat",
    )

    data: Dataset
    sde: SDE
    network: Callable[..., Any]
    objective: Objective
    optimizer: optax.GradientTransformation
    training: Plan
    sampler: Sampling | None
    ema: EMA
    model: Callable[..., ScoreModel] = Preconditioned
    measures: tuple[Measure, ...] = ()
    likelihood: LikelihoodPlan = LIKELIHOOD
    condition: Condition = UNCONDITIONAL
    augmentation: Augmentation = NO_AUGMENTATION
    features: Features = PIXELS
    n_samples: int = 64
    sampling_batch: int = 64
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("n_samples", "sampling_batch"):
            if getattr(self, name) < 1:
                raise InputError(name, getattr(self, name), "a positive count", "raise it")
        if self.seed < 0:
            raise InputError("seed", self.seed, "an integer of at least 0", "raise it")

    def require_sampler(self) -> Sampling:
        """The sampler; InputError where the model has none."""
        if self.sampler is None:
            raise InputError(
                "sampler", None, "a model that draws samples", "only train and eval are for this"
            )
        return self.sampler

    def make_model(self) -> ScoreModel:
        """A fresh model, with the network's parameters drawn from the seed."""
        network = initialise(self.network, seed=self.seed, shape=self.data.shape)
        return self.model(network=network, sde=self.sde)

    def make_state(self) -> tuple[TrainState, Callable[[Params], ScoreModel]]:
        """The state before the first update, and the function from parameters to models."""
        params, rebuild = partition(self.make_model())
        return init_state(params, self.optimizer, self.ema), rebuild

    def make_step(self, rebuild: Callable[[Params], ScoreModel]) -> Step:
        """One update as ``train`` makes it, (key, state, batch) -> (state, metrics)."""
        return make_step(
            objective=self.objective,
            optimizer=self.optimizer,
            rebuild=rebuild,
            units=self.data.units,
            ema=self.ema,
            condition=self.condition,
            n_classes=self.data.n_classes,
            augmentation=self.augmentation,
        )

    def identity(self, state: TrainState) -> dict[str, Any]:
        """What checkpoints of this experiment have in common, however it was written down."""
        return {
            "sde": type(self.sde).__name__,
            "shape": list(self.data.shape),
            "parameters": count_parameters(state),
        }


def count_parameters(state: TrainState) -> int:
    """Trainable numbers in a state."""
    return sum(leaf.size for leaf in jax.tree.leaves(state.params))


@dataclasses.dataclass(frozen=True)
class Restored:
    """A model from a checkpoint: averaged parameters, and what was recorded beside them."""

    model: ScoreModel
    step: int
    train_seconds: float
    parameters: int


def restore(experiment: Experiment, workdir: pathlib.Path) -> Restored:
    """The model of the latest checkpoint in a work directory.

    Raises:
        InputError: there is none, or it cannot be read or belongs to another network.
    """
    fresh, rebuild = experiment.make_state()
    checkpoints = Checkpoints(workdir / "checkpoints", experiment.identity(fresh))
    state, record = checkpoints.restore(fresh)
    model = rebuild(experiment.ema.parameters(state.ema, state.params))
    return Restored(model, int(state.step), float(record["train_seconds"]), count_parameters(state))
