"""Likelihood of training data under noise of several shapes: what the exact denoiser of them knows."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from score_sde.anomaly.base import AnomalyScore, Recipe, Shape, require_fitted
from score_sde.anomaly.neighbors import ROWS, distances
from score_sde.arrays import flatten
from score_sde.errors import InputError
from score_sde.pytree import static
from score_sde.sdes.checks import require_positive
from score_sde.typing import Array, Batch, Key, PerExample


class NoiseShapes(AnomalyScore):
    """-sum_S log p_S(x) in nats, where p_S is the law of x_0 + sigma_S S^(1/2) z with x_0 a training example.

    Each p_S is the marginal, at one time, of a diffusion of the empirical law whose noise has the covariance
    S = (1 - white) C + white I, with C that of the data: with white = 1 it is -log p_t of
    ``denoisers.Empirical``, a kernel density. White noise finds what is far from all examples, noise in the
    shape of the data what leaves their correlations. No network is trained.

    sigma_S = spread * median / sqrt(d), where median is that of the training examples' distances to their
    nearest neighbour in the metric S^-1. A training example is left out of the law that it is compared to.

    Attributes:
        white: shares of white noise, one a shape, in (0, 1].
        spread: length of the noise in distances to the nearest neighbour.
        most: training examples that are kept, the first in a random order.
        maps: (shapes, d, d) from examples to where the noise is white with variance 1; None until fitted.
        log_scales: (shapes,): log |det maps|.
        data: (n, d), the training data.
    """

    white: tuple[float, ...] = static((1.0, 0.01))
    spread: float = static(2.0)
    most: int = static(10_000)
    maps: Array | None = None
    log_scales: Array | None = None
    data: Array | None = None

    def __post_init__(self) -> None:
        if not self.white or not all(0 < share <= 1 for share in self.white):
            raise InputError("NoiseShapes.white", self.white, "shares in (0, 1]", "(1.0, 0.01) is usual")
        if self.most < 1:
            raise InputError("NoiseShapes.most", self.most, "a positive count", "10000 is usual")
        require_positive("NoiseShapes.spread", self.spread)

    def __call__(self, model: Any, x: Batch, key: Key) -> PerExample:
        """Nats; no model is asked."""
        del model, key
        maps, log_scales, data = require_fitted("NoiseShapes", (self.maps, self.log_scales, self.data))
        rows, found = flatten(x), []
        itself = jax.lax.map(lambda example: _itself(example, data), rows, batch_size=ROWS)
        for each, log_scale in zip(maps, log_scales, strict=True):
            found.append(_surprise(rows @ each, data @ each, itself) - log_scale)
        return jnp.sum(jnp.stack(found), axis=0)

    def fitted(self, model: Any, x: Batch, key: Key) -> Any:
        """With ``x`` as the data, at most ``most`` of them."""
        rows = flatten(jnp.asarray(x))
        if len(rows) > self.most:
            rows = jax.random.permutation(key, rows, axis=0)[: self.most]
        found = [_map(rows, share, self.spread) for share in self.white]
        maps, log_scales = (jnp.asarray(np.stack(each), rows.dtype) for each in zip(*found, strict=True))
        return self.replace(maps=maps, log_scales=log_scales, data=rows)

    def prepared(self, recipe: Recipe, key: Key, shape: Shape) -> tuple[Any, Any]:
        """No model."""
        return self, None

    def learnt(self, model: Any, recipe: Recipe, x: Batch, key: Key) -> tuple[Any, Any]:
        """Nothing is trained."""
        return self, model


def _map(rows: Array, white: float, spread: float) -> tuple[np.ndarray, float]:
    """(d, d) to where the noise is standard normal, and the logarithm of its determinant."""
    centered = np.asarray(rows, np.float64) - np.mean(rows, axis=0)
    values, axes = np.linalg.eigh(centered.T @ centered / len(rows))
    variances = (1 - white) * np.maximum(values, 0) + white
    whitened = jnp.asarray(axes / np.sqrt(variances), rows.dtype)
    near = np.asarray(distances(rows @ whitened, rows @ whitened, 1), np.float64)
    # Where most examples are repeated, or there is one, the typical distance is not 0 but unknown: 1 stands.
    typical = np.median(near[near > 0]) if np.any(near > 0) else 1.0
    sigma = spread * typical / np.sqrt(len(values))
    scales = np.sqrt(variances) * sigma
    return axes / scales, -float(np.sum(np.log(scales)))


def _itself(example: Array, data: Array) -> Array:
    """(n,): whether this is one of the data, for the first that it is."""
    equal = jnp.all(example == data, axis=1) & (len(data) > 1)
    return equal & (jnp.arange(len(data)) == jnp.argmax(equal))


def _surprise(x: Array, data: Array, itself: Array) -> PerExample:
    """-log of the mean of N(x; data, I) over the data that are not ``itself`` (batch, n)."""

    def one(pair: tuple[Array, Array]) -> PerExample:
        example, left_out = pair
        squares = jnp.sum(jnp.square(example - data), axis=1)
        count = len(data) - jnp.sum(left_out)
        return jnp.log(count) - jax.nn.logsumexp(jnp.where(left_out, -jnp.inf, -0.5 * squares))

    return 0.5 * x.shape[1] * jnp.log(2 * jnp.pi) + jax.lax.map(one, (x, itself), batch_size=ROWS)
