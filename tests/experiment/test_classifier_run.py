"""A classifier of noisy inputs as an experiment: it trains, is evaluated, and draws no samples."""

import jax.numpy as jnp
import numpy as np
import pytest
import scipy.stats

from score_sde import denoisers, objectives, sdes
from score_sde.config import bind, build, call
from score_sde.data import ArraySource, Dataset
from score_sde.dequantization import Continuous
from score_sde.errors import InputError
from score_sde.experiment import Experiment, evaluate, sample, train
from score_sde.experiment.measures import Accuracy, Subject
from score_sde.networks import MLP
from score_sde.samplers import Ancestral, Sampler
from score_sde.training import ClassLabels, ConstantEMA, Plan, adam

MEAN, STD = 0.5, 0.25


class TwoClasses(Dataset):
    """x ~ N(+-0.5, 0.25^2) on the line, as two columns of which the second is noise."""

    def __init__(self, *, size: int = 20_000) -> None:
        rng = np.random.default_rng(0)
        label = rng.integers(2, size=size).astype(np.int32)
        x = rng.normal(size=(size, 2)) * STD
        x[:, 0] += MEAN * (2 * label - 1)
        source = ArraySource(x=x.astype(np.float32), label=label)
        super().__init__(
            shape=(2,), units=Continuous(), splits={"train": source, "test": source}, n_classes=2
        )


class Logits(MLP):
    """Two outputs of a network on the plane as logits."""

    def __init__(self, shape=(2,), *, rngs):
        super().__init__(dim=2, width=16, depth=1, rngs=rngs)

    def __call__(self, x, labels, cond=None, *, key=None):
        return super().__call__(x, labels, key=key)


def exact(sde):
    def logits(x, labels, key=None):
        t = labels[:, None] / 999
        variance = sde.alpha(t) ** 2 * STD**2 + sde.variance(t)
        half = sde.alpha(t) * MEAN * x[:, :1] / variance
        return jnp.concatenate([-half, half], axis=-1)

    return denoisers.NoisyClassifier(sde=sde, network=logits)


def test_accuracy_of_the_exact_classifier_is_a_normal_distribution_function():
    """P(alpha x_0 + sigma z has the sign of its mean) = Phi(alpha m / std of x_t); 5 % less would be seen."""
    sde, times = sdes.VP(), (0.0, 0.1, 0.3, 0.5)
    subject = Subject(
        model=exact(sde), data=TwoClasses(), objective=objectives.NoisyClassification(), draw=None,
        folder=None, seed=0, condition=ClassLabels(),
    )  # fmt: skip
    values = Accuracy(times=times, batch_size=20_000)(subject).values
    for t in times:
        alpha, variance = float(sde.alpha(t)), float(sde.variance(t))
        expected = scipy.stats.norm.cdf(alpha * MEAN / np.sqrt(alpha**2 * STD**2 + variance))
        error = values["accuracy_top_1_stderr"][f"{t:g}"]
        assert abs(values["accuracy_top_1"][f"{t:g}"] - expected) < 4 * error + 1e-6
        assert error < 0.05 * expected / 4


def config():
    return call(
        Experiment,
        data=call(TwoClasses, size=600),
        sde=call(sdes.VP),
        network=bind(Logits),
        model=bind(denoisers.NoisyClassifier),
        objective=call(objectives.NoisyClassification),
        optimizer=call(adam, learning_rate=1e-2),
        ema=call(ConstantEMA, decay=0.9),
        training=call(Plan, steps=60, batch_size=64, log_every=20, checkpoint_every=60, snapshot_every=60),
        condition=call(ClassLabels),
        sampler=None,
        measures=(call(Accuracy, times=(0.0,), batch_size=600),),
    )


def test_it_trains_and_is_evaluated_and_draws_no_samples(tmp_path):
    experiment = build(config())
    train(experiment, tmp_path)
    assert not (tmp_path / "samples").exists()
    accuracy = evaluate(experiment, tmp_path)["accuracy_top_1"]["0"]
    assert accuracy > 0.9  # the exact one has Phi(2) = 0.977
    with pytest.raises(InputError, match="sampler = None: expected a model that draws samples"):
        sample(experiment, tmp_path)


def test_a_sampler_must_be_named_or_declined():
    arguments = {k: v for k, v in config().items() if k not in ("sampler", "target")}
    with pytest.raises(InputError, match="sampler"):
        call(Experiment, **arguments)
    assert build(call(Experiment, sampler=call(Sampler, predictor=call(Ancestral)), **arguments)).sampler
