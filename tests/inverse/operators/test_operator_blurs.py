"""Blurs against scipy.ndimage, and against the moments of what blurs."""

import numpy as np
import pytest
import scipy.ndimage
from linear_operators import numbers

from score_sde.errors import InputError
from score_sde.inverse.operators import Convolution, GaussianBlur, MotionBlur, SeparableBlur

pytestmark = pytest.mark.usefixtures("x64")
SHAPE = (9, 12, 2)
X = numbers(2, *SHAPE)


def channelwise(blur):
    """A function of one picture, on every channel of every example."""
    return np.stack([np.stack([blur(x[..., c]) for c in range(SHAPE[-1])], axis=-1) for x in X])


@pytest.mark.parametrize("std", [0.5, 1.3, 4.0])
def test_gaussian_blur_is_that_of_scipy(std):
    expected = channelwise(lambda x: scipy.ndimage.gaussian_filter(x, std, mode="reflect"))
    np.testing.assert_allclose(GaussianBlur(shape=SHAPE, std=std)(X), expected, atol=1e-12)
    wrong = np.asarray(GaussianBlur(shape=SHAPE, std=1.05 * std)(X))
    assert np.abs(wrong - expected).max() > 1e-4


@pytest.mark.parametrize("sides", [(3, 3), (5, 4), (2, 1), (9, 12)])
def test_convolution_is_that_of_scipy(sides):
    kernel = numbers(*sides)
    expected = channelwise(lambda x: scipy.ndimage.convolve(x, kernel, mode="wrap"))
    found = np.asarray(Convolution(shape=SHAPE, kernel=kernel)(X))
    np.testing.assert_allclose(found, expected, atol=1e-11)
    assert np.abs(found - 1.05 * expected).max() > 1e-2


def test_a_signal_is_convolved_along_its_length():
    signal, kernel = numbers(2, 10, 3), numbers(4)
    expected = scipy.ndimage.convolve1d(signal, kernel, axis=1, mode="wrap")
    np.testing.assert_allclose(Convolution(shape=(10, 3), kernel=kernel)(signal), expected, atol=1e-12)


def kernel_of(operator):
    """What becomes of a bright pixel in the middle, with coordinates to the right and upwards."""
    height, width = operator.shape[:2]
    x = np.zeros((1, *operator.shape))
    x[0, height // 2, width // 2] = 1
    found = np.asarray(operator(x))[0, ..., 0]
    up, right = height // 2 - np.arange(height)[:, None], np.arange(width) - width // 2
    return found, right, up


@pytest.mark.parametrize("angle", [0.0, 30.0, 90.0, 135.0, 200.0])
@pytest.mark.parametrize("length", [1.5, 6.0, 9.7])
def test_motion_blur_is_a_segment(length, angle):
    """Weight one, centred, and the variance length^2 / 12 of a segment along it.

    Bilinear interpolation adds the mean of f (1 - f) to the variance along each axis, f the fraction of a
    coordinate: between 0 and 1/4, whatever the direction.
    """
    found, right, up = kernel_of(MotionBlur(shape=(21, 23, 1), length=length, angle=angle))
    assert found.min() > -1e-12
    np.testing.assert_allclose([found.sum(), (found * right).sum(), (found * up).sum()], [1, 0, 0], atol=1e-9)
    direction = np.array([np.cos(np.radians(angle)), np.sin(np.radians(angle))])
    along = direction[0] * right + direction[1] * up
    across = direction[0] * up - direction[1] * right
    assert 0 <= (found * along**2).sum() - length**2 / 12 * (1 - 1e-3) <= 0.25
    assert 0 <= (found * across**2).sum() + 1e-9 <= 0.25


def test_a_horizontal_motion_has_its_weights_in_closed_form():
    """A path from -1.5 to 1.5 holds all of the triangle about 0, 7/8 of that about 1, 1/8 of that about 2."""
    found, _, _ = kernel_of(MotionBlur(shape=(5, 9, 1), length=3.0, angle=0.0))
    expected = np.array([0, 0, 1 / 8, 7 / 8, 1, 7 / 8, 1 / 8, 0, 0]) / 3
    np.testing.assert_allclose(found[2], expected, atol=2e-4)
    assert (
        np.abs(kernel_of(MotionBlur(shape=(5, 9, 1), length=3.15, angle=0.0))[0][2] - expected).max() > 5e-3
    )


def test_rows_and_columns_are_matrices():
    rows, columns = numbers(4, 9), numbers(13, 12)
    found = SeparableBlur(shape=SHAPE, rows=rows, columns=columns)(X)
    np.testing.assert_allclose(found, np.einsum("hi,wj,bijc->bhwc", rows, columns, X), atol=1e-12)


@pytest.mark.parametrize(
    ("build", "words"),
    [
        (lambda: GaussianBlur(shape=SHAPE, std=0.0), "GaussianBlur.std = 0.0: expected a number above 0"),
        (lambda: GaussianBlur(shape=(5,)), r"GaussianBlur.shape = \(5,\): expected a tuple of whole numbers"),
        (lambda: GaussianBlur(shape=[4, 4, 1]), "GaussianBlur.shape"),
        (lambda: Convolution(shape=SHAPE, kernel=np.ones((10, 3))), "finite numbers of at most .9, 12."),
        (lambda: Convolution(shape=SHAPE, kernel=np.ones(3)), "cut the kernel"),
        (lambda: Convolution(shape=SHAPE, kernel=np.full((3, 3), np.nan)), "finite numbers"),
        (
            lambda: MotionBlur(shape=SHAPE, length=9.0),
            "MotionBlur.length = 9.0: expected less than the sides",
        ),
        (lambda: MotionBlur(shape=(9, 2), length=2.0), "MotionBlur.shape"),
        (lambda: MotionBlur(shape=SHAPE, length=2.0, angle=float("nan")), "MotionBlur.angle"),
        (lambda: SeparableBlur(shape=SHAPE, rows=np.eye(9)), "give rows, and columns for images"),
        (lambda: SeparableBlur(shape=SHAPE, rows=np.eye(9), columns=np.eye(9)), "columns = .*measured, 12"),
    ],
)
def test_mistakes_are_told(build, words):
    with pytest.raises(InputError, match=words) as told:
        build()
    assert "\n" not in str(told.value)
