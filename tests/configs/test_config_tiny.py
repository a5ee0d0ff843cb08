"""Every paper's configuration takes a training step at ``:tiny``, and its sampler can be traced.

The step runs operation by operation, without ``jit``: compiling some fifty different programs would take ten
times as long, and what they are made of is mostly the same. Runs of whole programs are in the tests of the
README and of training. Configurations that are equal at this size are stepped once.
"""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from config_files import experiment, load, names, text_of

from score_sde.training.step import make_step


def distinct():
    """The names whose small runs differ in more than what is measured."""
    found = {}
    for name in names():
        if "/" in name:  # those of digits and Fashion-MNIST have tests of their own
            config = load(name, "tiny")
            parts = {field: text_of(part) for field, part in config.items() if hasattr(part, "items")}
            found.setdefault(tuple(parts.items()), name)
    return sorted(found.values())


@pytest.fixture(scope="module", autouse=True)
def memory_is_given_back():
    yield
    jax.clear_caches()


@pytest.mark.parametrize("name", distinct())
def test_a_training_step(name):
    run = experiment(name, "tiny")
    state, rebuild = run.make_state()
    step = make_step(
        objective=run.objective,
        optimizer=run.optimizer,
        rebuild=rebuild,
        units=run.data.units,
        ema=run.ema,
        condition=run.condition,
        n_classes=run.data.n_classes,
        augmentation=run.augmentation,
    )
    batch = run.data.batches("train", run.training.batch_size, seed=0)[0]
    after, metrics = step(jax.random.key(0), state, jax.tree.map(jnp.asarray, batch))
    assert int(after.step) == 1
    assert bool(metrics["finite"])
    assert float(metrics["grad_norm"]) > 0
    moments = [np.abs(np.asarray(leaf)).max() for leaf in jax.tree.leaves(after.opt_state)]
    assert np.isfinite(moments).all()
    assert max(moments) > 0
    if run.sampler is not None:
        shape = (2, *run.data.shape)
        cond = run.condition.sample(jax.random.key(1), jnp.arange(2), run.data)
        model = rebuild(run.ema.parameters(state.ema, state.params))
        drawn = jax.eval_shape(lambda key: run.sampler(key, model, shape, cond), jax.random.key(0))
        assert drawn.shape == shape
