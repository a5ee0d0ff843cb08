import jax.numpy as jnp
import numpy as np
import pytest
from walk import concrete_subclasses

from score_sde import samplers, sdes
from score_sde.errors import InputError

EXAMPLES = {
    samplers.UserGrid: samplers.UserGrid(times=np.linspace(1.0, 0.2, 21)),
    samplers.ToZero: samplers.ToZero(grid=samplers.Karras(sigma_min=0.02)),  # above VE's sigma(0)
}
# Strided, like ADM's, begins below T; Rounded is another grid at the levels of one model: tested with these.
OTHERS = ("Strided", "Rounded")
GRIDS = [
    EXAMPLES.get(cls) or cls()
    for cls in concrete_subclasses(samplers.Grid, under="score_sde.samplers")
    if cls.__name__ not in OTHERS
]
SDES = [cls() for cls in concrete_subclasses(sdes.GaussianSDE, under="score_sde.sdes")]


def name(part):
    return type(part).__name__


@pytest.mark.parametrize("sde", SDES, ids=name)
@pytest.mark.parametrize("grid", GRIDS, ids=name)
def test_every_grid_goes_down_from_its_start(grid, sde):
    if isinstance(grid, samplers.UserGrid) and sde.T > 1:
        pytest.skip("its times are not this SDE's")
    for start in (None, 0.97 * sde.T):
        times = grid(sde, 20, start)
        assert times.shape == (21,)
        np.testing.assert_allclose(times[0], sde.T if start is None else start, rtol=1e-6)
        assert np.all(np.diff(times) < 0)
        assert times[-1] >= 0


def test_karras_times_are_those_of_the_paper(x64):
    """Karras et al. 2022, eq. 5 with its defaults, 18 steps; sigma = t under EDM."""
    times = samplers.ToZero(grid=samplers.Karras())(sdes.EDM(), 18)
    i = np.arange(18)
    expected = (80 ** (1 / 7) + i / 17 * (0.002 ** (1 / 7) - 80 ** (1 / 7))) ** 7
    np.testing.assert_allclose(times, [*expected, 0.0], rtol=1e-12)


def test_noise_ratios_are_spaced_as_said_under_every_sde(x64):
    for sde in SDES:
        times = samplers.LogSNR(sigma_min=0.05, sigma_max=20.0)(sde, 10)
        steps = np.diff(sde.log_snr(times[1:]))
        np.testing.assert_allclose(steps, steps[0], rtol=1e-6, err_msg=name(sde))
        np.testing.assert_allclose(sde.log_snr(times[-1]), -2 * np.log(0.05), rtol=1e-6)
        np.testing.assert_allclose(sde.log_snr(times[1]), -2 * np.log(20.0) + steps[0], rtol=1e-6)


def test_ranges_are_cut_to_what_the_sde_has(x64):
    """VE's sigma goes from 0.01 to 50, wider than which no grid can reach."""
    times = samplers.Karras(sigma_min=1e-5, sigma_max=1e4)(sdes.VE(), 10)
    np.testing.assert_allclose([times[0], times[-1]], [1.0, 0.0], atol=1e-12)
    sampler = samplers.Sampler(predictor=samplers.Ancestral(), grid=samplers.ToZero(), n_steps=5)
    with pytest.raises(InputError, match=r"Sampler\.grid, ToZero,"):  # 0 would come twice
        sampler.times(sdes.VE(), (1, 1))


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: samplers.Uniform(t_min=-1.0), r"Uniform\.t_min"),
        (lambda: samplers.Karras(sigma_min=0.0), r"Karras\.sigma_min"),
        (lambda: samplers.LogSNR(sigma_min=1.0, sigma_max=0.5), r"LogSNR\.sigma_max"),
        (lambda: samplers.UserGrid(times=jnp.array([0.5, 0.5, 0.1])), r"UserGrid\.times"),
        (lambda: samplers.UserGrid(times=[1.0, -0.5]), r"UserGrid\.times"),
        (lambda: samplers.UserGrid(times=[1.0, 0.5])(sdes.VP(), 3), r"UserGrid\.times = 2: expected 4 times"),
        (lambda: samplers.ToZero()(sdes.VP(), 1), r"n_steps of ToZero = 1"),
    ],
)
def test_mistakes_are_named(build, message):
    with pytest.raises(InputError, match=message):
        build()
