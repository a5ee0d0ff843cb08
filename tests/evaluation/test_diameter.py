"""The largest distance against scipy's, and how many pairs need not be looked at."""

import numpy as np
import pytest
from scipy.spatial.distance import pdist, squareform

from score_sde.errors import InputError
from score_sde.evaluation import diameter, largest_distance

RNG = np.random.default_rng


def check(rows, found):
    distances = squareform(pdist(rows.reshape(len(rows), -1).astype(float)))
    assert found.exact
    assert found.distance == found.bound == pytest.approx(distances.max(), rel=1e-12)
    assert distances[found.pair] == pytest.approx(distances.max(), rel=1e-12)


@pytest.mark.parametrize("seed", range(3))
def test_random_points(seed, monkeypatch):
    monkeypatch.setattr(diameter, "BLOCK", 16)  # many blocks, the last one short
    rows = RNG(seed).standard_normal((301, 5)).astype(np.float32)
    check(rows, largest_distance(rows))


def test_images_as_bytes():
    images = RNG(0).integers(0, 256, (50, 4, 4, 3), dtype=np.uint8)
    images[7], images[31] = 0, 255
    found = largest_distance(images)
    check(images, found)
    assert found.distance == pytest.approx(255 * np.sqrt(48))  # black and white
    assert set(found.pair) == {7, 31}


def test_far_from_the_origin_nothing_is_lost():
    rows = RNG(0).standard_normal((40, 3)) + 1e7
    check(rows, largest_distance(rows))


def test_the_triangle_inequality_spares_most_pairs(monkeypatch):
    monkeypatch.setattr(diameter, "BLOCK", 16)
    rows = RNG(0).standard_normal((400, 3))
    rows[:2] = [[30, 0, 0], [-30, 0, 0]]
    found = largest_distance(rows)
    check(rows, found)
    assert found.compared < 1000  # of 79,800


def test_a_search_cut_short_says_so(monkeypatch):
    monkeypatch.setattr(diameter, "BLOCK", 16)
    rows = RNG(0).standard_normal((200, 50))
    seen = []
    found = largest_distance(rows, products=3 * 256 * 50, report=seen.append)
    whole = pdist(rows).max()
    assert not found.exact
    assert found.compared == 3 * 256
    assert 0.8 * whole < found.distance < whole + 1e-9 < found.bound
    assert seen[-1] == 1.0


def test_equal_examples():
    found = largest_distance(np.ones((5, 2)))
    assert found.exact
    assert found.distance == 0


def test_one_example_has_no_distance():
    with pytest.raises(InputError, match="at least 2"):
        largest_distance(np.ones((1, 2)))
