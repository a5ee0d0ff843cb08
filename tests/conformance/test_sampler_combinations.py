"""Every predictor with every corrector on every SDE, at both ends; and what every part obeys."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from walk import concrete_subclasses

from score_sde import denoisers, integrators, samplers, sdes


def name(part):
    return type(part).__name__


def under(base, folder="score_sde.samplers"):
    return concrete_subclasses(base, under=folder)


def is_general(part):
    return ".samplers.original." not in type(part).__module__


PREDICTORS = [cls() for cls in under(samplers.Predictor)]
CORRECTORS = [cls() for cls in under(samplers.Corrector)]
SDES = [cls() for cls in under(sdes.GaussianSDE, "score_sde.sdes")]
EXAMPLES = {
    samplers.UserGrid: samplers.UserGrid(times=jnp.array([1.0, 0.5, 0.0])),
    integrators.GivenNodes: integrators.GivenNodes(times=jnp.array([0.0, 0.5, 1.0])),
    integrators.LogSNRNodes: integrators.LogSNRNodes(sde=sdes.VP()),
    integrators.InLogSNR: integrators.InLogSNR(sde=sdes.VP(), solver=integrators.AdamsBashforth()),
}
PARTS = [
    *PREDICTORS,
    *CORRECTORS,
    *[EXAMPLES.get(cls) or cls() for cls in under(samplers.Grid)],
    *[cls() for cls in under(samplers.Final)],
    *[cls() for cls in under(samplers.Order)],
    *[EXAMPLES.get(cls) or cls() for cls in under(integrators.Integrator, "score_sde.integrators")],
    *[EXAMPLES.get(cls) or cls() for cls in under(integrators.Nodes, "score_sde.integrators")],
    samplers.ProbabilityFlowODE(),
    samplers.Sampler(predictor=samplers.Ancestral()),
]


class Counted(denoisers.Gaussian):
    def estimate(self, x, t, cond=None, *, key=None):
        TRACES.append(None)
        return super().estimate(x, t, cond, key=key)


TRACES: list[None] = []


def exact(sde):
    return Counted(sde=sde, mean=jnp.array([1.0, -1.0]), covariance=jnp.array([[0.5, 0.2], [0.2, 2.0]]))


class Rows:
    """The states of all pairs, a predictor a row, a corrector a column: each part moves its own at once."""

    def __init__(self, sde, shape=(2, 2)):
        self.model, self.shape = exact(sde), shape
        self.predictors = [part for part in PREDICTORS if is_general(part)]
        x = sde.prior(shape).sample(jax.random.key(0))
        self.x = jnp.broadcast_to(x, (len(self.predictors), len(CORRECTORS), *shape))
        T = jnp.asarray(sde.T, float)
        self.memory = [part.init(self.model, self.own(i), T) for i, part in enumerate(self.predictors)]

    def own(self, i):
        return self.x[i].reshape(-1, *self.shape[1:])

    def predict(self, t, s):
        moved = []
        for i, part in enumerate(self.predictors):
            step = part.step(jax.random.key(1), self.model, self.own(i), t, s, self.memory[i])
            self.memory[i] = step.memory
            moved.append(step.x.reshape(self.x.shape[1:]))
        self.x = jnp.stack(moved)

    def correct(self, t):
        moved = []
        for j, part in enumerate(CORRECTORS):
            x = self.x[:, j].reshape(-1, *self.shape[1:])
            moved.append(part.step(jax.random.key(2), self.model, x, t).reshape(self.x[:, j].shape))
        self.x = jnp.stack(moved, axis=1)

    def lost(self):
        """Pairs whose states are not finite."""
        bad = np.argwhere(~np.isfinite(np.asarray(self.x)).all(axis=(2, 3)))
        return [(name(self.predictors[i]), name(CORRECTORS[j])) for i, j in bad]


FIRST = ["corrector", "predictor"]
CASES = [(sde, FIRST[i % 2]) for i, sde in enumerate(SDES)]
CASES += [(sdes.RectifiedFlow(), first) for first in FIRST if (name(sdes.RectifiedFlow()), first) not in
          [(name(sde), first) for sde, first in CASES]]  # fmt: skip


@pytest.mark.parametrize(("sde", "first"), CASES, ids=lambda part: part if type(part) is str else name(part))
def test_every_pair_is_finite_from_t_max_to_0(sde, first):
    """With alpha(T) = 0 and sigma(0) = 0 where the SDE has them, after three steps that are remembered."""
    rows = Rows(sde)
    times = [jnp.asarray(share * sde.T, float) for share in (1.0, 0.4, 0.2, 0.0)]
    for t, s in itertools.pairwise(times):
        if first == "corrector":
            rows.correct(t)
            rows.predict(t, s)
        else:
            rows.predict(t, s)
            rows.correct(s)
        assert not rows.lost(), (float(t), float(s))


class Unguarded(samplers.Predictor):
    """Divides by sigma(s)."""

    def step(self, key, model, x, t, s, memory=(), cond=None):
        return samplers.Step(x + 0 / model.sde.sigma(s), x, memory)


def test_what_is_not_finite_is_found():
    rows = Rows(sdes.EDM())
    rows.predictors, rows.memory = [samplers.DDIM(), Unguarded()], [(), ()]
    rows.x = rows.x[:2]
    rows.predict(jnp.asarray(0.5), jnp.asarray(0.0))
    assert rows.lost() == [("Unguarded", name(part)) for part in CORRECTORS]


@pytest.mark.parametrize("sde", SDES, ids=name)
def test_the_driver_is_finite_from_t_max_to_0(sde):
    grid = samplers.UserGrid(times=jnp.array([1.0, 0.4, 0.0]) * sde.T)
    for order in (samplers.CorrectorFirst(), samplers.PredictorFirst()):
        sampler = samplers.Sampler(
            predictor=samplers.Ancestral(), corrector=samplers.Langevin(), grid=grid, n_steps=2, order=order,
            final=samplers.Denoise(),
        )  # fmt: skip
        assert np.all(np.isfinite(sampler(jax.random.key(0), exact(sde), (2, 2))))


@pytest.mark.parametrize("part", [*PREDICTORS, *CORRECTORS], ids=name)
def test_every_part_is_traced_once(part):
    """On the SDE that it is made for, at its own number of steps, another key meets no new trace."""
    sde = sdes.VE() if "VE" in name(part) else sdes.VP()
    n_steps = getattr(part, "N", 3) if is_general(part) else 1000
    predictor = part if part in PREDICTORS else samplers.ProbabilityFlowEuler()
    corrector = part if part in CORRECTORS else samplers.NoCorrector()
    sampler = samplers.Sampler(
        predictor=predictor, corrector=corrector, grid=samplers.OriginalGrid(), n_steps=n_steps
    )
    model, traced = exact(sde), []
    for seed in range(2):
        out = jax.eval_shape(lambda key: sampler(key, model, (2, 2)), jax.random.key(seed))
        traced.append(len(TRACES))
    assert traced[1] == traced[0]
    assert out.shape == (2, 2)


@pytest.mark.parametrize("part", PARTS, ids=name)
def test_every_part_is_a_pytree(part):
    leaves, structure = jax.tree.flatten(part)
    again = jax.tree.unflatten(structure, leaves)
    assert type(again) is type(part)
    assert jax.tree.structure(again) == structure
    assert hash(structure) == hash(jax.tree.structure(part.replace()))
    through = jax.jit(lambda tree: tree)(part)
    for leaf, other in zip(leaves, jax.tree.leaves(through), strict=True):
        np.testing.assert_allclose(leaf, other, rtol=1e-6)
