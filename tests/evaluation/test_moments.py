"""Means and covariances in parts against numpy, and what is written against what is read."""

import numpy as np
import pytest

from score_sde.errors import InputError
from score_sde.evaluation import frechet, frechet_distance, load_moments, moments_of, save_moments

ROWS = np.random.default_rng(0).standard_normal((50, 4)) @ np.diag([1.0, 2, 3, 4]) + 1e4


def in_parts(rows, sizes):
    first, *rest = np.split(rows, np.cumsum(sizes))
    found = moments_of(first)
    for part in rest:
        found = found.plus(moments_of(part))
    return found


@pytest.mark.parametrize("sizes", [[], [1], [20, 1], [7, 7, 7]])
def test_moments_in_parts_are_numpys(sizes):
    """Far from the origin, where sums of squares would lose the digits."""
    found = in_parts(ROWS, sizes)
    assert found.n == 50
    np.testing.assert_allclose(found.mean, ROWS.mean(0), rtol=1e-14)
    np.testing.assert_allclose(found.covariance, np.cov(ROWS.T), rtol=1e-9)


def test_the_frechet_distance_of_moments_is_that_of_the_sets():
    other = ROWS[:20] * 1.1 - 1e3
    found = frechet(in_parts(ROWS, [9]), moments_of(other))
    np.testing.assert_allclose(found, frechet_distance(ROWS, other), rtol=1e-9)


def test_files(tmp_path):
    path = save_moments(tmp_path / "statistics.npz", moments_of(ROWS), features="Pixels")
    again = load_moments(path, features="Pixels")
    assert again.n == 50
    np.testing.assert_array_equal(again.mean, moments_of(ROWS).mean)
    np.testing.assert_allclose(again.covariance, np.cov(ROWS.T), rtol=1e-9)
    with np.load(path) as arrays:
        np.testing.assert_allclose(arrays["sigma"], np.cov(ROWS.T), rtol=1e-9)


def test_published_files_have_only_mu_and_sigma(tmp_path):
    np.savez(tmp_path / "fid.npz", mu=ROWS.mean(0), sigma=np.cov(ROWS.T))
    again = load_moments(tmp_path / "fid.npz", features="Inception")
    np.testing.assert_allclose(again.covariance, np.cov(ROWS.T), rtol=1e-9)
    assert frechet(again, moments_of(ROWS)) == pytest.approx(0, abs=1e-9)


def test_mistakes(tmp_path):
    path = save_moments(tmp_path / "statistics.npz", moments_of(ROWS), features="Pixels")
    with pytest.raises(InputError, match="Inception"):
        load_moments(path, features="Inception")
    with pytest.raises(InputError, match="inspect"):
        load_moments(tmp_path / "none.npz")
    (tmp_path / "text.npz").write_text("no archive")
    np.savez(tmp_path / "other.npz", mu=np.ones(3), sigma=np.ones(3))
    for name in ("text.npz", "other.npz"):
        with pytest.raises(InputError, match="mu and sigma"):
            load_moments(tmp_path / name)
    with pytest.raises(InputError, match="at least 2"):
        _ = moments_of(ROWS[:1]).covariance
    with pytest.raises(InputError, match="same features"):
        frechet(moments_of(ROWS), moments_of(ROWS[:, :2]))
