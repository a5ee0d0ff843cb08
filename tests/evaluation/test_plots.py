"""Figures are drawn without global state, and read the metrics file as it is."""

import sys

import numpy as np
import pytest
from PIL import Image

from score_sde.errors import InputError
from score_sde.evaluation import (
    save_density,
    save_histograms,
    save_ladder,
    save_neighbor_distances,
    save_scatter,
    save_training_curves,
)
from score_sde.evaluation.plots import _running_mean, read_metrics

RNG = np.random.default_rng(0)
POINTS = RNG.standard_normal((50, 2))
LADDER = {"a": (2.0, 0.1, ""), "b": (4.0, 0.0, "")}


@pytest.fixture
def metrics(tmp_path):
    path = tmp_path / "metrics.csv"
    path.write_text("step,loss,validation\n10,1.5,\n20,1.25,0.5\n30,nan,\n40,1,0.25\n")
    return path


def test_metrics_keep_their_gaps(metrics):
    table = read_metrics(metrics)
    np.testing.assert_array_equal(table["step"], [10, 20, 30, 40])
    np.testing.assert_array_equal(table["validation"], [np.nan, 0.5, np.nan, 0.25])
    np.testing.assert_array_equal(table["loss"], [1.5, 1.25, np.nan, 1])


def test_the_running_mean_is_a_mean_of_what_is_there():
    np.testing.assert_allclose(_running_mean(np.array([1.0, 2, 6, 3]), 3), [1.5, 3, 11 / 3, 4.5])
    np.testing.assert_allclose(_running_mean(np.full(9, 2.0), 4), 2)


@pytest.mark.parametrize(
    "draw",
    [
        lambda path, _: save_scatter(path, {"data": POINTS, "samples": POINTS[:5]}),
        lambda path, _: save_density(path, lambda x: -np.sum(x**2, -1), limit=3.0, samples=POINTS, points=20),
        lambda path, _: save_density(path, lambda x: -np.sum(x**2, -1), limit=3.0, points=20),
        lambda path, metrics: save_training_curves(path, metrics, ("loss", "validation")),
        lambda path, _: save_ladder(path, LADDER, highlight="a"),
        lambda path, _: save_neighbor_distances(path, np.abs(POINTS[:, 0]), np.abs(POINTS[:, 1])),
        lambda path, _: save_histograms(path, RNG.integers(0, 256, (9, 4, 4, 3)), [3, 6]),
        lambda path, _: save_histograms(path, np.ones((9, 2))),
    ],
    ids=[
        "scatter",
        "density and samples",
        "density",
        "curves",
        "ladder",
        "distances",
        "colours",
        "one value",
    ],
)
def test_figures_are_whole_pictures(draw, tmp_path, metrics):
    with Image.open(draw(tmp_path / "figure.png", metrics)) as picture:
        pixels = np.asarray(picture.convert("RGB"))
    assert min(pixels.shape[:2]) > 150
    assert len(np.unique(pixels.reshape(-1, 3), axis=0)) > 10
    assert sorted(p.name for p in tmp_path.iterdir()) == ["figure.png", "metrics.csv"]


def test_the_density_is_drawn_where_it_is(tmp_path):
    """A narrow bump in the upper right must darken the upper right of the picture."""
    path = save_density(
        tmp_path / "d.png", lambda x: -np.sum((x - 1.5) ** 2, -1) / 0.1, limit=3.0, points=60, title=""
    )
    ink = 255.0 - np.asarray(Image.open(path).convert("L"))
    rows, columns = np.nonzero(ink > 150)
    assert rows.mean() < 0.45 * ink.shape[0]
    assert columns.mean() > 0.6 * ink.shape[1]


def test_pyplot_is_not_touched():
    source = (sys.modules["score_sde.evaluation.plots"].__file__ or "").strip()
    with open(source, encoding="utf-8") as stream:
        assert "import matplotlib.pyplot" not in stream.read()


@pytest.mark.parametrize(
    "call",
    [
        lambda path, _: save_scatter(path, {"x": np.zeros((3, 3))}),
        lambda path, _: save_scatter(path, {}),
        lambda path, _: save_ladder(path, {}),
        lambda path, _: save_histograms(path, np.ones((0, 2))),
        lambda path, _: save_neighbor_distances(path, POINTS[:0, 0], POINTS[:, 0]),
        lambda path, metrics: save_training_curves(path, metrics, ("los",)),
        lambda path, metrics: save_training_curves(path, metrics.with_name("none.csv")),
    ],
)
def test_bad_input_is_refused(call, tmp_path, metrics):
    with pytest.raises(InputError):
        call(tmp_path / "x.png", metrics)
