import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from score_sde.errors import InputError
from score_sde.training import Constant, Cosine, InverseSqrt, Linear, adam, sgd
from score_sde.training.optimizer import clipping, finite_gradients, rate

pytestmark = pytest.mark.usefixtures("x64")
GRADIENTS = np.random.default_rng(0).normal(size=(12, 4)) * np.geomspace(0.1, 10, 12)[:, None]


def run(optimizer, start=(1.0, -2.0, 3.0, 0.5)):
    params = jnp.asarray(start)
    state = optimizer.init(params)
    path = []
    for gradient in GRADIENTS:
        updates, state = optimizer.update(jnp.asarray(gradient), state, params)
        params = optax.apply_updates(params, updates)
        path.append(params)
    return np.stack(path)


def adam_by_hand(rates, clip, decay=0.0, b1=0.9, b2=0.99, eps=1e-6):
    """Algorithm 1 of Kingma and Ba 2015, with the decoupled decay of Loshchilov and Hutter 2019."""
    x, m, v, path = np.array([1.0, -2.0, 3.0, 0.5]), 0.0, 0.0, []
    for t, (g, lr) in enumerate(zip(GRADIENTS, rates, strict=True), start=1):
        g = g * min(1.0, clip / np.linalg.norm(g))
        m, v = b1 * m + (1 - b1) * g, b2 * v + (1 - b2) * g**2
        x = x - lr * (m / (1 - b1**t) / (np.sqrt(v / (1 - b2**t)) + eps) + decay * x)
        path.append(x)
    return np.stack(path)


def test_adam_is_the_published_algorithm_with_warm_up_clipping_and_decay():
    rates = 0.1 * np.minimum(np.arange(12) / 5, 1)  # float32 inside; the first step has rate 0
    ours = adam(learning_rate=0.1, b2=0.99, eps=1e-6, warmup_steps=5, clip_norm=1.5, weight_decay=0.01)
    np.testing.assert_allclose(run(ours), adam_by_hand(rates, 1.5, 0.01), rtol=1e-7)
    plain = adam(learning_rate=0.1, b2=0.99, eps=1e-6, clip_norm=None)
    np.testing.assert_allclose(run(plain), adam_by_hand(np.full(12, 0.1), np.inf), rtol=1e-7)


def test_adam_and_sgd_are_what_optax_calls_so():
    np.testing.assert_allclose(run(adam(learning_rate=0.1, clip_norm=None)), run(optax.adam(0.1)), rtol=1e-12)
    ours = sgd(learning_rate=0.1, momentum=0.8)
    np.testing.assert_allclose(run(ours), run(optax.sgd(0.1, momentum=0.8)), rtol=1e-12)


def test_clipping_keeps_direction_and_bounds_the_global_norm():
    tree = {"a": jnp.array([3.0]), "b": jnp.array([0.0, 4.0])}
    clipped, _ = clipping(2.5).update(tree, clipping(2.5).init(tree))
    np.testing.assert_allclose(np.concatenate(jax.tree.leaves(clipped)), [1.5, 0, 2.0])
    untouched, _ = clipping(5.1).update(tree, clipping(5.1).init(tree))
    np.testing.assert_allclose(np.concatenate(jax.tree.leaves(untouched)), [3.0, 0, 4.0])


def test_schedules_at_their_marks():
    at = [rate(0.5, 0, Cosine(steps=10, final=0.2))(count) for count in (0, 5, 10, 99)]
    np.testing.assert_allclose(at, [0.5, 0.3, 0.1, 0.1])
    counts = jnp.array([0, 50, 100, 400, 10_000])
    np.testing.assert_allclose(InverseSqrt(reference=100)(counts), [1, 1, 1, 0.5, 0.1])
    np.testing.assert_allclose(Constant()(counts), 1)
    reference = optax.cosine_decay_schedule(1.0, 10, alpha=0.2)
    np.testing.assert_allclose(Cosine(steps=10, final=0.2)(jnp.arange(15)), reference(jnp.arange(15)))


def test_the_published_ramp_and_annealing():
    """EDM: lr min(images before / 10 M, 1); guided-diffusion: lr (1 - step / iterations)."""
    counts = np.arange(0, 60_000, 7)
    ours = rate(1e-3, 10e6 / 512, None)(counts)
    np.testing.assert_allclose(ours, 1e-3 * np.minimum(counts * 512 / 10e6, 1), rtol=1e-12)
    ours = rate(3e-4, 0, Linear(steps=50_000))(counts)
    np.testing.assert_allclose(ours, 3e-4 * np.maximum(1 - counts / 50_000, 0), rtol=1e-12)


def test_gradients_that_are_not_finite_become_the_published_numbers():
    """EDM, training_loop.py: torch.nan_to_num(grad, nan=0, posinf=1e5, neginf=-1e5)."""
    tree = {"a": jnp.array([jnp.nan, jnp.inf, -jnp.inf, 2.0])}
    mended, _ = finite_gradients(1e5).update(tree, finite_gradients(1e5).init(tree))
    np.testing.assert_array_equal(mended["a"], [0, 1e5, -1e5, 2.0])
    left, _ = finite_gradients(None).update(tree, finite_gradients(None).init(tree))
    np.testing.assert_array_equal(left["a"], tree["a"])
    ours = adam(learning_rate=0.1, clip_norm=None, infinite=1e5)
    np.testing.assert_allclose(run(ours), run(optax.adam(0.1)), rtol=1e-12)


@pytest.mark.parametrize(
    "arguments",
    [
        {"infinite": 0.0},
        {"learning_rate": 0},
        {"learning_rate": -1e-3},
        {"learning_rate": float("nan")},
        {"b1": 1.0},
        {"b2": -0.1},
        {"eps": 0},
        {"weight_decay": -1},
        {"warmup_steps": -5},
        {"clip_norm": 0},
        {"clip_norm": -1},
    ],
)
def test_impossible_values_name_the_field(arguments):
    with pytest.raises(InputError, match=rf"optimizer\.{next(iter(arguments))} = "):
        adam(**arguments)


def test_impossible_schedules():
    for build in (
        lambda: Cosine(steps=0),
        lambda: Cosine(steps=5, final=2),
        lambda: InverseSqrt(reference=0),
        lambda: Linear(steps=0),
    ):
        with pytest.raises(InputError, match=r"schedule\."):
            build()
    with pytest.raises(InputError, match="momentum"):
        sgd(momentum=1)
