"""The experiment on real images: its yardsticks by their definitions, and all of it in seconds."""

import json

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from untrained import save_untrained

from experiments.restoration import report, run, tasks
from experiments.restoration.measure import FAST
from experiments.restoration.normal import normal_law
from score_sde.denoisers import Gaussian
from score_sde.experiment.restoring.one import coverage
from score_sde.inverse import GaussianNoise, Measurement, posterior
from score_sde.sdes import VP

NOISE = GaussianNoise(std=0.05)


@pytest.fixture(scope="module")
def fast(tmp_path_factory):
    """What one run says, and where."""
    workdir = tmp_path_factory.mktemp("restoration")
    for name in ("digits", "patches"):
        save_untrained(f"{name}.py:tiny", workdir / "runs" / name)
    return run.run(workdir, workdir / "runs", FAST), workdir


def test_every_way_is_judged_and_pictured(fast):
    results, workdir = fast
    assert json.loads((workdir / "results.json").read_text())["points"] == results["points"]
    names = [(point["data"], point["task"], point["shown_as"]) for point in results["points"]]
    assert names == [
        ("digits", "right half hidden", "mean fill"),
        ("digits", "right half hidden", "normal law"),
        ("digits", "right half hidden", "DDNMPlus"),
        ("patches", "colorization", "measurement"),
        ("patches", "colorization", "normal law"),
        ("patches", "colorization", "DDNMPlus"),
    ]
    for point in results["points"]:
        assert point["images"] == 2
        assert point["not_finite"] == 0
        assert point["psnr"]["half_width"] > 0
        assert ("coverage" in point) == (point["way"] != "trivial")
        assert (point["gain"]["mean"] == 0) == (point["way"] == "trivial")
    for name in ("restoration.png", "digits_right_half_hidden.png", "patches_colorization.png", "table.txt"):
        assert (workdir / name).stat().st_size > 500


def test_what_is_done_is_kept(fast, capsys):
    results, workdir = fast
    (missing,) = workdir.glob("entries/digits/*/trivial.json")
    missing.unlink()
    capsys.readouterr()
    again = run.run(workdir, workdir / "runs", FAST)
    assert capsys.readouterr().out.count("min left") == 1
    for new, old in zip(again["points"], results["points"], strict=True):
        assert new | {"seconds": 0} == old | {"seconds": 0}


def test_results_of_another_size_are_not_mixed(fast, capsys):
    _, workdir = fast
    assert run.main(["run", f"--workdir={workdir}", "--fast", "--samples=4"]) == 2
    lines = capsys.readouterr().err.strip().splitlines()
    assert len(lines) == 1
    assert "choose an empty one" in lines[0]


@pytest.mark.parametrize("given", ["--methods=DDNM", "--data=faces", "--imges=3", "--images=1", "more"])
def test_mistakes_are_one_line(capsys, tmp_path, given):
    assert run.main(["run", f"--workdir={tmp_path}", "--fast", given]) == 2
    lines = capsys.readouterr().err.strip().splitlines()
    assert len(lines) == 1
    assert lines[0].startswith("error: ")


def measured(task, x):
    operator = task.operator(x.shape)
    return Measurement(y=operator(jnp.asarray(x[None])), operator=operator, noise=NOISE)


def test_trivial_estimates():
    """Without noise: what is seen stays, the mean fills the rest, and a constant image stays what it is."""
    named = {task.name: task for task in tasks.GREY + tasks.COLOUR}
    x = np.random.default_rng(0).uniform(-1, 1, (8, 8, 1)).astype(np.float32)
    mean = np.full((8, 8, 1), 0.25, np.float32)
    hidden = named["right half hidden"]
    filled = hidden.estimate(measured(hidden, x), mean)
    np.testing.assert_array_equal(filled, np.concatenate([x[:, :4], mean[:, 4:]], axis=1))
    for name, task in named.items():
        flat = np.full((28, 28, 3 if name == "colorization" else 1), 0.5, np.float32)
        measurement = measured(task, flat)
        np.testing.assert_allclose(task.estimate(measurement, flat), flat, atol=1e-5)
        assert tasks.picture(measurement).shape == flat.shape
    grey = named["colorization"]
    colours = np.random.default_rng(1).uniform(-1, 1, (8, 8, 3)).astype(np.float32)
    estimate = grey.estimate(measured(grey, colours), colours)
    np.testing.assert_allclose(
        estimate, np.broadcast_to(colours.mean(-1, keepdims=True), (8, 8, 3)), atol=1e-5
    )


def test_the_normal_law_covers_what_is_normal():
    """Images that are drawn from a normal law: 90 % of values lie in the posterior's 90 % intervals."""
    rng = np.random.default_rng(2)
    mixing = 0.3 * rng.normal(size=(16, 16)) / 2
    images = (rng.normal(size=(4000, 16)) @ mixing.T).reshape(-1, 4, 4, 1).astype(np.float32)
    law = normal_law(images[:3960])
    operator = tasks.GREY[0].operator((4, 4, 1))
    covered = []
    for number, truth in enumerate(images[3960:]):
        seen = Measurement.of(jax.random.key(number), truth[None], operator=operator, noise=NOISE)
        draws = law.draws(number, seen, 99)
        covered.append(coverage(draws[:, :, 2:], truth[:, 2:]))  # the half that is hidden
    assert np.mean(covered) == pytest.approx(0.9, abs=0.04)
    exact = posterior(Gaussian(sde=VP(), mean=law.mean, covariance=law.covariance), seen)
    many = law.draws(5, seen, 20000).reshape(20000, 16)
    spread = np.sqrt(np.diag(exact.covariances[0]))
    np.testing.assert_array_less(np.abs(many.mean(axis=0) - exact.means[0].ravel()), 0.04 * spread)
    np.testing.assert_allclose(many.std(axis=0), spread, rtol=0.03)


def test_intervals_are_students():
    """Table of Student's t: 2.776 for 4 degrees of freedom at 95 %."""
    found = report.interval([1.0, 2.0, 3.0, 4.0, 5.0])
    assert found["mean"] == 3
    assert found["half_width"] == pytest.approx(2.776 * np.sqrt(2.5 / 5), rel=1e-3)
