"""Training, snapshots and sampling of a class-conditional model, from start to files."""

import numpy as np
import pytest

from score_sde.data.base import ArraySource, Dataset
from score_sde.denoisers import NoisePrediction, Preconditioned
from score_sde.dequantization import Continuous
from score_sde.experiment import Experiment, sample, train
from score_sde.networks import MLP
from score_sde.objectives import DenoisingScoreMatching
from score_sde.samplers import Ancestral, Sampler
from score_sde.sdes import VP
from score_sde.training import ClassLabels, ConstantEMA, Plan, adam

CENTRES = np.array([[-0.7, -0.7], [0.7, -0.7], [0.0, 0.7]])


class ThreeClusters(Dataset):
    def __init__(self):
        label = np.arange(240) % 3
        x = CENTRES[label] + 0.05 * np.random.default_rng(0).standard_normal((240, 2))
        source = ArraySource(x=x.astype(np.float32), label=label.astype(np.int32))
        splits = dict.fromkeys(("train", "validation", "test"), source)
        super().__init__(shape=(2,), units=Continuous(low=-1.0, high=1.0), splits=splits, n_classes=3)


def experiment(**changes):
    parts = {
        "data": ThreeClusters(),
        "sde": VP(),
        "network": lambda *, shape, rngs: MLP(
            dim=2, width=64, depth=2, n_classes=3, label_scale=100.0, rngs=rngs
        ),
        "model": lambda network, sde: Preconditioned(
            network=network, sde=sde, precondition=NoisePrediction()
        ),
        "objective": DenoisingScoreMatching(),
        "optimizer": adam(learning_rate=3e-3),
        "ema": ConstantEMA(decay=0.98),
        "training": Plan(steps=600, steps_per_call=100, log_every=100, checkpoint_every=600, batch_size=64),
        "sampler": Sampler(predictor=Ancestral(), n_steps=50),
        "condition": ClassLabels(drop=0.1),
        "n_samples": 90,
        "sampling_batch": 40,
    }
    return Experiment(**(parts | changes))


@pytest.fixture(scope="module")
def workdir(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    train(experiment(), folder)
    return folder


def drawn(run, workdir):
    with np.load(sample(run, workdir) / "samples.npz") as arrays:
        return arrays["samples"], arrays["labels"]


def nearest(samples):
    return np.argmin(np.linalg.norm(samples[:, None] - CENTRES, axis=-1), axis=1)


def test_samples_lie_at_the_cluster_of_their_label(workdir):
    samples, labels = drawn(experiment(), workdir)
    assert labels.shape == (90,)
    assert set(labels) == {0, 1, 2}
    assert np.mean(nearest(samples) == labels) > 0.95  # chance: a third
    assert (workdir / "sample" / "process.png").is_file()
    assert list((workdir / "samples").glob("step_*.png"))


def test_labels_can_be_chosen_and_left_out(workdir):
    """With the label 3, "none", the model draws from all clusters: classifier-free guidance needs both."""
    samples, labels = drawn(experiment(condition=ClassLabels(drop=0.1, sampled=(2,))), workdir)
    assert set(labels) == {2}
    assert np.mean(nearest(samples) == 2) > 0.95
    samples, labels = drawn(experiment(condition=ClassLabels(drop=0.1, sampled=(3,))), workdir)
    assert set(labels) == {3}
    assert np.bincount(nearest(samples), minlength=3).min() > 10
