"""Likelihood ratios: what is unlikely beyond what any data of this kind would be."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from score_sde.anomaly.base import AnomalyScore, Recipe, Shape
from score_sde.anomaly.likelihood import NegativeLogLikelihood
from score_sde.denoisers.base import ScoreModel
from score_sde.errors import InputError
from score_sde.pytree import Pytree
from score_sde.typing import Batch, Key, PerExample


class WithBackground(Pytree):
    """A model of the data beside one of what all such data have in common."""

    model: ScoreModel
    background: ScoreModel


class LikelihoodRatio(AnomalyScore):
    """log p_background(x) - log p(x) in nats, of a ``WithBackground`` (Ren et al. 2019).

    Where none is given the background is trained on examples of which a share of the values is replaced.
    Here each is replaced by the value that another example has in the same place, so that the background
    keeps the law of each value and loses how they belong together.

    Attributes:
        likelihood: of both models.
        share: of values that are replaced, in (0, 1].
    """

    likelihood: NegativeLogLikelihood = NegativeLogLikelihood()
    share: float = 0.3

    def __post_init__(self) -> None:
        if not isinstance(self.share, jax.core.Tracer) and not 0 < self.share <= 1:
            raise InputError("LikelihoodRatio.share", self.share, "a share in (0, 1]", "0.3 is usual")

    def __call__(self, model: WithBackground, x: Batch, key: Key) -> PerExample:
        """Nats; the probes of both likelihoods are the same."""
        background = self.likelihood.log_prob(model.background, x, key)
        return background - self.likelihood.log_prob(model.model, x, key)

    def prepared(self, recipe: Recipe, key: Key, shape: Shape) -> tuple[Any, Any]:
        """With a fresh model of the background too."""
        own, other = jax.random.split(key)
        models = WithBackground(model=recipe.denoiser(own, shape), background=recipe.denoiser(other, shape))
        return self, models

    def learnt(self, model: WithBackground, recipe: Recipe, x: Batch, key: Key) -> tuple[Any, Any]:
        """Both models trained, the background on perturbed examples."""
        keys = jax.random.split(key, 3)
        trained = recipe.train(model.model, x, keys[0])
        background = recipe.train(model.background, perturbed(keys[1], x, self.share), keys[2])
        return self, WithBackground(model=trained, background=background)


def perturbed(key: Key, x: Batch, share: float) -> Batch:
    """Examples of which a share of the values is another example's in the same place."""
    which_key, order_key = jax.random.split(key)
    replaced = jax.random.bernoulli(which_key, share, x.shape)
    return jnp.where(replaced, jax.random.permutation(order_key, x, axis=0, independent=True), x)
