import numpy as np
from grain import sources
from sklearn.datasets import load_digits

from score_sde.data import Digits


def test_splits_are_those_of_the_stated_permutation():
    images, labels = load_digits(return_X_y=True)
    order = np.random.default_rng(3).permutation(1797)
    data = Digits(seed=3)
    expected = {"test": order[:297], "validation": order[297:497], "train": order[497:]}
    for name, indices in expected.items():
        arrays = data.split(name).arrays()
        np.testing.assert_array_equal(arrays["x"].reshape(-1, 64), images[indices])
        np.testing.assert_array_equal(arrays["label"], labels[indices])
    assert data.shape == (8, 8, 1)
    assert data.n_classes == 10
    assert data.units.levels == 17


def test_sources_are_random_access_sources_as_grain_knows_them():
    source = Digits().split("train")
    assert isinstance(source, sources.RandomAccessDataSource)
    example = source[5]
    assert example["x"].shape == (8, 8, 1)
    np.testing.assert_array_equal(example["x"], source.batch([5])["x"][0])
