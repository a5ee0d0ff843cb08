"""The league in small: its problems, its distances, the power of its calibration, and that it goes on."""

import numpy as np
import pytest
from scipy import stats

from experiments.posterior_league import calibration
from experiments.posterior_league.distances import SlicedDistance, directions
from experiments.posterior_league.play import FAST
from experiments.posterior_league.problems import make_problem
from experiments.posterior_league.run import run
from score_sde.errors import InputError
from score_sde.evaluation.distances import sliced_wasserstein


def test_problems_are_those_of_the_paper():
    """Cardoso et al. 2024, section 4: means on the grid of 8, singular values and noise below one."""
    for dim, measured in ((8, 1), (80, 4)):
        problem = make_problem(dim, measured, 3)
        means = np.asarray(problem.prior.means)
        assert means.shape == (25, dim)
        assert {tuple(mean[:2]) for mean in means} == {
            (8.0 * i, 8.0 * j) for i in range(-2, 3) for j in range(-2, 3)
        }
        np.testing.assert_array_equal(means[:, ::2], np.repeat(means[:, :1], dim // 2, axis=1))
        values = np.asarray(problem.measurement.operator.singular_values)
        assert np.sum(values > 0) == measured
        assert values.max() < 1
        assert 0 < problem.measurement.noise.std < values.max()
        again = make_problem(dim, measured, 3)
        np.testing.assert_array_equal(again.measurement.y, problem.measurement.y)


def test_distances_are_those_of_the_package_and_of_a_shift():
    """|shift| / sqrt(d) for p = 2 (Bonneel et al. 2015); the package's own, along other directions."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((300, 6)).astype(np.float32)
    y = 1.5 * rng.standard_normal((300, 6)).astype(np.float32)
    units = directions(6, 4000)

    def far(x, y):
        return SlicedDistance(y, units)(x)

    shift = np.array([3.0, 0, 4.0, 0, 0, 0], np.float32)
    np.testing.assert_allclose(far(x + shift, x).two, 5 / np.sqrt(6), rtol=0.03)
    other = sliced_wasserstein(x, y, np.random.default_rng(5), projections=4000)
    np.testing.assert_allclose(far(x, y).two, other, rtol=0.02)
    assert far(x, y).one < far(x, y).two
    np.testing.assert_allclose(far(x[:100], y), far(np.repeat(x[:100], 3, axis=0), y), rtol=1e-5)


@pytest.mark.parametrize(("replicates", "test"), [(16384, "p"), (16384, "p_mean"), (8192, "p_mean")])
def test_calibration_rejects_a_bias_of_five_percent(replicates, test):
    """Of all that a method's replicates are compared by; of 8192, which filters have, by the mean rank."""
    problem, rng = calibration.setting(), np.random.default_rng(0)
    truth, y = calibration.simulate(problem, replicates, seed=2)
    right = calibration.p_values(problem, truth, calibration.exact_draws(problem, y, rng))
    wrong = calibration.p_values(problem, truth, calibration.biased_draws(problem, y, rng))
    assert right["measured"][test] > 0.01
    assert right["first"][test] > 0.01
    assert wrong["measured"][test] < 0.01


def test_the_mean_rank_of_uniform_ranks_is_normal():
    """Its p-values are uniform: of 300 tests of ranks that numpy draws, by Kolmogorov and Smirnov."""
    problem, rng = calibration.setting(), np.random.default_rng(1)
    truth, draws = rng.standard_normal((300, 500, 8)), rng.standard_normal((300, 500, calibration.DRAWS, 8))
    found = [calibration.p_values(problem, *pair)["first"] for pair in zip(truth, draws, strict=True)]
    for test in ("p", "p_mean"):
        assert stats.kstest([of[test] for of in found], "uniform").pvalue > 0.01


def small(workdir, **changes):
    parts = {"size": FAST, "dims": [8], "measured": [1], "problems": 1, "names": ["DDRM", "MCGDiff"]}
    return run(workdir, **(parts | changes))


def test_the_small_form_runs_and_goes_on(tmp_path):
    results = small(tmp_path, calibrated=False)
    cell = results["cells"]["d8 dy1"]
    assert set(cell) == {"exact", "DDRM", "MCGDiff"}
    assert all(of["not_finite"] == 0 for of in cell.values())
    assert cell["exact"]["sliced_2"][1] < cell["DDRM"]["sliced_2"][1]
    assert cell["MCGDiff"]["evidence_error"] is not None
    assert (tmp_path / "league.png").stat().st_size > 1000
    files = {path: path.stat().st_mtime_ns for path in (tmp_path / "problems").rglob("*.json")}
    small(tmp_path, calibrated=False)
    assert files == {path: path.stat().st_mtime_ns for path in (tmp_path / "problems").rglob("*.json")}
    with pytest.raises(InputError, match="empty one"):
        small(tmp_path, size=FAST._replace(draws=50), calibrated=False)


def test_an_unknown_method_is_named(tmp_path):
    with pytest.raises(InputError, match="--methods"):
        small(tmp_path, names=["Nobody"])
