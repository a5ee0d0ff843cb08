"""Every paper's configuration at ``:tiny``: its training step and its sampler.

The step runs operation by operation, without ``jit``: compiling so many different programs would take ten
times as long. A configuration that brings a new kind of part (a class or a function) takes a step; one made
of kinds that others brought is traced, which finds what does not fit. Configurations that are equal at this
size are looked at once. Runs of whole programs are in the tests of the README and of training.
"""

import re

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from config_files import experiment, load, names, text_of

from score_sde.denoisers import Deterministic

KIND = re.compile(r'"(?:target|bind)": "([^"]+)"')


def distinct():
    """Names whose small runs differ in more than what is measured, and the parts of each as text."""
    found = {}
    for name in names():
        if "/" in name:  # those of digits and Fashion-MNIST have tests of their own
            config = load(name, "tiny")
            parts = {field: text_of(part) for field, part in config.items() if hasattr(part, "items")}
            found.setdefault(tuple(parts.items()), name)
    return {name: dict(parts) for parts, name in found.items()}


def bringing_a_kind(distinct_parts):
    """Names with a class or a function that no part of the same field has in all names before."""
    known, found = set(), []
    for name, parts in sorted(distinct_parts.items()):
        kinds = {(field, kind) for field, text in parts.items() for kind in KIND.findall(text)}
        if kinds - known:
            found.append(name)
        known |= kinds
    return found


DISTINCT = distinct()
STEPPED = bringing_a_kind(DISTINCT)
TRACED = sorted(set(DISTINCT) - set(STEPPED))


def made(name):
    """The run, its first state, its step, a batch, and what makes a model of parameters."""
    run = experiment(name, "tiny")
    state, rebuild = run.make_state()
    step = run.make_step(rebuild)
    batch = run.data.batches("train", run.training.batch_size, seed=0)[0]
    return run, state, step, jax.tree.map(jnp.asarray, batch), rebuild


def require_samples(run, state, rebuild):
    """The sampler can be traced and gives images of the data's shape."""
    if run.sampler is None:
        return
    shape = (2, *run.data.shape)
    cond = run.condition.sample(jax.random.key(1), jnp.arange(2), run.data)

    def draw(key, state):
        model = rebuild(run.ema.parameters(state.ema, state.params))
        return run.sampler(key, model, shape, cond)

    assert jax.eval_shape(draw, jax.random.key(0), state).shape == shape


def shape_of_losses(run, state, rebuild, batch):
    """Of the objective, traced on held-out examples as ``measures.Loss`` evaluates it."""

    def losses(key, state, batch):
        model = Deterministic.of(rebuild(run.ema.parameters(state.ema, state.params)))
        x = run.data.units.encode(key, batch["x"])
        cond = run.condition({**batch, "x": x}, n_classes=run.data.n_classes)
        return run.objective(key, model, x, cond)

    return jax.eval_shape(losses, jax.random.key(0), state, batch).shape


@pytest.mark.parametrize("name", STEPPED)
def test_a_training_step(name):
    run, state, step, batch, rebuild = made(name)
    after, metrics = step(jax.random.key(0), state, batch)
    assert int(after.step) == 1
    assert bool(metrics["finite"])
    assert float(metrics["grad_norm"]) > 0
    moments = [np.abs(np.asarray(leaf)).max() for leaf in jax.tree.leaves(after.opt_state)]
    assert np.isfinite(moments).all()
    assert max(moments) > 0
    require_samples(run, state, rebuild)
    assert shape_of_losses(run, state, rebuild, batch) == batch["x"].shape[:1]


@pytest.mark.parametrize("name", TRACED)
def test_a_traced_step(name):
    run, state, step, batch, rebuild = made(name)
    after, metrics = jax.eval_shape(step, jax.random.key(0), state, batch)
    assert jax.tree.structure(after) == jax.tree.structure(state)
    shapes = jax.tree.map(lambda a: (a.shape, a.dtype), (after.params, state.params))
    assert shapes[0] == shapes[1]
    assert metrics["finite"].shape == ()
    require_samples(run, state, rebuild)
    assert shape_of_losses(run, state, rebuild, batch) == batch["x"].shape[:1]


@pytest.mark.parametrize("name", [name for name in names() if "/" not in name])
def test_what_is_trained_here_can_be_evaluated(name):
    run, state, _, batch, rebuild = made(name)
    assert shape_of_losses(run, state, rebuild, batch) == batch["x"].shape[:1]
