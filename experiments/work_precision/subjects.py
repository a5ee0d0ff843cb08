"""What is sampled, and what its samples are held against."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from scipy.spatial.distance import pdist

from experiments.posterior_league.distances import SlicedDistance, directions
from score_sde.config import build, load_config
from score_sde.denoisers import IsotropicMixture
from score_sde.errors import InputError
from score_sde.evaluation.distances import mmd_squared
from score_sde.evaluation.features import ClassifierFeatures
from score_sde.evaluation.moments import Moments, frechet, moments_of
from score_sde.experiment import Experiment, restore, train
from score_sde.experiment.generation import conditions
from score_sde.sdes import VP

ROOT = Path(__file__).parents[2]
MIXTURE = "mixture"
CONFIGS = {"digits": "configs/digits.py", "fashion_mnist": "configs/fashion_mnist.py"}
METRICS = ("sliced Wasserstein", "MMD squared", "Frechet, classifier")
COMPONENTS = DIMENSIONS = 16
PAIRED = 300  # draws and test data at most of which MMD sums over pairs
TESTED = 2000  # test data at most


class Amounts(NamedTuple):
    """How much is judged.

    Attributes:
        seeds: sets of draws.
        draws: of each seed.
        projections: of the sliced Wasserstein distance.
        learnt_from: examples at most that the classifier learns from.
    """

    seeds: int
    draws: int
    projections: int
    learnt_from: int


class Sampled(NamedTuple):
    """A model, the shape of an example, samples in units of the data, and what the model is told."""

    model: Any
    shape: tuple[int, ...]
    decode: Callable[[Any], np.ndarray]
    told: Callable[[int], Any]


class Judge(NamedTuple):
    """Test data and what of them need be computed once.

    Attributes:
        test: (n, *event), in units of the data, n a multiple of the draws.
        floors: (seeds, draws, *event), real data that are not the test data.
        bandwidth: the median distance within the test data.
        features: the classifier's.
        moments: of the features of the test data.
        accuracy: of the classifier on the test data.
        sliced: Wasserstein distance to the test data.
    """

    test: np.ndarray
    floors: np.ndarray
    bandwidth: float
    features: ClassifierFeatures
    moments: Moments
    accuracy: float
    sliced: SlicedDistance

    def distances(self, x: np.ndarray) -> dict[str, float]:
        """Of draws (n, *event) from the test data, by METRICS; the same projections for all."""
        found = (
            self.sliced(x.reshape(len(x), -1)).two,
            mmd_squared(x[:PAIRED], self.test[:PAIRED], bandwidth=self.bandwidth),
            frechet(moments_of(self.features(x)), self.moments),
        )
        return dict(zip(METRICS, found, strict=True))


def judge(
    train_set: dict[str, np.ndarray], test: dict[str, np.ndarray], others: np.ndarray, amounts: Amounts
) -> Judge:
    """From ``x`` and ``label`` of training and test data, and as many other real data as there are draws."""
    kept, n = len(test["x"]) // amounts.draws * amounts.draws, amounts.learnt_from
    if not kept:
        raise InputError("test examples", len(test["x"]), f"{amounts.draws} at least", "draw fewer")
    x, labels = test["x"][:kept], test["label"][:kept]
    rows = x.reshape(kept, -1)
    units = directions(rows.shape[1], amounts.projections, seed=1)  # 0 would be the mixture's means
    features = ClassifierFeatures.trained(train_set["x"][:n], train_set["label"][:n])
    return Judge(
        test=x,
        floors=others.reshape(amounts.seeds, amounts.draws, *x.shape[1:]),
        bandwidth=float(np.median(pdist(rows[:PAIRED]))),
        features=features,
        moments=moments_of(features(x)),
        accuracy=float(np.mean(features.classify(x) == labels)),
        sliced=SlicedDistance(rows, units),
    )


def mixture() -> IsotropicMixture:
    """16 round normal laws in 16 dimensions: weights 1/k, standard deviations 0.1 to 0.4, means N(0, I)."""
    rng = np.random.default_rng(0)
    weights = 1 / np.arange(1, COMPONENTS + 1)
    means = rng.standard_normal((COMPONENTS, DIMENSIONS))
    return IsotropicMixture(
        sde=VP(), weights=weights, means=means, stds=rng.permutation(np.geomspace(0.1, 0.4, COMPONENTS))
    )


def judge_mixture(amounts: Amounts) -> Judge:
    """All from exact draws; the label is the likeliest component."""
    law = mixture()
    keys = jax.random.split(jax.random.key(2**20), 3)
    counts, sets = (amounts.learnt_from, TESTED, amounts.seeds * amounts.draws), []
    for key, count in zip(keys, counts, strict=True):
        x = law.sample(key, count)
        label = jnp.argmax(law.posterior(x, jnp.zeros(())), axis=1)
        sets.append({"x": np.asarray(x), "label": np.asarray(label)})
    train_set, test, others = sets
    return judge(train_set, test, others["x"], amounts)


def judge_data(experiment: Experiment, amounts: Amounts) -> Judge:
    """The test split, at most TESTED of it; the floor is of random training examples."""
    train_set = experiment.data.split("train").arrays()
    if "label" not in train_set:
        raise InputError("data", type(experiment.data).__name__, "data with labels", "take labelled data")
    rng = np.random.default_rng(0)
    order = rng.permutation(len(train_set["x"]))
    shuffled = {name: values[order] for name, values in train_set.items()}
    picks = [rng.choice(train_set["x"], amounts.draws, replace=False) for _ in range(amounts.seeds)]
    test = experiment.data.split("test").first(TESTED).arrays()
    return judge(shuffled, test, np.concatenate(picks), amounts)


def experiment_of(subject: str, variant: str) -> Experiment:
    """What the subject's configuration says."""
    file = str(ROOT / CONFIGS[subject])
    experiment: Experiment = build(load_config(f"{file}:{variant}" if variant else file))
    return experiment


def trained(subject: str, variant: str, run: Path) -> Experiment:
    """The experiment, trained in ``run`` unless it is."""
    experiment = experiment_of(subject, variant)
    print(f"{CONFIGS[subject]}: training, or finding trained, in {run}", flush=True)
    train(dataclasses.replace(experiment, sampler=None), run)  # without snapshots
    return experiment


def named(subject: str, variant: str, run: Path) -> Experiment:
    """The experiment of a finished run."""
    print(f"{CONFIGS[subject]}: the model of {run}", flush=True)
    return experiment_of(subject, variant)


@functools.cache
def sampled(subject: str, variant: str, run: Path | None) -> Sampled:
    """The subject's model; read once by each process."""
    if run is None:
        return Sampled(mixture(), (DIMENSIONS,), np.asarray, lambda n: None)
    experiment = experiment_of(subject, variant)
    model = restore(experiment, run).model

    def decode(x: Any) -> np.ndarray:
        return np.asarray(experiment.data.units.decode(x))

    def told(n: int) -> Any:
        return conditions(jax.random.key(0), experiment.condition, experiment.data, np.arange(n))

    return Sampled(model, experiment.data.shape, decode, told)
