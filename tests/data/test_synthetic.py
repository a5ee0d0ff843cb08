import numpy as np
import pytest

from score_sde.data import Synthetic
from score_sde.dequantization import Rescaled
from score_sde.errors import InputError


def test_images_of_the_shape_and_classes_asked_for():
    data = Synthetic(shape=(8, 6, 3), n_classes=5, size=40, units=Rescaled(levels=256))
    train = data.split("train").arrays()
    assert train["x"].shape == (40, 8, 6, 3)
    assert train["x"].dtype == np.uint8
    assert set(train["label"]) <= set(range(5))
    assert data.units.encode(None, train["x"]).min() >= -1
    assert len(data.split("test")) == 10


def test_examples_differ_are_smooth_and_depend_on_the_seed():
    x = Synthetic(shape=(16, 16, 1), size=8).split("train").arrays()["x"].astype(int)
    assert len(np.unique(x.reshape(8, -1), axis=0)) == 8
    assert np.abs(np.diff(x, axis=1)).max() <= 255 / 15 / 2 + 1  # half of the range along each axis
    again = Synthetic(shape=(16, 16, 1), size=8).split("train").arrays()["x"]
    np.testing.assert_array_equal(x, again)
    assert not np.array_equal(x, Synthetic(shape=(16, 16, 1), size=8, seed=1).split("train").arrays()["x"])


def test_sequences_too():
    assert Synthetic(shape=(12, 2)).split("train")[0]["x"].shape == (12, 2)


@pytest.mark.parametrize("wrong", [{"size": 3}, {"n_classes": 0}])
def test_impossible_counts_are_refused(wrong):
    with pytest.raises(InputError, match=f"data.{next(iter(wrong))}"):
        Synthetic(shape=(4, 4, 1), **wrong)
