"""How unlikely an example is: the exact density of a diffusion model."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp

from score_sde.anomaly.base import AnomalyScore, time_of
from score_sde.denoisers.base import ScoreModel
from score_sde.divergence import Divergence, ExactDivergence
from score_sde.integrators import FixedStep, Integrator, LogSNRNodes, RungeKutta4
from score_sde.likelihood import log_likelihood
from score_sde.pytree import static
from score_sde.sdes.checks import require_positive
from score_sde.typing import Batch, Key, PerExample


class NegativeLogLikelihood(AnomalyScore):
    """-log p(x) in nats, where p is the law of x_0 + sigma z in the units of the data.

    Along the probability flow from the time at which noise is ``sigma`` to T (Song et al. 2021, eq. 39). For
    N(m, C) it is -log N(x; m, C + sigma^2 I). A small sigma is the density itself; a larger one smooths it,
    which few training examples ask for.

    Attributes:
        sigma: noise at which the density is taken, no less than the model was trained at.
        divergence: ``ExactDivergence`` for few dimensions, ``Hutchinson`` for images; the latter's probes
            belong to an example's place in the batch.
        n_steps: Runge-Kutta steps of equal log-SNR.
        solver: another integrator in their place.
    """

    sigma: float = 0.1
    divergence: Divergence = ExactDivergence()
    n_steps: int = static(16)
    solver: Integrator | None = None

    def __post_init__(self) -> None:
        require_positive("NegativeLogLikelihood.sigma", self.sigma)

    def __call__(self, model: Any, x: Batch, key: Key) -> PerExample:
        """Nats."""
        return -self.log_prob(model, x, key)

    def log_prob(self, model: ScoreModel, x: Batch, key: Key) -> PerExample:
        """log p(x) = log p_t(alpha x) + d log alpha."""
        sde: Any = model.sde
        t = time_of(sde, self.sigma)
        solver = self.solver or FixedStep(
            n_steps=self.n_steps, method=RungeKutta4(), times=LogSNRNodes(sde=sde)
        )
        alpha: Any = sde.alpha(t)
        # ``t_min`` may be traced: solvers take arrays.
        nats, _ = log_likelihood(
            model,
            alpha * x,
            key,
            solver=solver,
            divergence=self.divergence,
            t_min=t,  # type: ignore[arg-type]
        )
        return nats + x[0].size * jnp.log(alpha)
