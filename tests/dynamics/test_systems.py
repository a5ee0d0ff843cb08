"""Systems against scipy's solvers, their conserved quantities, and solutions in closed form."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.integrate import solve_ivp

from score_sde.dynamics import KolmogorovFlow, KuramotoSivashinsky, Lorenz63, Lorenz96
from score_sde.dynamics.semilinear import coefficients
from score_sde.errors import InputError

pytestmark = pytest.mark.usefixtures("x64")


def by_scipy(rate, x, time, **options):
    return np.stack(
        [
            solve_ivp(lambda t, y: rate(y), (0, time), each, rtol=1e-11, atol=1e-11, **options).y[:, -1]
            for each in x
        ]
    )


@pytest.mark.parametrize("system", [Lorenz63(), Lorenz96(places=12)], ids=lambda s: type(s).__name__)
def test_flows_agree_with_scipy_and_are_of_fifth_order(system):
    x = np.asarray(system.start(jax.random.key(0), 3))
    rate = jax.jit(system.rate)
    expected = by_scipy(lambda y: np.asarray(rate(y)), x, 4 * system.dt)
    errors = []
    for substeps in (2, 4):
        finer = system.replace(substeps=4 * substeps, dt=4 * system.dt)
        errors.append(np.abs(np.asarray(jax.jit(type(system).advance)(finer, x)) - expected).max())
    assert errors[0] < 1e-3
    assert 4.4 < np.log2(errors[0] / errors[1]) < 6.5


def test_the_equations_are_those_of_the_papers():
    """Written out once more: Lorenz 1963, equations 25 to 27; Lorenz 1996, equation 1."""
    rng = np.random.default_rng(0)
    x, y, z = state = rng.normal(size=3)
    expected = [10 * (y - x), x * (28 - z) - y, x * y - 8 / 3 * z]
    np.testing.assert_allclose(Lorenz63().rate(state[None])[0], expected, rtol=1e-12)
    ring = rng.normal(size=7)
    expected = [(ring[(i + 1) % 7] - ring[i - 2]) * ring[i - 1] - ring[i] + 8 for i in range(7)]
    np.testing.assert_allclose(Lorenz96(places=7).rate(ring[None])[0], expected, rtol=1e-12)


def test_vorticity_is_carried_by_its_own_flow():
    """-psi_y w_x + psi_x w_y - n cos n y, for psi = sin(2x) / 4 + cos(x + 3y) / 10."""
    flow = KolmogorovFlow(side=24, wave=2)
    places = 2 * np.pi * np.arange(24) / 24
    y, x = np.meshgrid(places, places, indexing="ij")
    w = np.sin(2 * x) + np.cos(x + 3 * y)
    w_x, w_y = 2 * np.cos(2 * x) - np.sin(x + 3 * y), -3 * np.sin(x + 3 * y)
    psi_x, psi_y = np.cos(2 * x) / 2 - np.sin(x + 3 * y) / 10, -0.3 * np.sin(x + 3 * y)
    expected = psi_x * w_y - psi_y * w_x - 2 * np.cos(2 * y)
    found = np.fft.irfftn(
        flow.nonlinear(jnp.fft.rfftn(jnp.asarray(w)[None], axes=(1, 2)))[0], s=(24, 24), axes=(0, 1)
    )
    np.testing.assert_allclose(found, expected, atol=1e-12)
    assert np.abs(psi_x * w_y - psi_y * w_x).max() > 0.5


def test_lorenz63_rests_where_it_should():
    """(+-sqrt(b (r - 1)), the same, r - 1) and the origin."""
    system = Lorenz63()
    wing = np.sqrt(system.beta * (system.rho - 1))
    for point in ([wing, wing, 27.0], [-wing, -wing, 27.0], [0.0, 0.0, 0.0]):
        np.testing.assert_allclose(system.rate(jnp.array([point])), 0, atol=1e-12)


def test_lorenz96_keeps_energy_but_for_forcing_and_damping():
    x = np.random.default_rng(0).normal(size=(4, 9))
    system = Lorenz96(places=9)
    advected = np.asarray(system.rate(x)) + x - system.forcing
    np.testing.assert_allclose((advected * x).sum(axis=1), 0, atol=1e-12)
    assert np.abs(advected).max() > 1


def test_weights_of_the_exponential_scheme():
    """(e^(z/2) - 1) / z and its like where they do not cancel; 1/2 and 1/6 at zero."""
    z = np.array([-30.0, -3.0, 1.5])
    e = np.exp(z)
    expected = (
        (np.exp(z / 2) - 1) / z,
        (-4 - z + e * (4 - 3 * z + z**2)) / z**3,
        (2 + z + e * (z - 2)) / z**3,
        (-4 - 3 * z - z**2 + e * (4 - z)) / z**3,
    )
    for found, known in zip(coefficients(z)[2:], expected, strict=True):
        np.testing.assert_allclose(found, known, rtol=1e-9)
    small = np.array([coefficients(np.array([each]))[2:] for each in (0.0, -1e-7)])[..., 0]
    np.testing.assert_allclose(small, [[1 / 2, 1 / 6, 1 / 6, 1 / 6]] * 2, rtol=1e-6)


def test_kuramoto_sivashinsky_agrees_with_scipy_and_is_of_fourth_order():
    system = KuramotoSivashinsky(places=32, dt=0.5)
    x = np.asarray(system.start(jax.random.key(1), 1))
    k = 2 * np.pi / system.length * np.arange(17)

    def rate(u):
        """The same field with derivatives of its own, products cut in the same way."""
        kept = np.arange(17) < 32 / 3
        modes = np.fft.rfft(u)
        smooth = np.fft.irfft(modes * kept, 32)
        product = np.fft.irfft(np.fft.rfft(smooth**2) * kept * 0.5j * k, 32)
        return np.fft.irfft((k**2 - k**4) * modes, 32) - product

    expected = by_scipy(rate, x, 0.5, method="Radau")
    errors = [np.abs(np.asarray(system.replace(substeps=n).advance(x)) - expected).max() for n in (8, 16)]
    assert errors[1] < 1e-7
    assert 3.6 < np.log2(errors[0] / errors[1]) < 4.4  # stiff waves reach it slowly
    np.testing.assert_allclose(np.mean(expected), np.mean(x), atol=1e-9)


def test_a_wave_along_the_force_relaxes_to_rest():
    """w = a(t) cos(n y): products vanish and a' = -(viscosity n^2 + drag) a - n."""
    flow = KolmogorovFlow(side=16, viscosity=0.05, wave=3)
    wave = np.broadcast_to(np.cos(3 * 2 * np.pi * np.arange(16) / 16)[:, None], (16, 16))
    rate = 0.05 * 9 + 0.1
    rest = -3 / rate
    expected = (rest + (2.0 - rest) * np.exp(-rate * flow.dt)) * wave
    np.testing.assert_allclose(flow.advance(2.0 * wave[None])[0], expected, atol=1e-10)


def test_a_flow_without_viscosity_keeps_energy_and_enstrophy():
    """Of products alone: sum w dw/dt = 0 and sum psi dw/dt = 0, exact with cut products."""
    flow = KolmogorovFlow(side=24)
    w = np.asarray(flow.start(jax.random.key(0), 2))
    modes = np.fft.rfftn(w, axes=(1, 2))
    advected = np.asarray(flow.nonlinear(jnp.asarray(modes))) - flow._force()
    change = np.fft.irfftn(advected, s=(24, 24), axes=(1, 2))
    kx, ky = flow._wave_numbers()
    square = np.where(kx**2 + ky**2 == 0, 1, kx**2 + ky**2)
    stream = np.fft.irfftn(modes / square, s=(24, 24), axes=(1, 2))
    scale = np.abs(change * w).sum(axis=(1, 2))
    assert (np.abs((change * w).sum(axis=(1, 2))) < 1e-10 * scale).all()
    assert (np.abs((change * stream).sum(axis=(1, 2))) < 1e-10 * scale).all()
    assert (scale > 1).all()


@pytest.mark.parametrize(
    "system",
    [Lorenz63(), Lorenz96(places=8), KuramotoSivashinsky(places=16), KolmogorovFlow(side=8)],
    ids=lambda system: type(system).__name__,
)
def test_trajectories_are_steps_of_their_own_states(system):
    found = system.trajectories(jax.random.key(0), 4, 5, burn_in=3)
    assert found.shape == (4, 5, *system.shape)
    np.testing.assert_allclose(system.advance(found[:, 1]), found[:, 2], rtol=1e-9, atol=1e-12)


def test_noise_is_added_to_each_state():
    system = Lorenz63()
    noisy = system.replace(noise=0.3)
    start = jnp.zeros((20_000, 3)) + jnp.array([1.0, 2.0, 20.0])
    apart = np.asarray(noisy.step(jax.random.key(1), start) - system.advance(start))
    np.testing.assert_allclose(apart.std(axis=0), 0.3, rtol=0.03)
    with pytest.raises(InputError, match="length"):
        system.simulate(jax.random.key(0), start[:2], 0)
    with pytest.raises(InputError, match="trajectories n"):
        system.trajectories(jax.random.key(0), -1, 3)
    with pytest.raises(InputError, match="burn_in"):
        system.trajectories(jax.random.key(0), 1, 3, burn_in=-1)


@pytest.mark.parametrize("system", [Lorenz63, Lorenz96, KuramotoSivashinsky, KolmogorovFlow])
@pytest.mark.parametrize("wrong", [{"dt": -0.1}, {"substeps": 0}])
def test_steps_have_a_length(system, wrong):
    with pytest.raises(InputError, match=next(iter(wrong))):
        system(**wrong)
