"""Diffusion time estimation: how much noise an example looks to have, beside clean training data.

Livernoche et al. 2024, "On diffusion modeling for anomaly detection". An example is taken for x_0 + sigma z
with x_0 of the training data; anomalies look as if sigma was large.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

import jax
import jax.numpy as jnp

from score_sde import arrays
from score_sde.anomaly.base import AnomalyScore, Recipe, Shape, require_fitted
from score_sde.anomaly.neighbors import distances
from score_sde.arrays import expand
from score_sde.errors import InputError
from score_sde.objectives.base import Objective
from score_sde.pytree import Pytree, static
from score_sde.typing import Array, Batch, Condition, Key, PerExample


class NearestTime(AnomalyScore):
    """The posterior mean of sigma^2 given an example, from its k nearest training examples (DTE-NP).

    Given one x_0, sigma^2 is of the inverse gamma law with shape d / 2 - 1 and scale |x - x_0|^2 / 2,
    whose mean is |x - x_0|^2 / (d - 4); where d < 5 there is none, and its mode |x - x_0|^2 / d stands here.
    The mean of the distances to the k nearest takes the place of |x - x_0|: the order is exactly that of k
    nearest neighbours by mean distance. A training example is no neighbour of its own.

    Attributes:
        k: neighbours; all of the training data where they are fewer.
        data: the training data; None until fitted.
    """

    k: int = static(5)
    data: Array | None = None

    def __post_init__(self) -> None:
        if self.k < 1:
            raise InputError("NearestTime.k", self.k, "a positive count", "5 is usual")

    def __call__(self, model: Any, x: Batch, key: Key) -> PerExample:
        """sigma^2, in squared units of the data; no model is asked."""
        del model, key
        dimensions = x[0].size
        near = distances(x, require_fitted("NearestTime.data", self.data), self.k)
        return jnp.square(jnp.mean(near, axis=1)) / (dimensions - 4 if dimensions > 4 else dimensions)

    def fitted(self, model: Any, x: Batch, key: Key) -> Any:
        """With ``x`` as the data."""
        return self.replace(data=jnp.asarray(x))

    def prepared(self, recipe: Recipe, key: Key, shape: Shape) -> tuple[Any, Any]:
        """No model."""
        return self, None

    def learnt(self, model: Any, recipe: Recipe, x: Batch, key: Key) -> tuple[Any, Any]:
        """Nothing is trained."""
        return self, model


class NoiseRange(Pytree):
    """sigma^2 uniform in [0, sigma_max^2], as the linear schedule of the paper nearly has it.

    Its 300 steps with betas from 1e-4 to 1e-2 end at sigma^2 = 0.78 without that the data are scaled down.
    """

    sigma_max: float = 0.885

    def __post_init__(self) -> None:
        if not isinstance(self.sigma_max, jax.core.Tracer) and not self.sigma_max > 0:
            raise InputError("NoiseRange.sigma_max", self.sigma_max, "a positive number", "1 is usual")

    def draw(self, key: Key, x0: Batch) -> tuple[Batch, PerExample]:
        """Noisy examples, and the share sigma^2 / sigma_max^2 of each."""
        share_key, noise_key = jax.random.split(key)
        share = jax.random.uniform(share_key, x0.shape[:1], x0.dtype)
        std = self.sigma_max * jnp.sqrt(share)
        return x0 + expand(std, x0) * arrays.normal_like(noise_key, x0), share


class _LearntTime(AnomalyScore):
    """A network from an example to a law of its sigma^2; its sigmas are those of ``noise``."""

    noise: NoiseRange = NoiseRange()

    @property
    @abstractmethod
    def outputs(self) -> int:
        """Numbers that the network gives."""

    @abstractmethod
    def objective(self) -> Objective:
        """What it is trained by."""

    def prepared(self, recipe: Recipe, key: Key, shape: Shape) -> tuple[Any, Any]:
        """With a fresh network from examples to numbers."""
        return self, recipe.network(key, shape, self.outputs)

    def learnt(self, model: Any, recipe: Recipe, x: Batch, key: Key) -> tuple[Any, Any]:
        """The network trained to tell the noise."""
        return self, recipe.train(model, x, key, self.objective())


class CategoricalTime(_LearntTime):
    """The mean of a network's law over equal bins of sigma^2 (DTE-C; Livernoche et al. 2024).

    Attributes:
        noise: range of training noise.
        bins: of sigma^2.
    """

    bins: int = static(7)

    def __post_init__(self) -> None:
        if self.bins < 2:
            raise InputError("CategoricalTime.bins", self.bins, "two or more", "7 is the paper's")

    def __call__(self, model: Any, x: Batch, key: Key) -> PerExample:
        """The mean number of the bin, from 0."""
        del key
        return jnp.sum(jax.nn.softmax(model(x), axis=1) * jnp.arange(self.bins, dtype=x.dtype), axis=1)

    @property
    def outputs(self) -> int:
        """The bins."""
        return self.bins

    def objective(self) -> Objective:
        """Cross entropy."""
        return BinnedTime(noise=self.noise, bins=self.bins)


class InverseGammaTime(_LearntTime):
    """The mode of an inverse gamma law of sigma^2, whose scale is a network's output squared (DTE-IG).

    Its shape is d / 2 - 1, or 1/2 where that is less, and its mode scale / (shape + 1).
    """

    def __call__(self, model: Any, x: Batch, key: Key) -> PerExample:
        """The mode of sigma^2, in squared units of the data."""
        del key
        return inverse_gamma_scale(model, x) / (inverse_gamma_shape(x) + 1)

    @property
    def outputs(self) -> int:
        """The root of the scale."""
        return 1

    def objective(self) -> Objective:
        """Its negative log-likelihood."""
        return InverseGammaLikelihood(noise=self.noise)


class BinnedTime(Objective):
    """Cross entropy of the bin of sigma^2, in nats."""

    noise: NoiseRange = NoiseRange()
    bins: int = static(7)

    def __call__(self, key: Key, model: Any, x0: Batch, cond: Condition = None) -> PerExample:
        """Loss of each example at one draw of noise."""
        draw_key, model_key = jax.random.split(key)
        x, share = self.noise.draw(draw_key, x0)
        bins = jnp.minimum((share * self.bins).astype(int), self.bins - 1)
        log_probs = jax.nn.log_softmax(model(x, key=model_key), axis=1)
        return -jnp.take_along_axis(log_probs, bins[:, None], axis=1)[:, 0]


class InverseGammaLikelihood(Objective):
    """scale / sigma^2 - shape log scale: -log of an inverse gamma law of sigma^2, less what no model changes.

    Its minimum over the scale, given x, is at shape / E[1 / sigma^2 | x].
    """

    noise: NoiseRange = NoiseRange()

    def __call__(self, key: Key, model: Any, x0: Batch, cond: Condition = None) -> PerExample:
        """Loss of each example at one draw of noise."""
        draw_key, model_key = jax.random.split(key)
        x, share = self.noise.draw(draw_key, x0)
        # 1 / sigma^2 has no bound: noise below a hundredth of the largest variance counts as that.
        variance = jnp.maximum(share, 1e-2) * jnp.square(self.noise.sigma_max)
        scale = inverse_gamma_scale(model, x, key=model_key)
        return scale / variance - inverse_gamma_shape(x) * jnp.log(scale)


def inverse_gamma_scale(model: Any, x: Batch, key: Key | None = None) -> PerExample:
    """The square of a network's output, a little above 0."""
    return jnp.square(model(x, key=key)[:, 0]) + 1e-5


def inverse_gamma_shape(x: Batch) -> float:
    """d / 2 - 1, at least 1/2: the shape of sigma^2 given the distance to one x_0."""
    return max(0.5 * x[0].size - 1, 0.5)
