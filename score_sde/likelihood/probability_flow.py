"""Log-likelihoods by the instantaneous change of variables along the probability-flow ODE."""

from __future__ import annotations

from typing import Any, NamedTuple

import jax.numpy as jnp

from score_sde.denoisers.base import ScoreModel
from score_sde.divergence import Divergence, Hutchinson
from score_sde.integrators.adaptive import Adaptive
from score_sde.integrators.base import Integrator
from score_sde.likelihood.base import Density, LogProb
from score_sde.sdes.checks import require_inside
from score_sde.typing import Array, Batch, Condition, Key, PerExample


class LikelihoodReport(NamedTuple):
    """What one pass along the probability flow tells, each (batch,) but the latent."""

    nats: PerExample  # log density in model space
    latent: Batch  # x_T
    stderr: PerExample  # standard error of nats from the divergence's probes; NaN with a single probe
    evaluations: Array  # of the vector field


def evaluate_likelihood(
    model: ScoreModel,
    x: Batch,
    key: Key,
    *,
    solver: Integrator = Adaptive(),  # noqa: B008 - immutable
    divergence: Divergence = Hutchinson(),  # noqa: B008 - immutable
    t_min: float = 1e-5,
    cond: Condition = None,
) -> LikelihoodReport:
    """log p(x) of a model that takes ``x`` as its state at ``t_min``, in nats.

    log p(x) = log prior(x_T) + int_{t_min}^T div v(x_t, t) dt along dx/dt = v(x, t), the probability
    flow from x (Chen et al. 2018, theorem 1; Song et al. 2021, eq. 39). Works for every score model;
    one with a closed kernel needs a parametrisation that determines the velocity at both ends.

    Args:
        model: its ``velocity`` is the vector field and its SDE's prior the law of x_T, which differs
            from the true law of x_T by terms of order alpha(T).
        x: (batch, *event), in model space.
        key: for the divergence's probes.
        solver: its tolerance or number of steps bounds the error; refine until nothing moves.
        divergence: exact, or estimated with probes that stay the same along the trajectory.
        t_min: 0 for models whose velocity is finite there (exact denoisers, velocity prediction);
            otherwise the smallest time that the model was trained at.
        cond: passed to the model; its leaves have a leading batch axis.

    Raises:
        InputError: ``t_min`` outside of [0, T].
    """
    require_inside("t_min of the likelihood", t_min, model.sde)
    probes = divergence.draw(key, x)
    start = (x, jnp.zeros_like(divergence.estimate(probes, lambda y: y, x)[1]))

    def field(t: PerExample, y: tuple[Batch, Array], probes: object, cond: Condition) -> tuple[Batch, Array]:
        return divergence.estimate(probes, lambda x: model.velocity(x, t, cond), y[0])

    (latent, gained), evaluations = solver(field, start, t_min, model.sde.T, args=(probes, cond))
    nats = model.sde.prior(x.shape).log_prob(latent) + jnp.mean(gained, axis=1)
    return LikelihoodReport(nats, latent, divergence.stderr(gained), evaluations)


def log_likelihood(
    model: ScoreModel,
    x: Batch,
    key: Key,
    *,
    solver: Integrator = Adaptive(),  # noqa: B008 - immutable
    divergence: Divergence = Hutchinson(),  # noqa: B008 - immutable
    t_min: float = 1e-5,
    cond: Condition = None,
) -> tuple[PerExample, Batch]:
    """log p(x) in nats, (batch,), and the latent x_T: see ``evaluate_likelihood``."""
    report = evaluate_likelihood(model, x, key, solver=solver, divergence=divergence, t_min=t_min, cond=cond)
    return report.nats, report.latent


class ProbabilityFlow(Density):
    """``evaluate_likelihood`` as an object: the log density of the probability-flow ODE.

    Attributes:
        solver: its tolerance or number of steps bounds the error.
        divergence: exact, or estimated with probes.
        t_min: see ``evaluate_likelihood``.
    """

    solver: Integrator = Adaptive()
    divergence: Divergence = Hutchinson()
    t_min: float = 1e-5

    @property
    def statement(self) -> str:
        """What the number is."""
        return f"log density of the probability-flow ODE{self.divergence.statement}"

    def __call__(
        self, key: Key, model: Any, x: Batch, cond: Condition = None, *, model_key: Key | None = None
    ) -> LogProb:
        """Nats of each example, without dropout: an ODE has one field."""
        del model_key
        report = evaluate_likelihood(
            model, x, key, solver=self.solver, divergence=self.divergence, t_min=self.t_min, cond=cond
        )
        return LogProb(report.nats, report.stderr, report.evaluations, {})
