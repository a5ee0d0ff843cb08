"""Statistics gathered in parts against numpy's of the whole."""

import numpy as np
import pytest

from score_sde.errors import InputError
from score_sde.evaluation import Summary

IMAGES = np.random.default_rng(0).integers(0, 256, (30, 4, 5, 3), dtype=np.uint8)
LABELS = np.arange(30) % 4


def gathered(images, labels=None, size=7):
    summary = Summary()
    for start in range(0, len(images), size):
        part = slice(start, start + size)
        summary.add(images[part], None if labels is None else labels[part])
    return summary


def test_moments_and_ranges_by_channel():
    found = gathered(IMAGES, LABELS).as_dict()
    np.testing.assert_allclose(found["mean"], IMAGES.mean((0, 1, 2)), rtol=1e-12)
    np.testing.assert_allclose(found["std"], IMAGES.std((0, 1, 2)), rtol=1e-9)
    assert (found["examples"], found["min"], found["max"]) == (30, IMAGES.min(), IMAGES.max())
    assert found["labels"] == [8, 8, 7, 7]
    assert "labels" not in gathered(IMAGES).as_dict()


def test_duplicates_within_and_across():
    images = IMAGES.copy()
    images[[20, 29]] = images[3]
    summary = gathered(images)
    assert summary.duplicates == 2
    assert gathered(IMAGES).duplicates == 0
    assert gathered(IMAGES[10:15]).shared(gathered(images)) == 5
    assert gathered(IMAGES[18:23]).shared(summary) == 4  # the 20th was overwritten


def test_the_example_that_is_not_finite_is_named():
    rows = np.ones((10, 3))
    rows[8, 1] = np.nan
    with pytest.raises(InputError, match="example 8"):
        gathered(rows)
