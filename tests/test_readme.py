"""Every snippet of the README, executed; its command lines at the size of seconds."""

import json
import pathlib
import re
import subprocess

import jax
import numpy as np
import pytest
from scipy.stats import norm

from score_sde import main

ROOT = pathlib.Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
DEFAULT = jax.config.values["jax_disable_most_optimizations"]


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, flags=re.DOTALL)


@pytest.fixture(scope="module")
def notebook():
    """The names that the README's Python has defined at its end."""
    names: dict = {}
    for number, block in enumerate(blocks("python")):
        quickly = number > 0  # the first one trains for longer than it compiles
        jax.config.update("jax_disable_most_optimizations", quickly and DEFAULT)
        exec(compile(block, "README.md", "exec"), names)  # what a reader would do
    return names


def test_the_notebook_example_is_as_short_as_it_says():
    lines = [line for line in blocks("python")[0].splitlines() if line and "import" not in line]
    assert len(lines) <= 18


def test_the_model_trained_by_hand_knows_the_ring(notebook):
    """Its log density is near the true one's on average, and above every single Gaussian's."""
    ring, x = notebook["ring"], np.asarray(notebook["ring"].split("test").arrays()["x"][:200])
    nats = np.asarray(notebook["nats"]) + 2 * ring.units.log_scale
    truth = ring.log_prob(x).mean()
    gaussian = norm(x.mean(0), x.std(0)).logpdf(x).sum(1).mean()
    assert truth - 0.6 < nats.mean() < truth + 0.1
    assert nats.mean() > gaussian + 0.5


def test_the_samples_made_by_hand_lie_on_the_ring(notebook):
    ring, samples = notebook["ring"], np.asarray(notebook["samples"])
    points = ring.split("test").arrays()["x"]
    assert samples.shape == (1000, 2)
    assert np.median(ring.log_prob(samples)) > np.median(ring.log_prob(points)) - 1.0
    gaussian = points.mean(0) + points.std(0) * np.random.default_rng(0).standard_normal((1000, 2))
    assert np.median(ring.log_prob(gaussian)) < np.median(ring.log_prob(points)) - 4.0  # the test has power
    assert notebook["latent"].shape == (200, 2)


def test_the_readers_own_sde_samples_its_target(notebook):
    """Standard deviations 1 and 1/2 of the exact Gaussian, within four standard errors."""
    std = np.std(np.asarray(notebook["drawn"]), axis=0)
    np.testing.assert_allclose(std, [1.0, 0.5], rtol=4 / np.sqrt(2 * 500) + 0.02)


def test_the_readers_restored_points_have_the_exact_posterior(notebook):
    """Means within four standard errors and 5 % of a standard deviation."""
    restored, exact = np.asarray(notebook["restored"]), notebook["exact"]
    points = np.asarray(exact.sample(jax.random.key(3), 20000))
    assert (
        np.abs(points[:, 0].mean() - restored[:, 0].mean()) < (4 / np.sqrt(500) + 0.05) * points[:, 0].std()
    )
    np.testing.assert_allclose(restored.std(0), points.std(0), rtol=4 / np.sqrt(2 * 500) + 0.05)


def test_the_readers_noisy_points_are_cleaned(notebook):
    """The estimate by hand, component by component; the law learnt from noisy points nearly gives it too."""
    y, found = np.asarray(notebook["noisy"], float), np.asarray(notebook["estimate"])
    total, means = 0.5**2 + 0.3**2, np.array([[-2.0, 0.0], [2.0, 1.0]])
    logs = -0.5 * np.square(y[:, None] - means).sum(axis=-1) / total
    shares = np.exp(logs - logs.max(axis=1, keepdims=True))
    each = means + 0.5**2 / total * (y[:, None] - means)
    expected = np.einsum("nk,nkd->nd", shares / shares.sum(axis=1, keepdims=True), each)
    np.testing.assert_allclose(found, expected, atol=1e-4)
    assert np.abs(np.asarray(notebook["blind"]) - expected).mean() < 0.05 < np.abs(y - expected).mean()


@pytest.fixture(scope="module")
def workdir(tmp_path_factory):
    """The README's command lines, run in its order on the configuration's ``:tiny`` variant."""
    folder = tmp_path_factory.mktemp("runs") / "digits"
    for line in blocks("bash")[1].strip().splitlines():
        flags = line.removeprefix("python -m ").split()
        assert flags[0] == "score_sde.main"
        changed = [flag.replace("configs/digits.py", f"{ROOT}/configs/digits.py:tiny") for flag in flags]
        assert main.run([flag.replace("runs/digits", str(folder)) for flag in changed]) == 0
    return folder


@pytest.mark.parametrize(
    "name",
    [
        "config.json",
        "metrics.csv",
        "tensorboard",
        "checkpoints/4",
        "samples/step_0000004.png",
        "sample/samples.npz",
        "sample/grid.png",
        "sample/process.png",
        "sample/process.gif",
        "eval/results.json",
        "eval/ladder.png",
        "eval/training.png",
        "eval/nearest_neighbors.png",
    ],
)
def test_the_files_that_the_readme_names(workdir, name):
    assert (workdir / name).exists()


def test_samples_are_in_data_units(workdir):
    samples = np.load(workdir / "sample/samples.npz")["samples"]
    assert samples.shape == (16, 8, 8, 1)
    assert samples.dtype == np.uint8
    assert samples.max() <= 16


def test_results_have_the_names_that_others_rely_on(workdir):
    results = json.loads((workdir / "eval/results.json").read_text())
    names = {"bits_per_dim", "bits_per_dim_stderr", "baselines", "train_seconds", "step", "parameters"}
    assert names <= set(results)
    assert results["step"] == 4
    assert results["baselines"]["uniform"] == pytest.approx(np.log2(17), abs=1e-6)


def test_a_finished_run_is_left_as_it_is(workdir):
    """Training again changes neither the log nor the checkpoint."""
    before = (workdir / "metrics.csv").read_bytes()
    flags = [f"--config={ROOT}/configs/digits.py:tiny", f"--workdir={workdir}"]
    assert main.run(["score_sde.main", "--mode=train", *flags]) == 0
    assert (workdir / "metrics.csv").read_bytes() == before


@pytest.mark.parametrize(
    ("flag", "named"),
    [
        ("--config.sde.beta_maks=3.0", "beta_max"),
        ("--config.sampler.n_steps=-1", "n_steps"),
        ("--config.sampler.corrector=score_sde.samplers:Langevine", "Langevine"),
        ("--config.training.steps=many", "training.steps"),
        ("--config.sde.beta_max=25.0", "beta_max"),  # another model in the same directory
        ("--config.network.channels=16", "channels"),
        ("--config.data=score_sde.data:Nothing", "Nothing"),
    ],
)
def test_mistakes_are_told_in_one_line_and_harm_nothing(workdir, capfd, flag, named):
    before = (workdir / "eval/results.json").read_bytes()
    flags = [f"--config={ROOT}/configs/digits.py:tiny", f"--workdir={workdir}", flag]
    assert main.run(["score_sde.main", "--mode=eval", *flags]) == 2
    told = capfd.readouterr().err.strip()
    assert told.startswith("error: ")
    assert "\n" not in told
    assert named in told
    assert (workdir / "eval/results.json").read_bytes() == before


def test_launch_commands_of_the_readme_are_known():
    commands = blocks("bash")[0].split("\n")[:2]
    assert commands == ["./launch.sh", "./launch.sh test"]
    usage = subprocess.run([ROOT / "launch.sh", "help"], capture_output=True, text=True, check=True).stdout
    assert "test" in usage


def test_sampling_again_gives_the_same_samples(workdir):
    first = np.load(workdir / "sample/samples.npz")["samples"]
    flags = [f"--config={ROOT}/configs/digits.py:tiny", f"--workdir={workdir}", "--config.n_samples=16"]
    assert main.run(["score_sde.main", "--mode=sample", *flags]) == 0
    again = np.load(workdir / "sample/samples.npz")["samples"]
    np.testing.assert_array_equal(first, again)
    assert jax.device_count() == 1
