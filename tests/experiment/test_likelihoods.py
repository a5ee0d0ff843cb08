"""``--mode=likelihood``: what it writes, that a killed run goes on with the same numbers, and mistakes."""

import functools
import json

import numpy as np
import pytest
from PIL import Image
from scipy.stats import norm

from score_sde import modes
from score_sde.data.base import ArraySource, Dataset
from score_sde.denoisers import Gaussian, NoisePrediction, Preconditioned
from score_sde.dequantization import Continuous, UniformDequantization
from score_sde.divergence import ExactDivergence, HutchPlusPlus
from score_sde.errors import InputError
from score_sde.experiment import Experiment, LikelihoodPlan, likelihood, train
from score_sde.experiment.row_file import RowFile
from score_sde.integrators import FixedStep, RungeKutta4
from score_sde.likelihood import DequantizedBound, DiffusionBound, LevelBound, ProbabilityFlow
from score_sde.networks import MLP
from score_sde.objectives import DenoisingScoreMatching
from score_sde.sdes import VP
from score_sde.training import NoEMA, Plan, adam

LEVELS, MEAN, STD, COUNT = 8, 0.1, 0.4, 22
RNG = np.random.default_rng(0)
RAW = np.clip(np.round(RNG.normal(3.5, 1.5, (COUNT, 2))), 0, LEVELS - 1).astype(np.uint8)


class Points(Dataset):
    def __init__(self, units=None, x=RAW):
        source = ArraySource(x=x, label=np.arange(len(x)) % 3)
        units = units or UniformDequantization(levels=LEVELS)
        super().__init__(shape=(2,), units=units, splits={"train": source, "test": source}, n_classes=3)


class Around(Gaussian):
    """The exact model with a network in it that it makes no use of, to be trained before."""

    network: object


def exact(network, sde):
    """Its log density is scipy's."""
    return Around(sde=sde, network=network, mean=np.full(2, MEAN), covariance=STD**2 * np.eye(2))


def flow(divergence=ExactDivergence()):  # noqa: B008
    solver = FixedStep(n_steps=24, method=RungeKutta4())
    return ProbabilityFlow(solver=solver, divergence=divergence, t_min=1e-3)


def experiment(method=None, data=None, model=None, **plan):
    def network(shape, rngs):
        return MLP(dim=2, width=8, depth=1, rngs=rngs)

    return Experiment(
        data=data or Points(),
        sde=VP(),
        network=network,
        objective=DenoisingScoreMatching(),
        optimizer=adam(learning_rate=1e-3),
        ema=NoEMA(),
        training=Plan(steps=1, batch_size=4, log_every=1, checkpoint_every=1),
        sampler=None,
        model=model or functools.partial(Preconditioned, precondition=NoisePrediction()),
        likelihood=LikelihoodPlan(method=method or DequantizedBound(density=flow()), batch_size=5, **plan),
    )


@pytest.fixture(name="trained", scope="module")
def trained_networks_and_none(tmp_path_factory):
    """Directories with a checkpoint of a network, and of a model without parameters worth the name."""
    folder = tmp_path_factory.mktemp("run")
    train(experiment(), folder / "network")
    return folder / "network"


def values(workdir, name="DequantizedBound"):
    with np.load(workdir / "likelihood" / name / "values.npz") as file:
        return {key: file[key] for key in file.files if key != "about"}


def test_what_is_written(trained, capsys):
    results = likelihood(experiment(), trained)
    folder = trained / "likelihood" / "DequantizedBound"
    rows = values(trained)
    assert {len(column) for column in rows.values()} == {COUNT}
    np.testing.assert_array_equal(rows["index"], np.arange(COUNT))
    np.testing.assert_array_equal(rows["label"], np.arange(COUNT) % 3)
    np.testing.assert_allclose(rows["bits_per_dim"], -rows["nats"] / (2 * np.log(2)), rtol=1e-6)
    told = json.loads((folder / "results.json").read_text())
    assert told == json.loads(json.dumps(results))
    assert told["bits_per_dim"]["mean"] == pytest.approx(rows["bits_per_dim"].mean(), rel=1e-6)
    error = rows["nats"].std(ddof=1) / np.sqrt(COUNT)
    assert told["nats"]["stderr"] == pytest.approx(error, rel=1e-5)
    assert (told["examples"], told["without_value"]) == (COUNT, 0)
    assert told["evaluations"] == {"mean": 96.0, "most": 96}
    with Image.open(folder / "histogram.png") as picture:
        assert min(picture.size) > 100
    said = capsys.readouterr().out
    assert "likelihood: 22 of 22 examples" in said
    assert (folder / "table.txt").read_text() in said
    assert "lower bound" in said


def test_killed_it_goes_on_with_the_same_numbers(trained, tmp_path, monkeypatch):
    """Killed after two of five batches: three are left to do, and all values are bit for bit the same."""
    method = DequantizedBound(density=DiffusionBound(times=4, draws=2), draws=2)
    likelihood(experiment(method), trained)
    whole = values(trained)
    (trained / "likelihood" / "DequantizedBound" / "values.npz").unlink()
    add, added = RowFile.add, []

    def killed(file, rows):
        if len(added) == 2:
            raise KeyboardInterrupt
        added.append(len(rows["nats"]))
        add(file, rows)
        file.write()

    monkeypatch.setattr(RowFile, "add", killed)
    with pytest.raises(KeyboardInterrupt):
        likelihood(experiment(method), trained)
    assert len(values(trained)["nats"]) == 10
    added.clear()
    monkeypatch.setattr(RowFile, "add", lambda file, rows: (added.append(1), add(file, rows)))
    likelihood(experiment(method), trained)
    assert len(added) == 3
    gone_on = values(trained)
    for name, column in whole.items():
        np.testing.assert_array_equal(gone_on[name], column)
    assert {"prior", "diffusion", "reconstruction", "dequantization"} < set(gone_on)


def test_more_examples_go_on_and_other_settings_begin_anew(trained, capsys):
    likelihood(experiment(n_examples=7), trained)
    few = values(trained)
    likelihood(experiment(), trained)
    assert "going on after 5 of 22" in capsys.readouterr().out  # whole batches only
    np.testing.assert_array_equal(values(trained)["nats"][:7], few["nats"])
    likelihood(experiment(DequantizedBound(density=flow(), draws=2)), trained)
    assert "other settings" in capsys.readouterr().out
    with np.load(trained / "likelihood" / "DequantizedBound" / "values_before.npz") as before:
        np.testing.assert_array_equal(before["nats"][:7], few["nats"])
    assert not np.array_equal(values(trained)["nats"][:7], few["nats"])


def test_of_an_exact_model_the_mean_is_scipys(tmp_path):
    """Real values, whose density is in their own units: N(2 + 4 m, (4 s)^2) for values from -2 to 6."""
    x = np.random.default_rng(1).normal(2, 1.0, (6, 2)).clip(-2, 6)
    data = Points(units=Continuous(low=-2.0, high=6.0), x=x)
    parts = experiment(data=data)
    train(parts, tmp_path)
    made = experiment(data=data, model=exact)
    results = likelihood(made, tmp_path)
    expected = norm(2 + 4 * MEAN, 4 * STD).logpdf(x).sum(1).mean()
    assert results["nats"]["mean"] == pytest.approx(expected, abs=2e-2)
    assert results["units"].startswith("real values")


def test_mistakes_are_one_line(trained, tmp_path):
    assert modes.MODES["likelihood"].target == "score_sde.experiment:likelihood"
    with pytest.raises(InputError, match=r"likelihood\.n_examples = 0: expected a positive count"):
        LikelihoodPlan(n_examples=0)
    with pytest.raises(InputError, match="expected a saved checkpoint"):
        likelihood(experiment(), tmp_path)
    real = Points(units=Continuous(low=0.0, high=7.0))
    with pytest.raises(InputError, match="expected integer levels"):
        likelihood(experiment(LevelBound(), data=real), trained)
    with pytest.raises(InputError, match=r"HutchPlusPlus\.sketch = 9"):
        likelihood(experiment(DequantizedBound(density=flow(HutchPlusPlus(sketch=9)))), trained)
    path = trained / "likelihood" / "DequantizedBound" / "values.npz"
    path.write_bytes(b"half a file")
    with pytest.raises(InputError, match=r"values\.npz.*delete it"):
        likelihood(experiment(), trained)
    path.unlink()
