"""From a picture to its latent, and back."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from score_sde.denoisers.base import ScoreModel
from score_sde.errors import InputError
from score_sde.pytree import Pytree, static
from score_sde.samplers.checks import require_gaussian, require_whole
from score_sde.samplers.driver import Sampler
from score_sde.samplers.final import KeepSample
from score_sde.samplers.grids import LogSNR
from score_sde.samplers.predictors.ddim import DDIM
from score_sde.typing import Array, Batch, Condition, Key

SAMPLER = Sampler(predictor=DDIM(), grid=LogSNR(), n_steps=100, final=KeepSample())


class Inversion(Pytree):
    """DDIM inversion: a deterministic predictor run up its grid (Song, Meng and Ermon 2021, section 4.3).

    A step up from s to t is the predictor's own from s. The step down undoes it but for an error of one order
    more than the method's, so that the round trip converges as the method does. With ``corrections`` the step
    up is improved by x_t <- x_t + sigma_t / sigma_s (x_s - down(x_t)), whose fixed point is undone exactly
    (for DDIM: the estimate is made anew at the point that was reached, Pan et al. 2023). It converges
    where sigma_t / sigma_s is not much more than one. ``decode`` with another condition edits the picture.
    ``samplers.ProbabilityFlowODE.encode`` does the same by a black-box solver.

    Attributes:
        sampler: its predictor, grid and steps; deterministic (DDIM(eta=0), ProbabilityFlowHeun(), ...),
            and of one step (no memory). The last time of the grid is where pictures are: above 0, if the
            model's noise does not exist there.
        corrections: fixed-point iterations of a step up, each of as many evaluations as the predictor's.
    """

    sampler: Sampler = SAMPLER
    corrections: int = static(0)

    def __post_init__(self) -> None:
        require_whole("Inversion.corrections", self.corrections, 0)
        if self.sampler.corrector_steps and self.sampler.corrector.evaluations:
            found = type(self.sampler.corrector).__name__
            raise InputError("Inversion.sampler.corrector", found, "NoCorrector()", "correctors are random")

    def encode(self, model: ScoreModel, x: Batch, cond: Condition = None) -> Batch:
        """x_T of pictures ``x`` (batch, *event)."""
        times = self.sampler.times(model.sde, x.shape)
        _require_deterministic(self.sampler, model, x, times, cond)
        return _encode(self, model, x, times, cond)

    def decode(self, model: ScoreModel, latent: Batch, cond: Condition = None) -> Batch:
        """Pictures of x_T, by the sampler."""
        return self.sampler(jax.random.key(0), model, latent.shape, cond, x=latent)


@jax.jit
def _encode(inversion: Inversion, model: ScoreModel, x: Batch, times: Array, cond: Condition) -> Batch:
    sde, predictor = require_gaussian("Inversion", model.sde), inversion.sampler.predictor
    key = jax.random.key(0)  # nothing is random

    def move(x: Batch, t: Array, s: Array) -> Batch:
        return predictor.step(key, model, x, t, s, predictor.init(model, x, t), cond).x.astype(x.dtype)

    def up(x: Batch, interval: tuple[Array, Array]) -> tuple[Batch, None]:
        s, t = interval
        ratio = sde.sigma(t) / sde.sigma(s)

        def correct(y: Batch, _: None) -> tuple[Batch, None]:
            return (y + ratio * (x - move(y, t, s))).astype(x.dtype), None

        reached = move(x, s, t)
        return jax.lax.scan(correct, reached, None, length=inversion.corrections)[0], None

    rising = times[::-1]
    return jax.lax.scan(up, x, (rising[:-1], rising[1:]))[0]


def _require_deterministic(
    sampler: Sampler, model: ScoreModel, x: Batch, times: Array, cond: Condition
) -> None:
    """Raise where a step depends on its key, or starts where the model has no noise."""
    if not bool(model.sde.has_score(times[-1])):
        expected = "times above 0, where sigma is"
        raise InputError("Inversion for sampler.grid's last time", float(times[-1]), expected)
    first, second = (_probe(sampler, jax.random.key(i), model, x[:1], times, cond) for i in range(2))
    if not bool(jnp.array_equal(first, second, equal_nan=True)):
        found = type(sampler.predictor).__name__
        expected = "a deterministic one, as DDIM(eta=0) or ProbabilityFlowHeun()"
        raise InputError("Inversion for sampler.predictor", found, expected)


@jax.jit
def _probe(sampler: Sampler, key: Key, model: ScoreModel, x: Batch, times: Array, cond: Condition) -> Batch:
    memory = sampler.predictor.init(model, x, times[0])
    return sampler.predictor.step(key, model, x, times[0], times[1], memory, cond).x
