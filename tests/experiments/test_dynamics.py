"""The experiment with models in closed form: numbers, pictures and films; what is done is kept."""

import json

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from next_change import NextChange
from PIL import Image

from experiments.dynamics import assimilation, measure, models, report, run, sizes
from experiments.dynamics.forecasting import NEXT, SYSTEM
from experiments.dynamics.judging import marginal_wasserstein, wasserstein
from score_sde.dynamics import FromPast, InUnits
from score_sde.sdes import VP

AMOUNT = sizes.QUICK._replace(
    seeds=1, draws=64, exact_draws=2048, method_steps=24, particles=8192, moved=4096, members=256, origins=4,
    ensemble=16, sampler_steps=8, runs=4, run_steps=40,
)  # fmt: skip


def learn(part, amount, seed):
    """What training would find in the end."""
    system = InUnits(system=part.system, field=part.field)
    pool = np.asarray(part.system.start(jax.random.key(seed), 400))
    change = NextChange(sde=VP(), matrix=jnp.asarray(part.system.matrix), variances=part.system.noise**2)
    following = FromPast(known=1, model=change, sampler=models.sampler(amount.sampler_steps))
    windows = assimilation.exact_chain(system, part.window)
    return models.Learnt(part, system, windows, following, pool[:200], pool[200:])


@pytest.fixture(scope="module")
def played(tmp_path_factory):
    """What one run says, and where."""
    workdir = tmp_path_factory.mktemp("dynamics")
    measure.do(measure.Entry("linear", 0), workdir, AMOUNT, learn)
    return run.run(workdir, sizes.Size(("linear",), {"linear": AMOUNT}), 1), workdir


def test_exact_models_are_near_the_exact_smoother_and_the_system(played):
    part = played[0]["parts"]["linear"]
    rows = part["assimilation"]
    allow = {assimilation.EXACT_CHAIN: 0.08, assimilation.PARTICLES: 0.4, assimilation.MOVED: 0.4}
    for name, allowed in allow.items():
        for what in ("mean_error", "covariance_error"):
            assert rows[name][what]["mean"] < allowed
    assert rows[assimilation.CLIMATE]["covariance_error"]["mean"] > 0.5
    assert rows[assimilation.COMPOSED]["mean_error"]["mean"] < 0.5
    over = part["forecasts"][NEXT]["mean_crps"]["mean"] / part["forecasts"][SYSTEM]["mean_crps"]["mean"]
    assert over == pytest.approx(1, abs=0.25)
    assert sum(part["forecasts"][NEXT]["ranks"]) == AMOUNT.origins * 24 * 2


def test_everything_is_written(played):
    workdir = played[1]
    assert json.loads((workdir / "results.json").read_text())["parts"]["linear"]["seeds"] == 1
    assert "exact score of trajectories" in (workdir / "table.txt").read_text()
    for name in ("crps", "ranks", "spectra", "linear_forecasts", "linear_assimilation"):
        with Image.open(workdir / f"{name}.png") as picture:
            assert np.asarray(picture).std() > 5
    assert list(workdir.glob("linear_forecast.[gm][ip][f4]"))


def test_what_is_done_is_kept_and_sizes_are_not_mixed(played, capsys):
    results, workdir = played
    assert report.summarize(workdir, measure.present(workdir))["parts"].keys() == results["parts"].keys()
    assert run.main(["run", f"--workdir={workdir}", "--fast", "--parts=linear", "--seeds=1"]) == 2
    assert "choose an empty one" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("flag", "told"),
    [("--parts=lorenz64", "error: --parts = 'lorenz64'"), ("--partz=linear", "error: --partz")],
)
def test_mistakes_are_one_line(flag, told, tmp_path, capsys):
    assert run.main(["run", f"--workdir={tmp_path / 'work'}", flag]) == 2
    assert capsys.readouterr().err.strip().startswith(told)


def test_distances_are_those_of_a_shift():
    """W_1 of a set and itself moved by a vector is its length, and of single values its mean size."""
    x = np.random.default_rng(0).normal(size=(50, 3, 2))
    shift = np.arange(6.0).reshape(3, 2)
    assert wasserstein(x[::-1] + shift, x) == pytest.approx(np.linalg.norm(shift))
    assert marginal_wasserstein(x[::-1] + shift, x) == pytest.approx(2.5)
