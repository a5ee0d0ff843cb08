"""Progressive distillation: the target is two steps of the teacher, in closed form for a normal law."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from true_flows import MEAN, SPREAD, normal

from score_sde import arrays, denoisers, objectives, sdes

pytestmark = pytest.mark.usefixtures("x64")
X0 = np.array([[0.2], [0.9], [1.4], [-0.3]])
Z = np.array([[0.5], [-1.2], [0.1], [2.0]])


class Affine(denoisers.Denoiser):
    """D = slope x + offset, with the coefficients of each example."""

    slope: jax.Array
    offset: jax.Array

    def __call__(self, x, t, cond=None, *, key=None):
        return arrays.expand(self.slope, x) * x + arrays.expand(self.offset, x)


def ddim(sde, t, s):
    """(a, b) of the teacher's step x_s = a x_t + b, by hand."""
    alpha, variance = float(sde.alpha(t)), float(sde.variance(t))
    slope = alpha * SPREAD**2 / (alpha**2 * SPREAD**2 + variance)
    offset = MEAN * (1 - slope * alpha)
    ratio = float(sde.sigma(s) / sde.sigma(t))
    gain = float(sde.alpha(s)) - ratio * alpha
    return ratio + gain * slope, gain * offset


def student(sde, steps):
    """The D of each of N steps, by hand: DDIM with it ends where two of the teacher's steps do."""
    found = []
    for i in range(steps):
        t, middle, s = (sde.T * (1 - (2 * i + j) / (2 * steps)) for j in range(3))
        (a1, b1), (a2, b2) = ddim(sde, t, middle), ddim(sde, middle, s)
        a, b = a2 * a1, a2 * b1 + b2
        ratio = float(sde.sigma(s) / sde.sigma(t))
        gain = float(sde.alpha(s)) - ratio * float(sde.alpha(t))
        found.append(((a - ratio) / gain, b / gain))
    return np.array(found)


@pytest.mark.parametrize("weight", [objectives.TruncatedSNR(), objectives.FlowMatching()])
@pytest.mark.parametrize("sde", [sdes.RectifiedFlow(), sdes.VP()], ids=lambda sde: type(sde).__name__)
def test_the_target_is_two_steps_of_the_teacher(sde, weight):
    steps, index = 4, jnp.arange(4)
    coefficients = student(sde, steps)
    loss = objectives.ProgressiveDistillation(teacher=normal(sde), steps=steps, weight=weight)

    @jax.jit
    def at(factor):
        model = Affine(sde=sde, slope=factor * coefficients[:, 0], offset=factor * coefficients[:, 1])
        return loss.at(model, jnp.asarray(X0), index, jnp.asarray(Z))

    assert np.all(np.abs(at(1.0)) < 1e-18)
    assert np.all(at(1.05) > 1e-6)


def test_one_step_goes_from_noise_to_data_where_alpha_ends_at_zero():
    sde = sdes.RectifiedFlow()
    ((slope, offset),) = student(sde, 1)
    loss = objectives.ProgressiveDistillation(teacher=normal(sde))
    found = loss.at(
        Affine(sde=sde, slope=jnp.array(slope), offset=jnp.array(offset)),
        jnp.asarray(X0), jnp.zeros(4, int), jnp.asarray(Z),
    )  # fmt: skip
    np.testing.assert_allclose(found, 0, atol=1e-18)


def test_the_weight_is_the_larger_of_the_squares_of_data_and_noise():
    """Salimans and Ho 2022, section 4: max(|x error|^2, |noise error|^2)."""
    sde = sdes.VP()
    model = Affine(sde=sde, slope=jnp.zeros(4), offset=jnp.full(4, 0.3))
    t = jnp.array([0.01, 0.2, 0.4, 0.9])
    x = arrays.expand(sde.alpha(t), X0) * X0 + arrays.expand(sde.sigma(t), X0) * Z
    of_data, of_noise = jnp.square(model(x, t) - X0), jnp.square(model.noise(x, t) - Z)
    loss = objectives.DenoisingScoreMatching(weight=objectives.TruncatedSNR())
    found = loss.at(model, jnp.asarray(X0), t, Z)
    np.testing.assert_allclose(found, np.maximum(of_data, of_noise)[:, 0], rtol=1e-9)
