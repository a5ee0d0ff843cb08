"""``--mode=inspect`` on data whose every number is known."""

import json

import numpy as np
import pytest
from PIL import Image

from score_sde.data.base import ArraySource, Dataset
from score_sde.dequantization import Continuous, UniformDequantization
from score_sde.errors import InputError
from score_sde.evaluation import Pixels, load_moments
from score_sde.experiment import Experiment, inspecting
from score_sde.experiment.generation import Drawn
from score_sde.experiment.inspecting import inspect
from score_sde.experiment.measures import Frechet, Subject
from score_sde.objectives import DenoisingScoreMatching
from score_sde.samplers import Ancestral, Sampler
from score_sde.sdes import VP
from score_sde.training import NoEMA, Plan, adam


class Given(Dataset):
    def __init__(self, units, labels=False, **splits):
        sources = {
            name: ArraySource(x=x, **({"label": np.arange(len(x)) % 3} if labels else {}))
            for name, x in splits.items()
        }
        shape = splits["train"].shape[1:]
        super().__init__(shape=shape, units=units, splits=sources, n_classes=3 if labels else None)


def experiment(data, **changes):
    parts = {
        "data": data,
        "sde": VP(),
        "network": None,
        "objective": DenoisingScoreMatching(),
        "optimizer": adam(learning_rate=1e-3),
        "ema": NoEMA(),
        "training": Plan(steps=10),
        "sampler": Sampler(predictor=Ancestral(), n_steps=3),
    }
    return Experiment(**(parts | changes))


@pytest.fixture
def images():
    images = np.random.default_rng(0).integers(0, 256, (600, 4, 4, 3), dtype=np.uint8)
    images[10], images[599] = 0, 255
    images[20:23] = images[3]
    return images


def test_everything_that_is_written(tmp_path, images, capsys):
    test = np.concatenate([images[:5], 255 - images[40:75]])
    data = Given(UniformDequantization(levels=256), labels=True, train=images, test=test)
    results = inspect(experiment(data), tmp_path)
    folder = tmp_path / "inspect"
    assert json.loads((folder / "inspection.json").read_text()) == results
    train = results["splits"]["train"]
    assert (train["examples"], train["duplicates"], train["labels"]) == (600, 3, [200, 200, 200])
    assert results["splits"]["test"]["in_train"] == 5
    assert "validation" not in results["splits"]
    # Black to white is 255 levels of 2 / 256 in each of 48 values; the square root of 48.
    assert results["sigma_max"] == pytest.approx(255 / 128 * np.sqrt(48), rel=1e-6)
    assert results["sigma_max_exact"]
    # Independent of the values, dequantisation adds the variance of a uniform law on 2 / 256.
    variance = images.astype(float).var() / 128**2 + (2 / 256) ** 2 / 12
    assert results["sigma_data"] == pytest.approx(np.sqrt(variance), rel=1e-3)
    np.testing.assert_allclose(
        load_moments(folder / "statistics.npz", features="Pixels").covariance,
        np.cov(images.reshape(600, -1).T.astype(float)),
        rtol=1e-6,
        atol=1e-6,
    )
    for name in ("examples.png", "histogram.png"):
        with Image.open(folder / name) as picture:
            assert min(picture.size) > 100
    said = capsys.readouterr().out
    assert f"{results['sigma_max']:.4g}" in said
    assert "validation: Given has no such examples" in said
    assert "test: Given" not in said


def test_a_subset_says_of_how_many(tmp_path, images, monkeypatch):
    monkeypatch.setattr(inspecting, "MEMORY", 100 * 48)
    data = Given(UniformDequantization(levels=256), train=images)
    results = inspect(experiment(data), tmp_path)
    assert (results["sigma_max_examples"], results["sigma_max_exact"]) == (100, False)
    assert results["sigma_max"] < 255 / 128 * np.sqrt(48)
    assert results["splits"]["train"]["examples"] == 600
    assert inspect(experiment(data), tmp_path)["sigma_max"] == results["sigma_max"]  # drawn by the seed


def test_points_of_the_plane(tmp_path):
    points = np.random.default_rng(0).uniform(-4, 4, (500, 2)).astype(np.float32)
    points[:2] = [[-4, -4], [4, 4]]
    results = inspect(experiment(Given(Continuous(low=-4.0, high=4.0), train=points, test=points)), tmp_path)
    assert results["sigma_max"] == pytest.approx(2 * np.sqrt(2), rel=1e-6)  # across [-1, 1]^2
    assert results["largest_distance"] == pytest.approx(8 * np.sqrt(2), rel=1e-6)
    assert results["sigma_data"] == pytest.approx(points.std() / 4, rel=1e-3)
    assert results["frechet_to_train"]["test"] == pytest.approx(0, abs=1e-9)
    assert (tmp_path / "inspect" / "examples.png").is_file()


def test_samples_are_measured_against_the_statistics(tmp_path):
    """Shifted by d the distance of means is |d|^2, and the covariances agree."""
    rows = np.random.default_rng(0).standard_normal((300, 3))
    inspect(experiment(Given(Continuous(low=-9.0, high=9.0), train=rows)), tmp_path)
    measure = Frechet(statistics=str(tmp_path / "inspect" / "statistics.npz"), n_samples=300)
    subject = Subject(
        model=None,
        data=None,
        objective=None,
        draw=lambda key, n: Drawn(rows[:n] + 2.0, None),
        folder=tmp_path,
        seed=0,
    )
    assert measure(subject).values["frechet"] == pytest.approx(12, rel=1e-6)
    with pytest.raises(InputError, match="features of"):
        measure.replace(features=Halves())(subject)


class Halves(Pixels):
    def __call__(self, examples):
        return super().__call__(examples) / 2


def test_the_features_of_the_experiment_are_used(tmp_path):
    rows = np.random.default_rng(0).standard_normal((300, 3))
    data = Given(Continuous(low=-9.0, high=9.0), train=rows)
    results = inspect(experiment(data, features=Halves()), tmp_path)
    assert results["features"] == "Halves"
    found = load_moments(tmp_path / "inspect" / "statistics.npz", features="Halves")
    np.testing.assert_allclose(found.covariance, np.cov(rows.T) / 4, rtol=1e-9)
