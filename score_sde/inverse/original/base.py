"""What the original code's inpainting and colorization share: known values put in after every update.

Facts from https://github.com/yang-song/score_sde_pytorch (``controllable_generation.py``, commit cb1f359).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import jax

from score_sde import arrays
from score_sde.denoisers.base import ScoreModel
from score_sde.inverse.base import Measurement, SteppedMethod, require_fit
from score_sde.inverse.spectral.base import require_noiseless
from score_sde.pytree import Pytree, static
from score_sde.samplers.around import Around
from score_sde.samplers.base import Corrector, Predictor, Step
from score_sde.samplers.checks import require_gaussian
from score_sde.typing import Array, Batch, Condition, Key


class Imposition(Pytree, ABC):
    """Known values, in coordinates of which some are known and the others not.

    Attributes:
        data: pictures, of which the known coordinates are used, (1 or batch, *shape).
        mask: 1 where a coordinate is known, 0 elsewhere.
    """

    data: Batch
    mask: Array

    @abstractmethod
    def decouple(self, x: Batch) -> Batch:
        """The coordinates of a picture."""

    @abstractmethod
    def couple(self, z: Batch) -> Batch:
        """The picture with these coordinates."""

    @abstractmethod
    def start(self, prior: Batch) -> Batch:
        """x_T of a draw from the prior, with known values as they are, without noise."""

    def __call__(self, key: Key, x: Batch, sde: Any, t: Array) -> tuple[Batch, Batch]:
        """x with known values noised to time t, and that noised x with known values alpha data: the mean."""
        alpha, sigma = sde.alpha(t), sde.sigma(t)
        mean = alpha * self.decouple(self.data)
        noised = mean + sigma * arrays.normal_like(key, x)
        x = self.couple(self.decouple(x) * (1 - self.mask) + noised * self.mask)
        return x, self.couple(self.decouple(x) * (1 - self.mask) + mean * self.mask)


class OriginalMethod(SteppedMethod):
    """A PC sampler with known values put in after each update, at the time that the update started from.

    The noise is drawn in the original's order, all of it by ``arrays.normal_like``: the prior, then in each
    step that of the corrector's updates, of its known values, of the predictor, of its known values. To feed
    recorded noise (channels last), put a function that hands it out in the place of ``arrays.normal_like``,
    and call the method under ``jax.disable_jit()``, as ``tests/inverse/original`` does.
    """

    @abstractmethod
    def imposition(self, measurement: Measurement) -> Imposition:
        """What y says."""

    def stepped(self, predictor: Predictor, measurement: Measurement) -> Predictor:
        """``predictor``, and then known values."""
        return ImposedPredictor(inner=predictor, imposition=self.imposition(measurement))

    def __call__(
        self,
        key: Key,
        model: Any,
        measurement: Measurement,
        shape: tuple[int, ...],
        cond: Condition = None,
    ) -> Batch:
        """Draws of shape ``shape`` = (batch, *event), in model space."""
        name = type(self).__name__
        require_fit(name, measurement, shape)
        require_noiseless(name, measurement, "use Replacement")
        require_gaussian(name, model.sde)
        imposition, sampler = self.imposition(measurement), self.sampler
        start_key, key = jax.random.split(key)
        x = imposition.start(model.sde.prior(shape).sample(start_key))
        steps = sampler.corrector_steps
        corrector = ImposedCorrector(inner=sampler.corrector, imposition=imposition, steps=steps)
        predictor = ImposedPredictor(inner=sampler.predictor, imposition=imposition)
        sampler = sampler.replace(predictor=predictor, corrector=corrector, corrector_steps=1)
        return sampler(key, model, shape, cond, x=x)


class ImposedPredictor(Around):
    """Another predictor, and then known values at the time t that it started from.

    Attributes:
        imposition: what is known.
    """

    imposition: Imposition

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
        step_key, known_key = jax.random.split(key)
        step = self.inner.step(step_key, model, x, t, s, memory, cond)
        x, mean = self.imposition(known_key, step.x, model.sde, t)
        return Step(x, mean, step.memory)


class ImposedCorrector(Corrector):
    """``steps`` updates of another corrector, and then known values, once.

    Attributes:
        inner: the other.
        imposition: what is known.
        steps: of the other.
    """

    inner: Corrector
    imposition: Imposition
    steps: int = static(1)

    @property
    def evaluations(self) -> int:
        """The other's, of all updates."""
        return self.steps * self.inner.evaluations

    def check(self, n_steps: int) -> None:
        """The other's."""
        self.inner.check(n_steps)

    def step(self, key: Key, model: ScoreModel, x: Batch, t: Array, cond: Condition = None) -> Batch:
        """The updates and the known values."""
        steps_key, known_key = jax.random.split(key)

        def again(x: Batch, key: Key) -> tuple[Batch, None]:
            return self.inner.step(key, model, x, t, cond).astype(x.dtype), None

        if self.steps:
            x, _ = jax.lax.scan(again, x, jax.random.split(steps_key, self.steps))
        return self.imposition(known_key, x, model.sde, t)[0]
