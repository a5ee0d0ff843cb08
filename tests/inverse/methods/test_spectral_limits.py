"""What replacement, RePaint, DDRM, DDNM, DDNM+ and DiffPIR become in their limits, and what they refuse."""

import collections

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from score_sde import denoisers, samplers, sdes
from score_sde.errors import InputError
from score_sde.inverse import Measurement
from score_sde.inverse.methods import DDNM, DDRM, DDNMPlus, DiffPIR, RePaint, Replacement, TimeTravel
from score_sde.inverse.methods.time_travel import schedule
from score_sde.inverse.noises import GaussianNoise, PoissonNoise
from score_sde.inverse.operators import Clipping, Colorization, Dense, GaussianBlur, Identity, Mask

KEY = jax.random.key(0)
SHAPE = (4, 3)
SAMPLER = samplers.Sampler(
    predictor=samplers.Ancestral(),
    grid=samplers.ToZero(grid=samplers.LogSNR()),
    n_steps=12,
    final=samplers.KeepSample(),
)
MASK = Mask(mask=np.random.default_rng(0).uniform(size=SHAPE) < 0.5)
SENSED = Dense(matrix=np.random.default_rng(1).standard_normal((5, 12)), shape=SHAPE)


def model(sde=None):
    means = 0.7 * np.random.default_rng(2).standard_normal((3, *SHAPE))
    return denoisers.GaussianMixture.isotropic(
        sde=sdes.VP() if sde is None else sde, weights=[0.5, 0.2, 0.3], means=means, stds=0.3
    )


def measured(operator, std=0.0):
    return Measurement.of(KEY, model().sample(KEY, 1), operator=operator, noise=GaussianNoise(std=std))


@pytest.mark.parametrize(
    ("operator", "sde"),
    [(MASK, sdes.VP()), (SENSED, sdes.RectifiedFlow()), (Colorization(shape=SHAPE), sdes.EDM())],
    ids=["mask", "dense", "grey"],
)
def test_without_noise_draws_agree_with_y(operator, sde):
    measurement = measured(operator)
    methods = [
        Replacement(sampler=SAMPLER),
        DDNM(sampler=SAMPLER),
        DDNMPlus(sampler=SAMPLER),
        DDRM(sampler=SAMPLER),
        DiffPIR(sampler=SAMPLER),
    ]
    for method in methods:
        x = method(KEY, model(sde), measurement, (3, *SHAPE))
        np.testing.assert_allclose(
            operator(x), jnp.broadcast_to(measurement.y, (3, *measurement.y.shape[1:])), atol=2e-5
        )
        assert np.ptp(x, axis=0).max() > 0.05  # the rest differs between draws


def test_repaint_with_one_resampling_is_replacement():
    measurement = measured(MASK, 0.1)
    one = RePaint(sampler=SAMPLER, resamplings=1)(KEY, model(), measurement, (4, *SHAPE))
    other = Replacement(sampler=SAMPLER)(KEY, model(), measurement, (4, *SHAPE))
    np.testing.assert_allclose(one, other, atol=1e-5)
    more = RePaint(sampler=SAMPLER, jump_length=3, resamplings=2)(KEY, model(), measurement, (4, *SHAPE))
    assert np.max(np.abs(more - other)) > 0.05


def test_ddnm_plus_without_noise_is_ddnm():
    measurement = measured(MASK)  # whose spectrum is the picture itself, so that both draw the same noise
    one = DDNM(sampler=SAMPLER)(KEY, model(), measurement, (4, *SHAPE))
    other = DDNMPlus(sampler=SAMPLER)(KEY, model(), measurement, (4, *SHAPE))
    np.testing.assert_allclose(one, other, atol=1e-4)


def test_ddnm_travels():
    sampler = TimeTravel(
        predictor=samplers.Ancestral(), grid=SAMPLER.grid, n_steps=12, jump_length=2, resamplings=3
    )
    measurement = measured(SENSED)
    for method in (DDNM(sampler=sampler), DDNMPlus(sampler=sampler)):
        x = method(KEY, model(), measurement, (2, *SHAPE))
        np.testing.assert_allclose(SENSED(x), jnp.broadcast_to(measurement.y, (2, 5)), atol=2e-5)


@pytest.mark.parametrize("sde", [sdes.VP(), sdes.EDM()], ids=["vp", "edm"])
def test_ddrm_of_the_whole_picture_is_one_evaluation_at_the_noise_of_y(x64, sde):
    """With A = I, eta_b = 1 and a grid through sigma = alpha std, x_t = alpha y there, then E[x_0 | y]."""
    std = 0.4
    t = float(sde.time_at_log_snr(jnp.asarray(-2 * np.log((1 + 1e-9) * std))))
    grid = samplers.UserGrid(times=jnp.array([sde.T, 0.9 * sde.T, t, 0.0]))
    sampler = SAMPLER.replace(grid=grid, n_steps=3)
    measurement = measured(Identity(shape=SHAPE), std)
    x = DDRM(sampler=sampler)(KEY, model(sde), measurement, (3, *SHAPE))
    at_one = model(sdes.EDM())(measurement.y, jnp.asarray(std))  # of a mixture, in closed form
    np.testing.assert_allclose(x, jnp.broadcast_to(at_one, x.shape), atol=1e-4)


def test_the_weight_of_the_prior_in_diffpir():
    measurement = measured(SENSED, 0.2)
    projected = DiffPIR(sampler=SAMPLER, lam=0.0)(KEY, model(), measurement, (2, *SHAPE))
    np.testing.assert_allclose(SENSED(projected), jnp.broadcast_to(measurement.y, (2, 5)), atol=2e-5)
    elsewhere = measurement.replace(y=measurement.y + 1)
    deaf = DiffPIR(sampler=SAMPLER, lam=1e12)
    one, other = (deaf(KEY, model(), m, (2, *SHAPE)) for m in (measurement, elsewhere))
    np.testing.assert_allclose(one, other, atol=1e-5)


@pytest.mark.parametrize(
    ("n_steps", "jump", "resamplings"), [(250, 10, 10), (20, 3, 2), (7, 1, 4), (5, 9, 3)]
)
def test_moves_are_those_of_repaint(n_steps, jump, resamplings):
    """Whole stretches above the last step are walked ``resamplings`` times, the others once."""
    moves = schedule(n_steps, jump, resamplings)
    walked = collections.Counter(level for _, level in moves)
    top = 1 + (n_steps - 1) // jump * jump if n_steps > jump else 1
    expected = {level: resamplings if 1 < level <= top else 1 for level in range(1, n_steps + 1)}
    assert walked == expected
    place = n_steps
    for origin, level in moves:
        assert origin == place
        assert level - origin in (0, jump)
        place = level - 1
    assert place == 0


def test_evaluations_are_counted():
    travel = TimeTravel(predictor=samplers.ProbabilityFlowHeun(), n_steps=250, final=samplers.Denoise())
    assert travel.evaluations == 2 * (250 + 9 * 240) + 1


def test_a_trajectory_ends_with_the_sample():
    travel = TimeTravel(
        predictor=samplers.Ancestral(), grid=SAMPLER.grid, n_steps=6, jump_length=2, resamplings=2
    )
    times, states = travel.trajectory(KEY, model(), (2, *SHAPE))
    np.testing.assert_allclose(states[-1], travel(KEY, model(), (2, *SHAPE)), rtol=1e-6)
    assert times.shape[0] == states.shape[0] == 1 + 6 + 2 * 2
    assert float(times[0]) == 1
    assert float(times[-1]) == 0


def test_mistakes_are_named():
    run = (KEY, model(), measured(MASK, 0.1), (2, *SHAPE))
    with pytest.raises(InputError, match=r"DDNM for the noise's std = 0\.1.*; use DDNMPlus"):
        DDNM(sampler=SAMPLER)(*run)
    with pytest.raises(InputError, match=r"DDNM for the noise's std = 0\.1.*; use DDNMPlus"):
        jax.jit(lambda key: DDNM(sampler=SAMPLER)(key, *run[1:]))(KEY)
    correcting = SAMPLER.replace(corrector=samplers.Langevin())
    for method in (DDRM, DDNMPlus, DiffPIR, RePaint):
        name = method.__name__
        with pytest.raises(InputError, match=rf"{name} for sampler\.corrector = 'Langevin'"):
            method(sampler=correcting)(*run)
    poisson = Measurement.of(KEY, model().sample(KEY, 1), operator=MASK, noise=PoissonNoise())
    for method in (DDRM, DDNMPlus, DiffPIR, RePaint, Replacement):
        with pytest.raises(InputError, match=r"noise = 'PoissonNoise': expected noise of one variance"):
            method(sampler=SAMPLER)(KEY, model(), poisson, (2, *SHAPE))
    clipped = measured(Clipping(shape=SHAPE, low=-1.0, high=1.0))
    for method in (DDNM, DiffPIR):
        with pytest.raises(InputError, match="operator = 'Clipping': expected a linear operator"):
            method(sampler=SAMPLER)(KEY, model(), clipped, (2, *SHAPE))
    with pytest.raises(InputError, match="operator = 'Clipping': expected a known SVD"):
        DDRM(sampler=SAMPLER)(KEY, model(), clipped, (2, *SHAPE))
    with pytest.raises(InputError, match=r"DDRM\.eta_b = 1\.5: expected a number from 0 to 1"):
        DDRM(eta_b=1.5)
    with pytest.raises(InputError, match=r"DiffPIR\.lam = -1"):
        DiffPIR(lam=-1)
    with pytest.raises(InputError, match=r"RePaint\.resamplings = 0"):
        RePaint(resamplings=0)
    with pytest.raises(InputError, match=r"TimeTravel\.jump_length = 0"):
        TimeTravel(predictor=samplers.Ancestral(), jump_length=0)


def test_blurs_of_images_are_restored_and_another_y_does_not_compile_again():
    traced = []

    class Counted(denoisers.GaussianMixture):
        def estimate(self, x, t, cond=None, *, key=None):
            traced.append(1)
            return super().estimate(x, t, cond, key=key)

    shape = (6, 6, 1)
    means = np.random.default_rng(4).standard_normal((3, *shape))
    counted = Counted.isotropic(sde=sdes.VP(), weights=np.ones(3), means=means, stds=0.2)
    x = counted.sample(KEY, 1)
    blur = GaussianBlur(shape=shape, std=1.0)
    measurement = Measurement.of(KEY, x, operator=blur, noise=GaussianNoise(std=0.02))
    for method in (DDRM(sampler=SAMPLER), DDNMPlus(sampler=SAMPLER), DiffPIR(sampler=SAMPLER)):
        restored = method(KEY, counted, measurement, (2, *shape))
        before = len(traced)
        again = method(KEY, counted, measurement.replace(y=measurement.y + 0.1), (2, *shape))
        assert len(traced) == before
        assert np.all(np.isfinite(again))
        assert np.sqrt(np.mean((restored - x) ** 2)) < 0.6 * np.sqrt(np.mean((measurement.y - x) ** 2))
