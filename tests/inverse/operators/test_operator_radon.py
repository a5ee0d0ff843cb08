"""Tomography against Radon transforms in closed form."""

import jax
import numpy as np
import pytest
from linear_operators import numbers

from score_sde.errors import InputError
from score_sde.inverse.operators import RadonTransform

pytestmark = pytest.mark.usefixtures("x64")
ANGLES = np.array([0.0, 17.0, 45.0, 90.0, 131.0, 270.0])


def coordinates(shape):
    """To the right and upwards from the middle, in pixels."""
    height, width = shape[:2]
    return np.arange(width) - (width - 1) / 2, ((height - 1) / 2 - np.arange(height))[:, None]


def detectors(operator):
    return np.arange(operator.detectors) - (operator.detectors - 1) / 2


def gaussian_views(operator, angles, centre, variance):
    """Of a normal density: normal densities about the centre's shadow."""
    turn = np.radians(angles)[:, None]
    middle = centre[0] * np.cos(turn) + centre[1] * np.sin(turn)
    return np.exp(-0.5 * np.square(detectors(operator) - middle) / variance) / np.sqrt(2 * np.pi * variance)


@pytest.mark.parametrize(
    ("angles", "boxes"),
    [
        (np.array([17.0, 45.0, 131.0, 303.0]), 2 / 12),
        (np.array([0.0, 90.0, 180.0, 270.0]), 0),
    ],
)
def test_a_normal_density_has_normal_shadows(angles, boxes):
    """Wider by the variances of pixels and detectors, boxes, unless each detector stands under one column."""
    shape, centre, std = (39, 41, 1), (4.0, -3.0), 3.0
    right, up = coordinates(shape)
    image = np.exp(-0.5 * ((right - centre[0]) ** 2 + (up - centre[1]) ** 2) / std**2) / (2 * np.pi * std**2)
    operator = RadonTransform(shape=shape, angles=angles)
    found = np.asarray(operator(image[None, ..., None]))[0, ..., 0]
    expected = gaussian_views(operator, angles, centre, std**2 + boxes)
    np.testing.assert_allclose(found, expected, atol=1e-3 * expected.max())
    for wrong in (1.05 * expected, gaussian_views(operator, angles, (4.2, -3.15), std**2 + boxes)):
        assert np.abs(found - wrong).max() > 1e-2 * expected.max()


def test_a_disc_has_chords_as_shadows():
    """2 sqrt(r^2 - s^2), but for the stairs of its edge: on average over the detectors to one part in 100."""
    shape, radius = (64, 64, 1), 24.0
    right, up = coordinates(shape)
    operator = RadonTransform(shape=shape, angles=ANGLES)
    found = np.asarray(operator((right**2 + up**2 < radius**2).astype(float)[None, ..., None]))[0, ..., 0]
    expected = 2 * np.sqrt(np.maximum(radius**2 - detectors(operator) ** 2, 0))
    assert np.abs(found - expected).mean() < 0.01 * expected.max()
    assert np.abs(found - 1.05 * expected).mean() > 0.01 * expected.max()


def test_every_view_holds_the_whole_mass():
    x = numbers(2, 7, 10, 3)
    mass = np.asarray(RadonTransform(shape=(7, 10, 3), angles=ANGLES)(x)).sum(axis=2)
    np.testing.assert_allclose(mass, np.broadcast_to(x.sum((1, 2))[:, None], mass.shape), atol=1e-12)


def test_views_along_the_axes_are_sums_of_rows_and_columns():
    x = numbers(1, 5, 5, 1)
    views = np.asarray(RadonTransform(shape=(5, 5, 1), angles=[0.0, 90.0, 180.0])(x))[0, :, :, 0]
    columns, rows = x[0, ..., 0].sum(0), x[0, ::-1, :, 0].sum(1)
    np.testing.assert_allclose(views[:, 2:-2], [columns, rows, columns[::-1]], atol=1e-12)
    assert views.shape == (
        3,
        9,
    )  # the diagonal of 7.07 needs eight, and the middle one stands under the middle


def test_opposite_views_are_mirrored():
    x = numbers(1, 6, 9, 1)
    views = np.asarray(RadonTransform(shape=(6, 9, 1), angles=[25.0, 205.0])(x))[0, ..., 0]
    np.testing.assert_allclose(views[0], views[1][::-1], atol=1e-12)


def test_enough_views_tell_the_image():
    """5 x 5 values from 12 views of 8 detectors, by conjugate gradients."""
    x = numbers(2, 5, 5, 1)
    operator = RadonTransform(shape=(5, 5, 1), angles=np.arange(12) * 15.0)
    back = jax.jit(lambda operator, y: operator.pseudo_inverse(y))(operator, operator(x))
    np.testing.assert_allclose(back, x, atol=1e-6)


@pytest.mark.parametrize(
    ("build", "words"),
    [
        (lambda: RadonTransform(shape=(5, 5, 1), angles=[]), "one or more finite angles in degrees"),
        (lambda: RadonTransform(shape=(5, 5, 1), angles=30.0), "RadonTransform.angles"),
        (lambda: RadonTransform(shape=(5, 5, 1), angles=[np.nan]), "finite angles"),
        (
            lambda: RadonTransform(shape=(5, 5), angles=[0.0]),
            r"expected a tuple of whole numbers, \(H, W, C\)",
        ),
    ],
)
def test_mistakes_are_told(build, words):
    with pytest.raises(InputError, match=words):
        build()
