"""The plan of an experiment against the experiment itself."""

import json
import pathlib
import time

import jax
import pytest
from flax import nnx

from score_sde import main
from score_sde.data.base import Dataset
from score_sde.denoisers import NoisePrediction, Preconditioned
from score_sde.dequantization import UniformDequantization
from score_sde.experiment import Experiment
from score_sde.experiment.accounting import bytes_of, count_flops
from score_sde.experiment.planning import abstract_batch, plan
from score_sde.networks import MLP, UNet
from score_sde.objectives import DenoisingScoreMatching
from score_sde.samplers import Ancestral, Sampler
from score_sde.sdes import VP
from score_sde.training import ClassLabels, ConstantEMA, NoEMA, Plan, Unconditional, adam

BATCH = 4


class NotOnDisk(Dataset):
    """Eight by eight images with ten classes, known without reading any."""

    def __init__(self):
        super().__init__(shape=(8, 8, 1), units=UniformDequantization(levels=256), splits={}, n_classes=10)

    def split(self, name):
        raise AssertionError("a plan reads no data")


def small(*, shape, rngs):
    return UNet(shape, channels=8, blocks=1, n_classes=10, rngs=rngs)


class Recomputed(nnx.Module):
    """The same network, evaluated again in the backward pass."""

    def __init__(self, *, shape, rngs):
        self.inner = small(shape=shape, rngs=rngs)

    def __call__(self, x, labels, cond=None, *, key=None):
        return jax.checkpoint(lambda inner, x, labels: inner(x, labels, cond, key=key))(self.inner, x, labels)


def experiment(network=small, **changes):
    parts = {
        "data": NotOnDisk(),
        "sde": VP(),
        "network": network,
        "model": lambda network, sde: Preconditioned(
            network=network, sde=sde, precondition=NoisePrediction()
        ),
        "objective": DenoisingScoreMatching(),
        "optimizer": adam(learning_rate=1e-3),
        "ema": ConstantEMA(),
        "training": Plan(steps=10, batch_size=BATCH),
        "sampler": Sampler(predictor=Ancestral(), n_steps=3),
        "condition": ClassLabels(drop=0.1),
    }
    return Experiment(**(parts | changes))


@pytest.fixture(scope="module")
def planned():
    return plan(experiment())


def test_counts_and_bytes_are_those_of_the_state_itself(planned):
    state, _ = experiment().make_state()
    assert planned["parameters"] == sum(leaf.size for leaf in jax.tree.leaves(state.params))
    for name, part in [("parameters", state.params), ("optimizer", state.opt_state), ("ema", state.ema)]:
        assert planned["bytes"][name] == bytes_of(part)
    assert planned["bytes"]["optimizer"] == pytest.approx(2 * planned["bytes"]["parameters"], rel=1e-3)
    assert plan(experiment(ema=NoEMA()))["bytes"]["ema"] == 0


def test_operations_of_a_step_are_those_of_the_step_that_trains(planned):
    run = experiment()
    state, rebuild = run.make_state()
    step = run.make_step(rebuild)
    whole = count_flops(step, jax.random.key(0), state, abstract_batch(run.data, BATCH))
    assert planned["matmul_flops_per_step"] == whole.matmul
    assert planned["flops_per_step"] == pytest.approx(whole.total, rel=0.02)


def test_a_step_is_three_evaluations_of_each_example(planned):
    """Forward, and the gradients of weights and inputs; the first layer needs no gradient of its input."""
    assert planned["matmul_flops_per_step"] == pytest.approx(
        3 * BATCH * planned["matmul_flops_per_evaluation"], rel=0.01
    )


def test_recomputation_costs_an_evaluation_and_saves_memory(planned):
    other = plan(experiment(Recomputed))
    assert other["parameters"] == planned["parameters"]
    assert other["bytes"]["activations"] < 0.05 * planned["bytes"]["activations"]
    assert other["matmul_flops_per_step"] == pytest.approx(4 / 3 * planned["matmul_flops_per_step"], rel=0.01)
    assert other["matmul_flops_per_evaluation"] == planned["matmul_flops_per_evaluation"]


def test_memory_of_activations_grows_with_the_batch(planned):
    double = plan(experiment(training=Plan(steps=10, batch_size=2 * BATCH)))
    # How a convolution is computed, and so what it keeps, may change with the batch.
    assert double["bytes"]["activations"] == pytest.approx(2 * planned["bytes"]["activations"], rel=0.1)
    assert double["bytes"]["parameters"] == planned["bytes"]["parameters"]


def test_networks_beyond_any_memory(capsys):
    """A perceptron of width w has 6 w^2 numbers in its hidden layers: 600 TB here."""

    def huge(*, shape, rngs):
        return MLP.for_shape(shape, width=5_000_000, depth=3, rngs=rngs)

    began = time.monotonic()
    summary = plan(experiment(huge, condition=Unconditional()))
    assert time.monotonic() - began < 20
    assert summary["parameters"] > 6 * 5_000_000**2
    assert summary["bytes"]["parameters"] == 4 * summary["parameters"]
    last = capsys.readouterr().out.rstrip().splitlines()[-1]
    assert json.loads(last) == summary


def test_the_command_line_needs_no_work_directory(capsys, monkeypatch):
    monkeypatch.setattr(main, "set_environment", lambda cache, verbosity: None)
    config = pathlib.Path(__file__).parents[2] / "configs" / "digits.py"
    assert (
        main.run(["score_sde", "--mode=plan", f"--config={config}:tiny", "--config.training.batch_size=5"])
        == 0
    )
    summary = json.loads(capsys.readouterr().out.rstrip().splitlines()[-1])
    assert (summary["batch_size"], summary["shape"]) == (5, [8, 8, 1])


def test_the_table_names_what_the_json_has(capsys):
    plan(experiment())
    text = capsys.readouterr().out
    for word in ("parameters", "evaluation", "training step", "optimizer", "ema", "activations", "8x8x1"):
        assert word in text
