"""Masks, Hadamard sensing and Fourier sampling against numpy.fft and scipy.linalg.hadamard."""

import numpy as np
import pytest
import scipy.linalg
from linear_operators import chance, matrix_of, numbers

from score_sde.errors import InputError
from score_sde.inverse.operators import Dense, FourierSampling, HadamardSensing, Identity, Mask
from score_sde.inverse.operators.hartley import hartley
from score_sde.inverse.operators.walsh import walsh_hadamard

pytestmark = pytest.mark.usefixtures("x64")


@pytest.mark.parametrize("length", [1, 2, 8, 64, 512])
def test_walsh_hadamard_is_that_of_scipy(length):
    expected = scipy.linalg.hadamard(length) / np.sqrt(length)
    found = np.asarray(walsh_hadamard(np.eye(length)))
    np.testing.assert_allclose(found, expected, atol=1e-12)
    assert length == 1 or np.abs(np.asarray(walsh_hadamard(np.eye(length)[::-1])) - expected).max() > 0.01


@pytest.mark.parametrize("length", [3, 12, 49, 48])
def test_any_length_has_an_orthogonal_symmetric_transform(length):
    found = np.asarray(walsh_hadamard(np.eye(length)))
    np.testing.assert_allclose(found, found.T, atol=1e-12)
    np.testing.assert_allclose(found @ found, np.eye(length), atol=1e-12)
    power = length & -length
    angles = 2 * np.pi * np.outer(np.arange(length // power), np.arange(length // power)) * power / length
    odd = (np.cos(angles) + np.sin(angles)) / np.sqrt(length / power)
    np.testing.assert_allclose(found, np.kron(scipy.linalg.hadamard(power) / np.sqrt(power), odd), atol=1e-12)


def test_sensing_takes_rows_of_a_hadamard_matrix_with_random_signs():
    operator = HadamardSensing(shape=(4, 4, 2), n=13, seed=5)
    matrix = matrix_of(operator) * np.asarray(operator.signs)
    expected = scipy.linalg.hadamard(32)[np.asarray(operator.indices)] / np.sqrt(32)
    np.testing.assert_allclose(matrix, expected, atol=1e-12)
    assert len(set(np.asarray(operator.indices).tolist())) == 13
    assert set(np.asarray(operator.signs).tolist()) == {-1.0, 1.0}
    same, other = (matrix_of(HadamardSensing(shape=(4, 4, 2), n=13, seed=seed)) for seed in (5, 6))
    np.testing.assert_array_equal(same, matrix_of(operator))
    assert np.abs(other - same).max() > 0.1


@pytest.mark.parametrize("sides", [(6,), (5,), (4, 6), (5, 3)])
def test_hartley_is_cosine_and_sine(sides):
    x = numbers(2, *sides)
    grids = np.meshgrid(*(np.arange(n) for n in sides), indexing="ij")
    phase = 2 * np.pi * sum(np.multiply.outer(g, g) / n for g, n in zip(grids, sides, strict=True))
    axes = list(range(1, x.ndim))
    expected = np.tensordot(x, np.cos(phase) + np.sin(phase), axes=(axes, range(len(sides))))
    found = hartley(x, axes)
    np.testing.assert_allclose(found, expected / np.sqrt(np.prod(sides)), atol=1e-12)
    np.testing.assert_allclose(hartley(found, axes), x, atol=1e-12)


@pytest.mark.parametrize("shape", [(5, 8, 2), (4, 6, 1), (9, 2)])
def test_frequencies_are_those_of_numpy(shape):
    x, mask = numbers(2, *shape), chance(0.5, *shape[:-1])
    found = np.asarray(FourierSampling(shape=shape, mask=mask)(x))
    expected = np.fft.fftn(x, axes=range(1, len(shape)), norm="ortho")[:, mask]
    np.testing.assert_allclose(found[:, :, 0] + 1j * found[:, :, 1], expected, atol=1e-12)
    assert np.abs(1.05 * found[:, :, 0] - expected.real).max() > 1e-2


def test_a_frequency_without_its_partner_counts_half():
    """k and -k of a real image are one piece of knowledge: seen twice 1, once 1 / sqrt(2)."""
    mask = np.zeros(8, bool)
    mask[[0, 1, 7, 2, 4]] = True  # 0 and 4 are their own partners, 1 and 7 one another's, 6 is missing
    values = np.asarray(FourierSampling(shape=(8, 1), mask=mask).singular_values)[:, 0]
    root = np.sqrt(0.5)
    np.testing.assert_allclose(values, [1, 1, root, 0, 1, 0, root, 1], atol=1e-15)


def test_all_frequencies_are_an_isometry():
    x = numbers(2, 6, 5, 2)
    operator = FourierSampling(shape=(6, 5, 2), mask=np.ones((6, 5), bool))
    np.testing.assert_allclose(np.square(operator(x)).sum(), np.square(x).sum(), rtol=1e-12)
    np.testing.assert_allclose(operator.pseudo_inverse(operator(x)), x, atol=1e-12)


def test_a_mask_keeps_values_in_order():
    x, mask = numbers(2, 4, 5, 3), chance(0.4, 4, 5, 3)
    operator = Mask(mask=mask)
    np.testing.assert_array_equal(operator(x), x[:, mask])
    np.testing.assert_array_equal(operator.adjoint(operator(x)), np.where(mask, x, 0))
    pixels = chance(0.4, 4, 5, 1)
    np.testing.assert_array_equal(
        Mask(mask=pixels, shape=(4, 5, 3))(x), x[:, np.broadcast_to(pixels, (4, 5, 3))]
    )


SHAPE = (4, 6, 3)


@pytest.mark.parametrize(
    ("build", "words"),
    [
        (lambda: Mask(mask=np.ones(SHAPE)), "an array of float64.*expected booleans; compare what you have"),
        (lambda: Mask(mask=np.ones(SHAPE, np.uint8)), "uint8.*mask > 0.5"),
        (lambda: Mask(mask=np.zeros(SHAPE, bool)), "False everywhere.*at least one value that is seen"),
        (lambda: Mask(shape=SHAPE, mask=np.ones((4, 6), bool)), r"shape \(4, 6\).*axes may be 1"),
        (lambda: Mask(shape=SHAPE, mask=np.ones((4, 5, 1), bool)), r"expected the shape \(4, 6, 3\)"),
        (lambda: HadamardSensing(shape=SHAPE, n=73), "n = 73: expected a whole number from 1 to 72"),
        (lambda: HadamardSensing(shape=SHAPE, n=0.5), "n = 0.5: expected a whole number"),
        (lambda: FourierSampling(shape=SHAPE, mask=np.ones(SHAPE, bool)), r"expected the shape \(4, 6\)"),
        (lambda: FourierSampling(shape=SHAPE, mask=np.zeros((4, 6), bool)), "at least one frequency"),
        (lambda: FourierSampling(shape=(4,), mask=np.ones(4, bool)), "FourierSampling.shape"),
        (lambda: Dense(matrix=np.ones((2, 3, 4))), "two axes"),
        (lambda: Dense(matrix=np.full((2, 3), np.inf)), "finite numbers"),
        (lambda: Dense(matrix=np.ones((2, 3)), shape=(2, 2)), r"values of \(2, 2\)"),
        (lambda: Dense.of(Identity(shape=(128, 128, 1))), "at most 8192 values; use an operator"),
        (lambda: Identity(shape=(4, 0)), "Identity.shape"),
    ],
)
def test_mistakes_are_told(build, words):
    with pytest.raises(InputError, match=words) as told:
        build()
    assert "\n" not in str(told.value)
