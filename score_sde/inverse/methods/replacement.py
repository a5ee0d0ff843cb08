"""What is seen is put into every state: the inpainting of the score-SDE paper, for every operator."""

from __future__ import annotations

from typing import Any

import jax

from score_sde.denoisers.base import ScoreModel
from score_sde.inverse.base import Measurement, SteppedMethod, require_fit
from score_sde.inverse.default_sampler import SAMPLER
from score_sde.inverse.spectral.base import Seen
from score_sde.samplers.around import Around
from score_sde.samplers.base import Corrector, Predictor, Step
from score_sde.samplers.checks import require_gaussian
from score_sde.samplers.driver import Sampler
from score_sde.typing import Array, Batch, Condition, Key


class Replacement(SteppedMethod):
    """After every predictor and corrector step, what is seen of x_t is drawn anew from p(x_t | y).

    In the operator's spectrum, z_t = alpha value + sqrt(sigma^2 - alpha^2 std^2) n where y says ``value``
    with noise ``std``, at the time that the step has reached; it stops where sigma < alpha std. x_T is a
    noisy image, and the mean carries no noise. Song et al. 2021, appendix I.2-I.3, for masks and colours;
    here for any operator with a decomposition. ``original.OriginalInpainting`` is what their code does.

    Not a sample of p(x_0 | y), also in the limit of many steps: what is not seen is moved by the score of
    p(x_t), which has not yet seen y where the noise is large. RePaint and particle filters mend that.

    Attributes:
        sampler: any ``Sampler``.
    """

    sampler: Sampler = SAMPLER

    def stepped(self, predictor: Predictor, measurement: Measurement) -> Predictor:
        """``predictor``, and then what is seen."""
        return ReplacedPredictor(inner=predictor, seen=Seen.of(type(self).__name__, measurement))

    def __call__(
        self,
        key: Key,
        model: Any,
        measurement: Measurement,
        shape: tuple[int, ...],
        cond: Condition = None,
    ) -> Batch:
        """Draws of shape ``shape`` = (batch, *event)."""
        require_fit(type(self).__name__, measurement, shape)
        sde = require_gaussian(type(self).__name__, model.sde)
        start_key, key = jax.random.split(key)
        seen = Seen.of(type(self).__name__, measurement)
        x = seen.start(start_key, sde, shape)
        return replaced(self.sampler, seen)(key, model, shape, cond, x=x)


def replaced(sampler: Sampler, seen: Seen) -> Sampler:
    """``sampler`` with what is seen put in after each of its steps."""
    predictor, corrector = ReplacedPredictor(inner=sampler.predictor, seen=seen), sampler.corrector
    if corrector.evaluations:
        corrector = ReplacedCorrector(inner=corrector, seen=seen)
    return sampler.replace(predictor=predictor, corrector=corrector)


class ReplacedPredictor(Around):
    """Another predictor, and then what is seen of x_s.

    Attributes:
        seen: what is known.
    """

    seen: Seen

    def step(
        self,
        key: Key,
        model: ScoreModel,
        x: Batch,
        t: Array,
        s: Array,
        memory: Any = (),
        cond: Condition = None,
    ) -> Step:
        """One step."""
        step_key, put_key = jax.random.split(key)
        step = self.inner.step(step_key, model, x, t, s, memory, cond)
        x, mean = self.seen.put(put_key, step.x, step.mean, require_gaussian("Replacement", model.sde), s)
        return Step(x, mean, step.memory)


class ReplacedCorrector(Corrector):
    """Another corrector, and then what is seen of x_t.

    Attributes:
        inner: the other.
        seen: what is known.
    """

    inner: Corrector
    seen: Seen

    @property
    def evaluations(self) -> int:
        """The other's."""
        return self.inner.evaluations

    def check(self, n_steps: int) -> None:
        """The other's."""
        self.inner.check(n_steps)

    def step(self, key: Key, model: ScoreModel, x: Batch, t: Array, cond: Condition = None) -> Batch:
        """One step."""
        step_key, put_key = jax.random.split(key)
        x = self.inner.step(step_key, model, x, t, cond)
        return self.seen.put(put_key, x, x, require_gaussian("Replacement", model.sde), t)[0]
