"""Features of images that need no network."""

import numpy as np
import pytest

from score_sde.errors import InputError
from score_sde.evaluation import Pixels

IMAGES = np.random.default_rng(0).integers(0, 256, (3, 8, 12, 3), dtype=np.uint8)


def test_small_events_are_their_values():
    np.testing.assert_array_equal(Pixels()(IMAGES), IMAGES.reshape(3, -1))
    assert Pixels()(IMAGES).dtype == np.float64
    assert Pixels().name == "Pixels"


@pytest.mark.parametrize(("limit", "side"), [(288, 1), (287, 2), (72, 2), (71, 4), (18, 4)])
def test_large_images_are_averaged_over_squares(limit, side):
    found = Pixels(limit=limit)(IMAGES)
    squares = [
        IMAGES[:, i : i + side, j : j + side].mean((1, 2))
        for i in range(0, 8, side)
        for j in range(0, 12, side)
    ]
    np.testing.assert_allclose(found, np.concatenate(squares, axis=1), rtol=1e-12)


def test_what_cannot_be_brought_below_the_limit():
    with pytest.raises(InputError, match=r"features\.limit"):
        Pixels(limit=17)(IMAGES)
    with pytest.raises(InputError, match=r"features\.limit"):
        Pixels(limit=10)(np.ones((3, 11)))
    with pytest.raises(InputError, match="positive"):
        Pixels(limit=0)
