import jax
import jax.numpy as jnp
import numpy as np
import pytest

from score_sde.errors import InputError
from score_sde.training import ConstantEMA, HalfLifeEMA, NoEMA, WarmupEMA

pytestmark = pytest.mark.usefixtures("x64")
PATH = np.random.default_rng(0).normal(size=(40, 3))  # parameters after each update
START = np.ones(3)


def average(ema, path=PATH):
    def update(carry, inputs):
        count, params = inputs
        return ema.update(count, carry, {"a": params}), None

    counts = jnp.arange(1, len(path) + 1)
    return jax.lax.scan(update, ema.init({"a": jnp.asarray(START)}), (counts, jnp.asarray(path)))[0]


def test_constant_decay_has_its_closed_form():
    decay = 0.9
    powers = decay ** np.arange(len(PATH) - 1, -1, -1)
    expected = decay ** len(PATH) * START + (1 - decay) * powers @ PATH
    np.testing.assert_allclose(average(ConstantEMA(decay=decay))["a"], expected, rtol=1e-12)


def test_warm_up_is_the_rule_of_the_original():
    """min(decay, (1 + n) / (10 + n)) with n = 1 at the first update (score_sde_pytorch, models/ema.py)."""
    expected = START
    for n, params in enumerate(PATH, start=1):
        decay = min(0.5, (1 + n) / (10 + n))
        expected = decay * expected + (1 - decay) * params
    np.testing.assert_allclose(average(WarmupEMA(decay=0.5))["a"], expected, rtol=1e-12)


def test_half_life_forgets_half_in_that_many_updates():
    ema = HalfLifeEMA(half_life=20.0, ramp_up=1e9)  # the ramp is over at once
    path = np.concatenate([[START], np.zeros((20, 3))])  # of the first update nothing else is left
    np.testing.assert_allclose(average(ema, path)["a"], START / 2, rtol=1e-12)


def test_half_life_ramp_follows_closely_at_first():
    """beta = 2^(-batch / min(half life, ramp * images before)) (EDM, training/training_loop.py)."""
    batch, half_life = 512, 10 * 512
    expected = START
    for n, params in enumerate(PATH):
        images = max(min(half_life, 0.05 * n * batch), 1e-8)
        decay = 0.5 ** (batch / images)
        expected = decay * expected + (1 - decay) * params
    np.testing.assert_allclose(average(HalfLifeEMA(half_life=10.0))["a"], expected, rtol=1e-12)


def test_evaluation_uses_the_average_or_without_one_the_parameters():
    kept, params = {"a": 1}, {"a": 2}
    assert ConstantEMA().parameters(kept, params) is kept
    assert NoEMA().parameters(NoEMA().init(params), params) is params
    assert jax.tree.leaves(average(NoEMA())) == []


@pytest.mark.parametrize(
    ("kind", "arguments"),
    [
        (ConstantEMA, {"decay": 1.0}),
        (ConstantEMA, {"decay": -0.1}),
        (WarmupEMA, {"decay": 2}),
        (HalfLifeEMA, {"half_life": 0}),
        (HalfLifeEMA, {"ramp_up": -1}),
    ],
)
def test_impossible_values_are_refused(kind, arguments):
    with pytest.raises(InputError, match=r"ema\."):
        kind(**arguments)
