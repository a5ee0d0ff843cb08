import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from toy_problem import BATCH, Denoise, parameters, problem, rebuild

from score_sde.data import Digits
from score_sde.training import (
    Augmentation,
    ClassLabels,
    NoAugmentation,
    NoEMA,
    RandomFlip,
    Unconditional,
    init_state,
    make_mesh,
    make_multi_step,
    make_step,
)
from score_sde.training.sharding import place_batches, replicate
from score_sde.training.state import from_dict, to_dict
from score_sde.training.step import make_loss, one_by_one, scanned

MESH = make_mesh(BATCH, jax.devices()[:1])
KEY = jax.random.key(3)


def assert_equal(a, b, **tolerance):
    jax.tree.map(lambda x, y: np.testing.assert_allclose(x, y, rtol=0, **tolerance), a, b)


def train(multi_step, steps, per_call):
    step, state, batches = problem()
    advance = multi_step(step, MESH)
    state, losses = replicate(MESH, state), []
    for at in range(0, steps, per_call):
        state, metrics = advance(KEY, state, place_batches(MESH, batches.stack(at, per_call)))
        losses.extend(np.ravel(metrics["loss"]))
    return state, np.array(losses)


@pytest.fixture(scope="module")
def reference():
    return train(one_by_one, 20, 1)


@pytest.mark.parametrize(("multi_step", "tolerance"), [(one_by_one, 0.0), (scanned, 2e-6)])
def test_updates_per_call_do_not_change_the_result(reference, multi_step, tolerance):
    state, losses = train(multi_step, 20, 5)
    assert_equal((state, losses), reference, atol=tolerance)
    assert int(state.step) == 20


def test_an_update_is_gradient_then_optimizer_then_average():
    """With plain gradient descent the update is -rate times the gradient of the mean loss, at the key."""
    units, batch = Digits().units, jax.tree.map(jnp.asarray, problem()[2][0])
    step = make_step(
        objective=Denoise(),
        optimizer=optax.sgd(0.1),
        rebuild=rebuild,
        units=units,
        ema=NoEMA(),
        condition=ClassLabels(),
    )
    state = init_state(parameters(), optax.sgd(0.1)).replace(step=jnp.int32(5))
    new, metrics = step(KEY, state, batch)

    def loss(params):
        units_key, objective_key = jax.random.split(jax.random.fold_in(KEY, 5))
        x0 = units.encode(units_key, batch["x"])
        return jnp.mean(Denoise()(objective_key, rebuild(params), x0, batch["label"]))

    value, gradient = jax.value_and_grad(loss)(state.params)
    assert_equal(new.params, jax.tree.map(lambda p, g: p - 0.1 * g, state.params, gradient), atol=1e-7)
    assert_equal(metrics["loss"], value, atol=1e-6)
    assert_equal(metrics["grad_norm"], optax.tree.norm(gradient), atol=1e-6)
    assert bool(metrics["finite"])


class Shift(Augmentation):
    """Adds a random number to each example, and tells it twice."""

    n_labels = 2

    def __call__(self, key, x):
        shift = jax.random.normal(key, (len(x), 1, 1, 1))
        return x + shift, jnp.tile(shift[:, 0, 0], 2)


def test_the_network_is_told_of_augmentations_that_have_labels():
    """And sees the changed example: what the object gives for the key of the step."""
    units, batch = Digits().units, jax.tree.map(jnp.asarray, problem()[2][0])
    seen = {}

    class Spy(Denoise):
        def __call__(self, key, denoiser, x0, cond=None):
            seen.update(x0=x0, cond=cond)
            return super().__call__(key, denoiser, x0, batch["label"])

    def run(augmentation, condition):
        options = {"objective": Spy(), "rebuild": rebuild, "units": units}
        make_loss(**options, condition=condition, augmentation=augmentation)(parameters(), KEY, batch)
        return jax.tree.map(np.asarray, seen)

    plain = run(NoAugmentation(), ClassLabels())
    np.testing.assert_array_equal(plain["cond"], batch["label"])
    x0, labels = Shift()(jax.random.split(KEY, 4)[3], plain["x0"])
    both = run(Shift(), ClassLabels())
    np.testing.assert_array_equal(both["x0"], x0)
    np.testing.assert_array_equal(both["cond"]["augment"], labels)
    np.testing.assert_array_equal(both["cond"]["label"], batch["label"])
    assert set(run(Shift(), Unconditional())["cond"]) == {"augment"}
    assert run(RandomFlip(), Unconditional())["cond"] is None


def test_noise_depends_on_the_step_and_on_the_key():
    step, state, batches = problem()
    batch = jax.tree.map(jnp.asarray, batches[0])
    losses = [
        float(jax.jit(step)(key, state.replace(step=jnp.int32(count)), batch)[1]["loss"])
        for key, count in ((KEY, 0), (KEY, 1), (jax.random.key(4), 0))
    ]
    assert len(set(losses)) == 3


@pytest.mark.parametrize("multi_step", [one_by_one, scanned, make_multi_step])
def test_one_trace(multi_step, tmp_path):
    traces = []

    class Counting(Denoise):
        def __call__(self, key, model, x0, cond=None):
            traces.append(1)
            return super().__call__(key, model, x0, cond)

    step, state, batches = problem(Counting())
    advance, state = multi_step(step, MESH), replicate(MESH, state)
    for at in range(0, 6, 2):
        state, _ = advance(KEY, state, place_batches(MESH, batches.stack(at, 2)))
    assert len(traces) == 1


def test_the_state_is_donated():
    step, state, batches = problem()
    state = replicate(MESH, state)
    scanned(step, MESH)(KEY, state, place_batches(MESH, batches.stack(0, 2)))
    assert all(leaf.is_deleted() for leaf in jax.tree.leaves(state.params))


def test_the_initial_state_owns_its_buffers():
    """Parameters and their average start equal, but may both be donated."""
    params = parameters()
    _, state, _ = problem()
    pointers = [leaf.unsafe_buffer_pointer() for leaf in jax.tree.leaves((params, state))]
    assert len(set(pointers)) == len(pointers)


def test_a_dictionary_of_names_holds_the_whole_state(reference):
    saved = to_dict(reference[0])
    assert saved["params"]["first"]["kernel"].shape == (64, 32)
    assert "1.mu.first.kernel" in saved["opt_state"]
    assert_equal(from_dict(problem()[1], saved), reference[0], atol=0)


def test_a_gradient_that_is_not_finite_is_reported():
    class Broken(Denoise):
        def __call__(self, key, model, x0, cond=None):
            return jnp.sqrt(jnp.abs(super().__call__(key, model, x0, cond)) * 0.0)  # value 0, gradient NaN

    step, state, batches = problem(Broken())
    _, metrics = jax.jit(step)(KEY, state, jax.tree.map(jnp.asarray, batches[0]))
    assert float(metrics["loss"]) == 0.0
    assert not bool(metrics["finite"])
