"""Images to latents and back by the commands of experiments/latents, and the autoencoder's training step."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from drawn_weights import filled

from experiments.latents import run as command
from score_sde.config import build, load_config
from score_sde.data import Digits

AUTOENCODER = "configs/digits_autoencoder.py:tiny"


@pytest.fixture
def trained(monkeypatch):
    """A fresh autoencoder in place of a trained one."""
    model = build(load_config(AUTOENCODER)).make_model
    monkeypatch.setattr(command, "autoencoder", lambda values: filled(model))


def run(task, **given):
    options = {"task": task, "config": AUTOENCODER, **given}
    return command.main(["run", *(f"--{name}={value}" for name, value in options.items())])


@pytest.mark.usefixtures("trained")
def test_there_and_back(tmp_path, capsys):
    assert run("encode", to=tmp_path / "latents") == 0
    told = capsys.readouterr().out
    assert "train: 1300 of 1300" in told
    latents, labels = (np.load(tmp_path / "latents" / f"test_{name}.npy") for name in ("x", "label"))
    assert latents.shape == (297, 4, 4, 4)
    np.testing.assert_array_equal(labels, Digits().split("test").arrays()["label"])
    spread = np.std(np.load(tmp_path / "latents" / "train_x.npy").astype(float))
    assert f"standard deviation {spread:.4f}" in told
    np.savez(tmp_path / "samples.npz", samples=latents[:20].astype(np.float32))
    assert run("decode", **{"from": tmp_path / "samples.npz", "to": tmp_path / "decoded"}) == 0
    with np.load(tmp_path / "decoded" / "decoded.npz") as file:
        images = file["samples"]
    assert (images.shape, images.dtype) == ((20, 8, 8, 1), np.uint8)
    assert images.max() <= 16
    assert (tmp_path / "decoded" / "decoded.png").is_file()


@pytest.mark.parametrize(
    ("task", "given", "message"),
    [
        ("encode", {}, "--to = None: expected a path"),
        ("decode", {"to": "x"}, "--from = None: expected a path"),
        ("turn", {"to": "x"}, "--task = 'turn': expected encode or decode"),
    ],
)
def test_mistakes_are_one_line(capsys, task, given, message):
    assert run(task, **given) == 2
    assert message in capsys.readouterr().err


def test_an_autoencoder_is_needed(tmp_path, capsys):
    assert command.main(["run", "--task=encode", f"--to={tmp_path}"]) == 2
    assert "--autoencoder = None: expected a file, or --trained=WORKDIR" in capsys.readouterr().err


def test_the_autoencoder_learns_from_all_of_its_parameters():
    """Its loss and gradient fit the experiment; the values are those of tests/data/test_latents.py."""
    run = build(load_config(AUTOENCODER))

    def gradient(key, x):
        state, rebuild = run.make_state()
        return state.params, jax.grad(lambda p: jnp.mean(run.objective(key, rebuild(p), x)))(state.params)

    x = jax.ShapeDtypeStruct((4, 8, 8, 1), jnp.float32)
    params, found = jax.eval_shape(gradient, jax.random.key(0), x)
    assert jax.tree.map(lambda a: a.shape, params) == jax.tree.map(lambda a: a.shape, found)
    assert run.sampler is None
