"""Anomaly detection as a scikit-learn estimator."""

from __future__ import annotations

import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from sklearn.base import BaseEstimator, OutlierMixin
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from score_sde.anomaly.base import AnomalyScore
from score_sde.anomaly.batches import BATCH, in_batches
from score_sde.anomaly.noise_shapes import NoiseShapes
from score_sde.anomaly.recipes import MLPRecipe
from score_sde.errors import InputError
from score_sde.networks.base import partition

LIMIT = 2**31 - 1


class DiffusionOutlierDetector(OutlierMixin, BaseEstimator):
    """Outliers by what a diffusion model says of them.

    Columns are standardised, and where the score asks a model a multilayer perceptron is trained on them,
    unless one is given. Training rows may hold a few outliers, at best none. ``score_samples`` is minus the
    anomaly score, so that, as everywhere in scikit-learn, smaller is more abnormal.

    Args:
        anomaly_score: an ``AnomalyScore``; None: ``NoiseShapes()``, which trains nothing and on
            tables did best (experiments/anomaly).
        model: a trained model of the rows, which are then in its space and are not standardised.
        shape: of an example that a row is reshaped to, such as (28, 28, 1); None: the row.
        width: hidden width of the perceptron.
        depth: its hidden layers.
        dropout: share of hidden values that training leaves out.
        steps: updates of training.
        batch_size: rows in an update.
        learning_rate: of Adam at the start.
        contamination: share of the training rows that ``predict`` is to call outliers, in (0, 0.5].
        random_state: of initialisation, training and the score's noise.
        progress: called with the number of updates, gives a ``training.progress.Progress``; None for silence.

    Attributes:
        anomaly_score_: the fitted score.
        model_: the trained model.
        center_: means of the columns.
        scale_: their standard deviations; 1 for a constant column.
        offset_: the ``contamination`` quantile of ``score_samples`` of the training rows, each of them left
            out by scores that compare with training rows.
        n_features_in_: columns.
    """

    n_features_in_: int

    def __init__(
        self,
        anomaly_score: AnomalyScore | None = None,
        *,
        model: Any = None,
        shape: tuple[int, ...] | None = None,
        width: int = 128,
        depth: int = 3,
        dropout: float = 0.0,
        steps: int = 2000,
        batch_size: int = 128,
        learning_rate: float = 2e-3,
        contamination: float = 0.1,
        random_state: Any = None,
        progress: Any = None,
    ) -> None:
        self.anomaly_score = anomaly_score
        self.model = model
        self.shape = shape
        self.width = width
        self.depth = depth
        self.dropout = dropout
        self.steps = steps
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.contamination = contamination
        self.random_state = random_state
        self.progress = progress

    def fit(self, X: Any, y: Any = None) -> DiffusionOutlierDetector:
        """Train on rows ``X`` (n, columns); ``y`` is not looked at.

        Raises:
            InputError: a parameter out of its range; training that diverges.
            ValueError: rows that scikit-learn refuses: NaN, text, no rows.
        """
        del y
        X = validate_data(self, X, dtype=(np.float64, np.float32))
        self._require_contamination()
        self._scale(X)
        self.seed_ = int(check_random_state(self.random_state).randint(LIMIT))
        x = self._rows(X)
        learn, fit = jax.random.split(jax.random.key(self.seed_))
        score, model = self.untrained()
        if self.model is None:
            score, model = score.learnt(model, self._recipe(), x, learn)
        self.anomaly_score_, self.model_ = score.fitted(model, x, fit), model
        self.offset_ = float(np.quantile(self._score_samples(X), self.contamination))
        return self

    def score_samples(self, X: Any) -> np.ndarray:
        """Minus the anomaly score (n,): smaller is more abnormal."""
        check_is_fitted(self)
        return self._score_samples(validate_data(self, X, dtype=(np.float64, np.float32), reset=False))

    def decision_function(self, X: Any) -> np.ndarray:
        """``score_samples`` less ``offset_`` (n,): outliers are below 0."""
        return self.score_samples(X) - self.offset_

    def predict(self, X: Any) -> np.ndarray:
        """1 for inliers and -1 for outliers (n,)."""
        return np.where(self.decision_function(X) < 0, -1, 1)

    def untrained(self) -> tuple[AnomalyScore, Any]:
        """Score and model before training; of a detector whose columns are known."""
        score = NoiseShapes() if self.anomaly_score is None else self.anomaly_score
        if self.model is not None:
            return score, self.model
        return score.prepared(self._recipe(), jax.random.key(self.seed_), self._event())

    def __getstate__(self) -> dict[str, Any]:
        """What is pickled: of a model that was trained here its parameters, since networks hold functions."""
        state = dict(super().__getstate__())
        if "model_" in state and self.model is None:
            state["model_"] = jax.tree.map(np.asarray, partition(self.model_)[0])
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Make the model again and put its parameters in."""
        super().__setstate__(dict(state))
        if "model_" in state and self.model is None:
            self.model_ = partition(self.untrained()[1])[1](state["model_"])

    def _score_samples(self, X: np.ndarray) -> np.ndarray:
        key = jax.random.fold_in(jax.random.key(self.seed_), 1)
        scores = in_batches(self.anomaly_score_, self.model_, self._rows(X), key, batch_size=BATCH)
        return -np.asarray(scores, np.float64)

    def _recipe(self) -> MLPRecipe:
        return MLPRecipe(
            width=self.width,
            depth=self.depth,
            dropout=self.dropout,
            steps=self.steps,
            batch_size=self.batch_size,
            learning_rate=self.learning_rate,
            progress=self.progress,
        )

    def _scale(self, X: np.ndarray) -> None:
        if self.model is not None:
            self.center_, self.scale_ = np.zeros(X.shape[1]), np.ones(X.shape[1])
            return
        self.center_, spread = X.mean(axis=0), X.std(axis=0)
        # Rounding makes the deviation of a constant column a little more than 0.
        constant = spread <= 1e-9 * np.abs(X).max(axis=0, initial=0)
        self.scale_ = np.where(constant, 1.0, spread)

    def _rows(self, X: np.ndarray) -> Any:
        rows = (np.asarray(X, np.float64) - self.center_) / self.scale_
        return jnp.asarray(rows.reshape(len(rows), *self._event()), jnp.float32)

    def _event(self) -> tuple[int, ...]:
        shape = (self.n_features_in_,) if self.shape is None else tuple(self.shape)
        if math.prod(shape) != self.n_features_in_:
            expected = f"a shape of {self.n_features_in_} values, the columns of X"
            raise InputError("shape", shape, expected, "None for rows")
        return shape

    def _require_contamination(self) -> None:
        if not 0 < self.contamination <= 0.5:
            expected = "a share in (0, 0.5]"
            raise InputError("contamination", self.contamination, expected, "0.1 is usual")
