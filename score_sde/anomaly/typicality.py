"""Typicality: an example may also be too likely."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp

from score_sde.anomaly.base import AnomalyScore, require_fitted
from score_sde.anomaly.batches import in_batches
from score_sde.anomaly.likelihood import NegativeLogLikelihood
from score_sde.typing import Array, Batch, Key, PerExample


class Typicality(AnomalyScore):
    """|-log p(x) - H| in nats, with H the mean of -log p over training data (Nalisnick et al. 2019).

    In many dimensions samples of p keep to where -log p is near the entropy, far from its mode.

    Attributes:
        likelihood: of the model.
        entropy: H; None until fitted.
    """

    likelihood: NegativeLogLikelihood = NegativeLogLikelihood()
    entropy: Array | None = None

    def __call__(self, model: Any, x: Batch, key: Key) -> PerExample:
        """Nats from the entropy, either way."""
        entropy = require_fitted("Typicality.entropy", self.entropy)
        return jnp.abs(self.likelihood(model, x, key) - entropy)

    def fitted(self, model: Any, x: Batch, key: Key) -> Any:
        """With the mean over ``x`` as the entropy."""
        return self.replace(entropy=jnp.mean(in_batches(self.likelihood, model, x, key)))
