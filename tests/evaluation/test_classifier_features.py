"""Features of a classifier: those of scikit-learn's own, and what a distance in them sees."""

import numpy as np
import pytest
from sklearn.datasets import load_digits, make_blobs
from sklearn.neural_network import MLPClassifier

from score_sde.errors import InputError
from score_sde.evaluation import ClassifierFeatures, frechet_distance

DIGITS = load_digits()
ORDER = np.random.default_rng(0).permutation(1797)
IMAGES, LABELS = DIGITS.images[ORDER][..., None], DIGITS.target[ORDER]
TRAIN, HALVES = slice(1000), (slice(1000, 1400), slice(1400, None))


@pytest.fixture(scope="module")
def features():
    return ClassifierFeatures.trained(IMAGES[TRAIN], LABELS[TRAIN])


def test_real_digits_are_told(features):
    """Nine in ten and more of those that it has not seen, where chance is one in ten."""
    found = features.classify(IMAGES[1000:])
    assert np.mean(found == LABELS[1000:]) > 0.9
    assert features(IMAGES[:3]).shape == (3, 16)
    assert features(IMAGES[:3]).min() >= 0


@pytest.mark.parametrize("classes", [2, 4])
def test_the_classifier_is_scikit_learns(classes):
    """Fitted by itself to the same values, it says the same; of two classes it has one output."""
    x, labels = make_blobs(200, 3, centers=classes, cluster_std=3.0, random_state=0)
    found = ClassifierFeatures.trained(x, labels + 5, widths=(7,), seed=1)
    rows = (x - x.mean(0)) / (x - x.mean(0)).std()
    model = MLPClassifier((7,), early_stopping=True, n_iter_no_change=20, random_state=1)
    model.fit(rows, labels + 5)
    np.testing.assert_array_equal(found.classify(x), model.predict(rows))
    hidden = np.maximum(rows @ model.coefs_[0] + model.intercepts_[0], 0)
    np.testing.assert_allclose(found(x), hidden, rtol=1e-9, atol=1e-12)


def test_a_missing_class_is_seen(features):
    """The Frechet distance of two halves of real data grows where one class of ten is left out."""
    first, second = (IMAGES[half] for half in HALVES)
    without = first[LABELS[HALVES[0]] != 3]
    fewer = first[: len(without)]  # as many, with all classes
    far, near = (frechet_distance(x, second, features=features) for x in (without, fewer))
    assert far > 1.5 * near


@pytest.mark.parametrize(
    "call",
    [
        lambda: ClassifierFeatures.trained(IMAGES[:10], LABELS[:9]),
        lambda: ClassifierFeatures.trained(IMAGES[:10], np.zeros(10)),
        lambda: ClassifierFeatures.trained(IMAGES[:10], np.arange(10) // 9),
        lambda: ClassifierFeatures.trained(IMAGES[:100], LABELS[:100] % 2, widths=()),
    ],
)
def test_mistakes(call):
    with pytest.raises(InputError):
        call()


def test_other_data_are_refused(features):
    with pytest.raises(InputError, match="64 values"):
        features(IMAGES[:2, :4])
