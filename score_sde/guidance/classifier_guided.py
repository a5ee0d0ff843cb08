"""Guidance by the gradient of a classifier of noisy inputs."""

from __future__ import annotations

from typing import Any

from score_sde.arrays import expand
from score_sde.denoisers.base import Denoiser, Estimate, ScoreModel
from score_sde.guidance.base import Guided, Look
from score_sde.guidance.checks import require_finite, require_positive, require_same_process
from score_sde.guidance.gradients import guiding_gradient, require_temperature
from score_sde.guidance.shifts import shift_score
from score_sde.typing import Array, Batch, Condition, Key, Time


class ClassifierGuided(Guided):
    """score + scale * grad_x log p(y | x_t), in every convention. ``ClassifierGuided.of`` makes it.

    Song et al. 2021, section 5; Dhariwal and Nichol 2021, algorithm 2 (DDIM on this model is that
    algorithm, and theirs for ancestral sampling is ``Ancestral.guide``, which shifts the mean by the
    variance of the step instead). By Bayes' rule scale 1 with the exact classifier is the exact model of
    p(x_0 | y), for any Gaussian SDE and any sampler.

    With another scale s it is the score of q_t proportional to p_t(x) p_t(y | x)^s at every t, but these q_t
    are not the marginals of one forward process: diffusing q_0 does not give q_t, so that no sampler of the
    reverse process draws from p(x_0) p(y | x_0)^s, and samplers that agree on an unguided model (SDE and ODE)
    differ. For x_0 ~ N(0, 1) and x_0 | y ~ N(0, v) under VE the ODE ends with variance v^s, and q_0 has
    v / (s + (1 - s) v). Correctors, which hold x at a fixed t, do move towards q_t (Du et al. 2023).

    The temperature tau divides the logits: p_tau(y | x_t) = softmax(logits / tau). Below 1 the classifier is
    surer and its gradient larger where classes compete, and smaller where one has won; scale multiplies both.
    Dividing the model's own score by a temperature is another thing, which was found not to trade diversity
    for fidelity (Ho and Salimans 2022, section 3).
    At alpha(t) = 0 nothing is guided (``shifts.shift_score``).

    Attributes:
        model: what is guided. It is told the label too; one that must not be is ``Unlabelled.of(model)``.
        classifier: with ``logits(x, t)``, as ``NoisyClassifier``; or anything with
            ``score(x, t, cond)``, whose temperature must be 1.
        scale: a number, or one per example.
        temperature: tau, 1 for the classifier as it is.
    """

    model: Any
    classifier: Any
    scale: Array | float = 1.0
    temperature: Array | float = 1.0

    def __post_init__(self) -> None:
        require_finite("ClassifierGuided.scale", self.scale)
        require_positive("ClassifierGuided.temperature", self.temperature)
        require_temperature("ClassifierGuided.temperature", self.classifier, self.temperature)
        require_same_process("ClassifierGuided.classifier", self.classifier, self.model)

    @classmethod
    def of(
        cls,
        model: Denoiser,
        classifier: ScoreModel,
        scale: Array | float = 1.0,
        temperature: Array | float = 1.0,
    ) -> ClassifierGuided:
        """``model`` guided to the classes that it is called with, over the same SDE.

        Raises:
            InputError: a classifier of another process, or without logits where the temperature is not 1.
        """
        return cls(sde=model.sde, model=model, classifier=classifier, scale=scale, temperature=temperature)

    def guide(self, look: Look, x: Batch, t: Time, cond: Condition, key: Key | None) -> tuple[Estimate, Any]:
        """The model's estimate, moved by the classifier."""
        found, rest = look(self.model, x, t, cond, key)
        gradient = guiding_gradient(self.classifier, self.temperature, x, t, cond, key)
        return shift_score(self.sde, t, found, expand(self.scale, x) * gradient), rest
