"""Every linear operator against its own matrix: numpy's pinv, svd and solve know what it should do."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from linear_operators import (
    adjoint,
    apply,
    deficient,
    image_of,
    iterated_adjoint,
    linear_cases,
    matrix_of,
    measured_spectrum,
    numbers,
    rows,
    spectrum,
    units,
    weighted_adjoint,
)

from score_sde.inverse import LinearOperator, SpectralOperator
from score_sde.inverse.operators import Dense, GaussianBlur

BATCH = 3
CASES = linear_cases()
pytestmark = pytest.mark.usefixtures("x64")
every = pytest.mark.parametrize("build", [b for _, b in CASES], ids=[name for name, _ in CASES])


def image(operator, batch=BATCH):
    return numbers(batch, *operator.shape)


def measured(operator, batch=BATCH):
    return numbers(batch, *operator.measured_shape)


def close(found, expected, tolerance=1e-8):
    expected = np.asarray(expected)
    np.testing.assert_allclose(found, expected, rtol=0, atol=tolerance * max(1.0, np.abs(expected).max()))


def adjoint_law(operator, matrix):
    x, y = image(operator), measured(operator)
    close(rows(apply(operator, x)), rows(x) @ matrix.T)
    close(rows(adjoint(operator, y)), rows(y) @ matrix)
    close(np.vdot(apply(operator, x), y), np.vdot(x, adjoint(operator, y)))


def weighted(operator, signal, noise, solve=weighted_adjoint):
    """Of every unit vector and of some more, each with its own variances, drawn by repeating those given."""
    y = np.concatenate([units(operator.measured_shape), measured(operator)])
    variances = (np.resize(values, len(y)) for values in (signal, noise))
    return rows(y), rows(solve(operator, y, *variances))


def pseudo_inverse_law(operator, matrix):
    y, found = weighted(operator, [1.0], [0.0])
    inverse = found[: len(matrix)].T
    close(found, y @ np.linalg.pinv(matrix, rcond=1e-9).T)
    seen, known = matrix @ inverse, inverse @ matrix
    close(seen @ matrix, matrix)
    close(known @ inverse, inverse)
    close(seen, seen.T)
    close(known, known.T)


def weighted_adjoint_law(operator, matrix, solve=weighted_adjoint):
    signal, noise = [0.5, 1.0, 3.0, 0.7], [0.1, 2.0, 0.03]
    y, found = weighted(operator, signal, noise, solve)
    count = len(y)
    each = zip(np.resize(signal, count), np.resize(noise, count), y, strict=True)
    unit = np.eye(len(matrix))
    expected = [matrix.T @ np.linalg.solve(s * matrix @ matrix.T + n * unit, row) for s, n, row in each]
    close(found, expected)


def spectral_law(operator, matrix):
    """V is orthogonal and real, A^T A = V S^2 V^T, and U^T takes A x to S V^T x."""
    unit, values = spectrum(operator, units(operator.shape)), np.asarray(operator.singular_values)
    assert unit.shape[1:] == values.shape
    assert not jnp.iscomplexobj(unit)
    right, size = rows(unit), values.size  # its columns are those of V
    close(right.T @ right, np.eye(size))
    close(rows(image_of(operator, units(values.shape))), right.T)
    values, kept = values.ravel(), np.asarray(operator.kept).ravel()
    assert (values >= 0).all()
    close(right.T @ matrix.T @ matrix @ right, np.diag(values**2))
    singular = np.linalg.svd(matrix)[1]
    close(np.sort(values)[::-1][: len(singular)], singular, 1e-7)
    assert kept.sum() == np.linalg.matrix_rank(matrix)
    left = rows(measured_spectrum(operator, units(operator.measured_shape)))
    close((matrix.T @ left) * values, right * values**2)
    close(left[:, kept].T @ left[:, kept], np.eye(kept.sum()), 1e-6)
    replaced_law(operator, right, kept)


def replaced_law(operator, right, kept):
    """In place of V^T x come other values where they are wanted, and nothing else changes."""
    x, z = image(operator), numbers(BATCH, *operator.singular_values.shape)
    there = kept & (np.arange(kept.size) % 3 > 0)
    wanted = np.where(there, rows(z), rows(x) @ right) @ right.T
    found = jax.jit(type(operator).replaced)(operator, x, z, there.reshape(z.shape[1:]))
    close(rows(found), wanted)


@every
def test_the_adjoint_is_the_transposed_matrix(build):
    operator = build()
    adjoint_law(operator, matrix_of(operator))


@every
def test_the_pseudo_inverse_is_that_of_moore_and_penrose(build):
    operator = build()
    pseudo_inverse_law(operator, matrix_of(operator))


@every
def test_the_weighted_adjoint_solves_with_the_covariance(build):
    operator = build()
    weighted_adjoint_law(operator, matrix_of(operator))


@every
def test_the_decomposition_is_one(build):
    operator = build()
    if isinstance(operator, SpectralOperator):
        spectral_law(operator, matrix_of(operator))


@pytest.mark.parametrize("matrix", [deficient(), deficient().T, numbers(4, 6)])
def test_conjugate_gradients_solve_what_the_decomposition_solves(matrix):
    """Also where neither rows nor columns are independent, and y is not in the range of A."""
    operator = Dense(matrix=matrix)
    weighted_adjoint_law(operator, matrix, iterated_adjoint)
    _, found = weighted(operator, [1.0], [0.0], iterated_adjoint)
    close(found[: len(matrix)].T, np.linalg.pinv(matrix, rcond=1e-9))


def test_variances_may_be_scalars():
    operator = Dense(matrix=numbers(4, 6))
    y, matrix = measured(operator), np.asarray(operator.matrix)
    expected = rows(y) @ np.linalg.solve(0.7 * matrix @ matrix.T + 0.2 * np.eye(4), matrix)
    for solve in (weighted_adjoint, iterated_adjoint):
        np.testing.assert_allclose(rows(solve(operator, y, 0.7, 0.2)), expected, atol=1e-8)


class Unseen(LinearOperator):
    """The first value, and roundings of nothing, which a person would call zero."""

    def __call__(self, x):
        return jnp.concatenate([x[:, :1], 1e-16 * x[:, 1:2] + 1e-16 * x[:, :1]], axis=1)


def test_what_is_not_seen_but_for_roundings_is_not_solved_for():
    found = iterated_adjoint(Unseen(shape=(3,)), np.array([[2.0, 0.0], [0.0, 1.0], [2.0, 5.0]]), 1.0, 0.0)
    np.testing.assert_allclose(found, [[2, 0, 0], [0, 0, 0], [2, 0, 0]], atol=1e-8)


def test_derivatives_pass_through_the_solution():
    """By y and by both variances: conjugate gradients have those of the closed form."""
    operator, y = Dense(matrix=numbers(4, 6)), measured(Dense(matrix=numbers(4, 6)))
    weights = numbers(BATCH, 6)
    slopes = []
    for solve in (weighted_adjoint, iterated_adjoint):

        def total(y, signal, noise, solve=solve):
            return jnp.sum(weights * solve(operator, y, signal, noise))

        slopes.append(jax.grad(total, argnums=(0, 1, 2))(y, 0.7, np.array([0.1, 2.0, 0.3])))
    for found, expected in zip(slopes[1], slopes[0], strict=True):
        close(found, expected)
        assert np.abs(1.05 * np.asarray(found) - expected).max() > 1e-3


@pytest.mark.parametrize("name", ["LinearStacked-0", "RadonTransform-0", "Colorization-0"])
def test_dense_is_the_same_operator(name):
    operator = dict(CASES)[name]()
    dense = Dense.of(operator)
    assert dense.measured_shape == operator.measured_shape
    assert dense.shape == operator.shape
    close(np.asarray(dense.matrix), matrix_of(operator))


@every
def test_operators_pass_through_transformations(build):
    """Built again from leaves, mapped over and differentiated; another measurement compiles nothing."""
    operator = build()
    leaves, tree = jax.tree.flatten(operator)
    rebuilt, matrix = jax.tree.unflatten(tree, leaves), matrix_of(operator)

    traced = []

    @jax.jit
    def answers(operator, x, y):
        traced.append(None)

        def misfit(x):
            return 0.5 * jnp.sum(jnp.square(operator(x) - y))

        return jax.vmap(lambda x: operator(x[None])[0])(x), jax.grad(misfit)(x)

    x, y = image(operator), measured(operator)
    assert y.shape[1:] == rebuilt.measured_shape
    each, gradient = answers(rebuilt, x, y)
    close(rows(each), rows(x) @ matrix.T)
    close(rows(gradient), (rows(each) - rows(y)) @ matrix)
    assert rows(answers(build(), 2 * x, y + 1)[0]).shape == rows(each).shape
    assert len(traced) == 1


@every
def test_single_precision_stays_and_is_accurate(build):
    with jax.enable_x64(False):
        operator = build()
        x = image(operator).astype(np.float32)
        y = apply(operator, x)
        back = weighted_adjoint(operator, y, np.array([1, 1, 0], np.float32), np.zeros(BATCH, np.float32))
        assert y.dtype == back.dtype == adjoint(operator, y).dtype == jnp.float32
        tolerance = 2e-4 if isinstance(operator, SpectralOperator) else 2e-3
        close(apply(operator, back)[:2], y[:2], tolerance)
        assert not back[2].any()  # whose variances are zero


class WrongAdjoint(GaussianBlur):
    def adjoint(self, y):
        return 1.05 * super().adjoint(y)


class WrongValues(GaussianBlur):
    @property
    def singular_values(self):
        return 1.05 * super().singular_values


class WrongBasis(GaussianBlur):
    def to_spectrum(self, x):
        return super().to_spectrum(jnp.roll(x, 1, axis=1))


class WrongLeft(GaussianBlur):
    def measured_spectrum(self, y):
        return 1.05 * super().measured_spectrum(y)


@pytest.mark.parametrize(
    ("law", "wrong"),
    [
        (adjoint_law, WrongAdjoint),
        (pseudo_inverse_law, WrongValues),
        (pseudo_inverse_law, WrongLeft),
        (weighted_adjoint_law, WrongValues),
        (spectral_law, WrongValues),
        (spectral_law, WrongBasis),
        (spectral_law, WrongLeft),
    ],
)
def test_the_laws_reject_five_percent(law, wrong):
    right = GaussianBlur(shape=(4, 5, 1), std=0.6)
    matrix = matrix_of(right)
    law(right, matrix)
    with pytest.raises(AssertionError):
        law(wrong(shape=(4, 5, 1), std=0.6), matrix)
