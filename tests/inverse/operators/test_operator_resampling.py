"""Shrinking against Pillow, and colours against the numbers of the score-SDE paper's code."""

import numpy as np
import pytest
from linear_operators import numbers
from PIL import Image

from score_sde.errors import InputError
from score_sde.inverse.operators import AveragePooling, BicubicDownsampling, Colorization

# Numbers printed in controllable_generation.py of yang-song/score_sde (get_pc_colorizer), in float32.
PAPER = np.array(
    [
        [5.7735014e-01, -8.1649649e-01, 4.7008697e-08],
        [5.7735026e-01, 4.0824834e-01, 7.0710671e-01],
        [5.7735026e-01, 4.0824822e-01, -7.0710683e-01],
    ]
)


def resized(x, factor, filter_):
    """By Pillow, which computes in float32 on single pictures."""
    height, width = x.shape
    picture = Image.fromarray(x.astype(np.float32))
    return np.asarray(picture.resize((width // factor, height // factor), filter_))


@pytest.mark.parametrize(
    ("cls", "filter_"),
    [(BicubicDownsampling, Image.Resampling.BICUBIC), (AveragePooling, Image.Resampling.BOX)],
)
@pytest.mark.parametrize("factor", [1, 2, 3, 4])
def test_shrinking_is_that_of_pillow(cls, filter_, factor):
    x = numbers(24, 36)
    operator = cls(shape=(24, 36, 2), factor=factor)
    found = np.asarray(operator(np.stack([x, -x], axis=-1)[None]))[0]
    expected = resized(x, factor, filter_)
    np.testing.assert_allclose(found[..., 0], expected, atol=2e-6)
    np.testing.assert_allclose(found[..., 1], -expected, atol=2e-6)
    assert np.abs(found[..., 0] - 1.05 * expected).max() > 1e-3
    other = resized(x, factor, Image.Resampling.LANCZOS)
    assert factor == 1 or np.abs(found[..., 0] - other).max() > 1e-2


def test_a_constant_stays():
    for cls in (BicubicDownsampling, AveragePooling):
        np.testing.assert_allclose(cls(shape=(8, 12, 1), factor=4)(np.ones((1, 8, 12, 1))), 1, atol=1e-6)


@pytest.mark.usefixtures("x64")
def test_colours_are_mixed_as_in_the_paper():
    x = numbers(2, 4, 5, 3)
    operator = Colorization(shape=(4, 5, 3))
    np.testing.assert_allclose(operator.basis, PAPER, atol=2e-7)
    mixtures = np.einsum("bijc,ck->bijk", x, PAPER)
    np.testing.assert_allclose(operator.to_spectrum(x), mixtures, atol=2e-6)
    np.testing.assert_allclose(operator(x), mixtures[..., :1], atol=2e-6)
    assert np.abs(1.05 * np.asarray(operator(x)) - mixtures[..., :1]).max() > 1e-2


def test_a_grey_picture_is_measured_as_itself_times_the_root_of_three():
    grey = numbers(1, 4, 5, 1)
    found = Colorization(shape=(4, 5, 3))(np.repeat(grey, 3, axis=-1))
    np.testing.assert_allclose(found, np.sqrt(3) * grey, rtol=1e-5)


@pytest.mark.parametrize(
    ("build", "words"),
    [
        (lambda: AveragePooling(shape=(28, 28, 1), factor=3), r"one of \[1, 2, 4, 7, 14, 28\], or crop"),
        (lambda: BicubicDownsampling(shape=(8, 12, 1), factor=8), r"one of \[1, 2, 4\], or crop"),
        (lambda: AveragePooling(shape=(8, 8, 1), factor=2.0), "factor = 2.0: expected a whole number"),
        (lambda: AveragePooling(shape=(8, 8, 1), factor=0), "factor = 0: expected a whole number, 1 or more"),
        (lambda: Colorization(shape=(8, 8, 1)), "more than one channel; grey has no colour"),
    ],
)
def test_mistakes_are_told(build, words):
    with pytest.raises(InputError, match=words) as told:
        build()
    assert "\n" not in str(told.value)
