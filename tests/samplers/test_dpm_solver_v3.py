"""DPM-Solver-v3 and its statistics: what is exact, what is the same, what is better, and what is refused."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from experiments.solver_orders import measure
from score_sde import denoisers, samplers, sdes
from score_sde.errors import InputError

pytestmark = pytest.mark.usefixtures("x64")
SDE = sdes.VP()


def places(count, first=0.95, last=0.02):
    ends = (0.5 * SDE.log_snr(jnp.asarray(t)) for t in (first, last))
    return np.linspace(*(float(end) for end in ends), count)


def normal():
    return denoisers.Gaussian(sde=SDE, mean=jnp.array([0.7, 0.7]), covariance=1.8 * jnp.eye(2))


def test_of_a_normal_law_the_statistics_are_known_and_two_steps_are_exact():
    """l = sigma^2 / (alpha^2 v + sigma^2), f = -l m for all x: s = 0 and b = -m dl / dlambda."""
    model, at = normal(), places(40)
    found = samplers.estimate_statistics(jax.random.key(0), model, model.sample(jax.random.key(1), 8), at)
    times = SDE.time_at_log_snr(2 * at)
    linear = SDE.variance(times) / (1.8 * SDE.alpha(times) ** 2 + SDE.variance(times))
    np.testing.assert_allclose(found.linear, linear, rtol=1e-9)
    np.testing.assert_allclose(found.rate, 0, atol=1e-9)
    offset = 0.7 * 2 * linear * (1 - linear)  # dl / dlambda is that of the spline, worst at its ends
    np.testing.assert_allclose(found.offset[3:-3], offset[3:-3], rtol=2e-3)
    x, (first, last) = jnp.array([[1.0, 0.3], [-0.5, 2.0]]), (0.9, 0.05)
    grid = samplers.UserGrid(times=jnp.array([first, 0.3, last]))
    options = {"grid": grid, "n_steps": 2}
    solver = samplers.DPMSolverV3(terms=1, corrector_terms=0, statistics=found)
    drawn = samplers.Sampler(predictor=solver, **options)(jax.random.key(0), model, x.shape, x=x, t=first)
    moments = [
        (SDE.alpha(t) * 0.7, jnp.sqrt(SDE.alpha(t) ** 2 * 1.8 + SDE.variance(t))) for t in (first, last)
    ]
    exact = moments[1][0] + moments[1][1] / moments[0][1] * (x - moments[0][0])
    np.testing.assert_allclose(drawn, exact, atol=2e-3)
    ddim = samplers.Sampler(predictor=samplers.DDIM(), **options)(
        jax.random.key(0), model, x.shape, x=x, t=first
    )
    assert np.abs(ddim - exact).max() > 0.1


def test_knowing_nothing_it_is_the_adams_solver():
    """The paper's remark: l = 1, s = b = 0 is data prediction."""
    model, x = measure.mixture(SDE), jnp.array([[1.0, 0.5], [-1.5, 0.3]])
    for terms, corrector in ((3, 2), (2, 0)):
        options = {"terms": terms, "corrector_terms": corrector}
        pair = samplers.DPMSolverV3(**options), samplers.SASolver(churn=0.0, **options)
        found = [
            samplers.Sampler(predictor=each, grid=samplers.LogSNR(), n_steps=9)(
                jax.random.key(0), model, x.shape, x=x
            )
            for each in pair
        ]
        np.testing.assert_allclose(*found, rtol=1e-6)


def test_statistics_of_the_model_make_it_better_and_let_it_converge(tmp_path):
    """Of the exact mixture, on the exact flow; saved and read again they are the same."""
    model, counts = measure.mixture(SDE), (16, 64, 128)
    data = model.sample(jax.random.key(1), 4000)
    found = samplers.estimate_statistics(jax.random.key(0), model, data, places(16, 0.8, 0.1), batch=2000)
    found.save(tmp_path / "statistics.npz")
    again = samplers.ModelStatistics.load(str(tmp_path / "statistics.npz"))
    errors = measure.FlowErrors(SDE, counts)
    options = {"terms": 3, "corrector_terms": 2}
    known = errors(samplers.DPMSolverV3(statistics=again, **options))
    plain = errors(samplers.DPMSolverV3(**options))
    assert known[0] < 0.8 * plain[0]
    assert known[1] < known[0] / 100  # no floor that the splines would leave
    assert known[2] < known[1] / 4


@pytest.mark.parametrize("kept", [(), (2,), (0, 1, 2)])
def test_statistics_may_differ_between_values(kept):
    mean, variances = np.linspace(-1, 1, 12).reshape(2, 2, 3), np.linspace(0.5, 2, 12)
    model = denoisers.Gaussian(sde=SDE, mean=jnp.asarray(mean), covariance=jnp.diag(jnp.asarray(variances)))
    data = model.sample(jax.random.key(0), 64)
    found = samplers.estimate_statistics(jax.random.key(0), model, data, places(5), kept=kept)
    shape = tuple(n if axis in kept else 1 for axis, n in enumerate((2, 2, 3))) if kept else ()
    assert found.linear.shape == (5, *shape)
    sampler = samplers.Sampler(
        predictor=samplers.DPMSolverV3(statistics=found), grid=samplers.LogSNR(), n_steps=5
    )
    drawn = sampler(jax.random.key(1), model, (4, 2, 2, 3))
    assert np.isfinite(drawn).all()


@pytest.mark.parametrize(
    ("build", "words"),
    [
        (lambda: samplers.ModelStatistics(places=(1.0, 0.0)), r"places.*rising"),
        (lambda: samplers.ModelStatistics(linear=(1.0,)), r"linear.*2 places"),
        (lambda: samplers.ModelStatistics.load("nowhere.npz"), r"solver_statistics writes one"),
        (lambda: samplers.DPMSolverV3(terms=5), r"DPMSolverV3\.terms"),
        (
            lambda: samplers.estimate_statistics(
                jax.random.key(0), normal(), jnp.zeros((2, 2)), places(3), kept=(1,)
            ),
            r"kept.*below 1",
        ),
    ],
)
def test_mistakes_are_told(build, words):
    with pytest.raises(InputError, match=words):
        build()
