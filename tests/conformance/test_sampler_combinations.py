"""Every predictor with every corrector on every SDE, at both ends; and what every part obeys."""

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
}
PARTS = [
    *PREDICTORS,
    *CORRECTORS,
    *[EXAMPLES.get(cls) or cls() for cls in under(samplers.Grid)],
    *[cls() for cls in under(samplers.Final)],
    *[cls() for cls in under(samplers.Order)],
    *[cls() for cls in under(integrators.Integrator, "score_sde.integrators")],
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


def least_steps(predictor):
    """Two, and three where the predictor needs three values."""
    return max(2, getattr(predictor, "terms", 3 if "3M" in name(predictor) else 2))


@pytest.mark.parametrize("sde", SDES, ids=name)
def test_every_pair_is_finite_from_t_max_to_0(sde):
    """With alpha(T) = 0 and sigma(0) = 0 where the SDE has them, in both orders, denoised at the end."""
    model = exact(sde)
    orders = samplers.CorrectorFirst(), samplers.PredictorFirst()
    with jax.disable_jit():
        for i, predictor in enumerate(PREDICTORS):
            for j, corrector in enumerate(CORRECTORS):
                if is_general(predictor):
                    n = least_steps(predictor)
                    predictor = predictor.replace(N=n) if hasattr(predictor, "N") else predictor
                    times = [1.0, 0.4, 0.0] if n == 2 else [1.0, 0.4, 0.2, 0.0]
                    grid = samplers.UserGrid(times=jnp.array(times) * sde.T)
                    sampler = samplers.Sampler(
                        predictor=predictor, corrector=corrector, grid=grid, n_steps=n,
                        order=orders[(i + j) % 2], final=samplers.Denoise(),
                    )  # fmt: skip
                    x = sampler(jax.random.key(0), model, (2, 2))
                    assert np.all(np.isfinite(x)), (predictor, corrector)


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
