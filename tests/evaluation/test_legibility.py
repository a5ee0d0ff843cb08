"""The judge reads real digits, and is not fooled by what is none."""

import numpy as np
import pytest
from sklearn.datasets import load_digits

from score_sde.errors import InputError
from score_sde.evaluation import assess_legibility, train_judge

DIGITS = load_digits()
ORDER = np.random.default_rng(0).permutation(1797)
IMAGES, LABELS = DIGITS.images[ORDER][..., None], DIGITS.target[ORDER]
TEST, TRAIN = slice(0, 297), slice(497, None)
RNG = np.random.default_rng(1)


@pytest.fixture(scope="module")
def judge():
    return train_judge(IMAGES[TRAIN], LABELS[TRAIN])


def test_real_digits_are_read(judge):
    """An independent classifier is over 90 % sure of 94 % of real test digits."""
    result = assess_legibility(judge, IMAGES[TEST], LABELS[TEST])
    assert result.accuracy > 0.98
    assert abs(result.confident - 0.94) < 0.05
    assert result.coverage > 0.98
    np.testing.assert_allclose(result.class_histogram, np.bincount(LABELS[TEST]) / 297, atol=0.02)


@pytest.mark.parametrize(
    ("images", "most"),
    [
        (RNG.integers(0, 17, (300, 8, 8, 1)), 0.02),
        # Pixels drawn from their own histograms: right marginals, no strokes.
        (RNG.permuted(IMAGES[TRAIN][:300].reshape(300, 64), axis=0).reshape(300, 8, 8, 1), 0.1),
        (np.zeros((3, 8, 8, 1)), 0.0),
        (np.repeat(IMAGES[TRAIN].mean(axis=0, keepdims=True), 3, axis=0), 0.0),
        # Two digits on top of one another.
        ((IMAGES[:148] + IMAGES[148:296]) / 2, 0.4),
    ],
    ids=["noise", "shuffled pixels", "blank", "mean", "two at once"],
)
def test_what_is_no_digit_is_not_confident(judge, images, most):
    assert assess_legibility(judge, images).confident <= most


def test_legibility_falls_with_noise(judge):
    noise = RNG.standard_normal((297, 8, 8, 1))
    values = [assess_legibility(judge, IMAGES[TEST] + scale * noise).confident for scale in (0, 2, 4, 8)]
    assert values == sorted(values, reverse=True)
    assert values[-1] < 0.2


def test_dropped_classes_show_in_coverage(judge):
    few = IMAGES[TEST][LABELS[TEST] < 5]
    result = assess_legibility(judge, few)
    assert result.class_histogram[5:].sum() < 0.02
    assert abs(result.coverage - np.log(5) / np.log(10)) < 0.03


def test_the_numbers_are_those_of_the_probabilities():
    """A judge known by heart: sure of one class, then undecided."""

    class Known:
        classes = np.array(["a", "b"])

        def __call__(self, images):
            return np.array([[1.0, 0.0], [0.5, 0.5], [0.05, 0.95], [0.0, 1.0]])

    result = assess_legibility(Known(), np.zeros((4, 1)), np.array(["a", "a", "b", "a"]))
    assert result.confident == 0.75
    np.testing.assert_allclose(result.confident_stderr, np.sqrt(0.75 * 0.25 / 4))
    mixed = -(0.05 * np.log(0.05) + 0.95 * np.log(0.95))
    np.testing.assert_allclose(result.entropy, (np.log(2) + mixed) / 4)
    np.testing.assert_allclose(result.class_histogram, [0.5, 0.5])
    assert (result.coverage, result.accuracy) == (1.0, 0.75)


@pytest.mark.parametrize(
    ("images", "labels"),
    [
        (IMAGES[:50], LABELS[:49]),
        (IMAGES[:50], np.zeros(50)),
        (IMAGES[:12], LABELS[:12]),
        (IMAGES[:0], LABELS[:0]),
    ],
    ids=["counts differ", "one class", "too few a class", "empty"],
)
def test_bad_training_data_are_refused(images, labels):
    with pytest.raises(InputError):
        train_judge(images, labels)


def test_images_of_another_shape_are_refused(judge):
    with pytest.raises(InputError, match="judge"):
        assess_legibility(judge, np.zeros((3, 4, 16, 1)))
    with pytest.raises(InputError, match="labels"):
        assess_legibility(judge, IMAGES[:3], LABELS[:4])
    with pytest.raises(InputError, match="NaN"):
        assess_legibility(judge, np.full((3, 8, 8, 1), np.nan))
