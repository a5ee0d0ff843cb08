"""What a small classifier sees: for data that Inception does not know, as digits and tables."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from score_sde.errors import InputError
from score_sde.evaluation.checks import as_rows, require_labels
from score_sde.evaluation.features.base import Features


class Affine(NamedTuple):
    """x -> x kernel + bias."""

    kernel: np.ndarray
    bias: np.ndarray

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """(B, n_in) -> (B, n_out)."""
        return x @ self.kernel + self.bias


class ClassifierFeatures(Features):
    """The last hidden layer of a perceptron that tells the classes of real examples.

    A Frechet distance in them weighs what the classes differ by. ``ClassifierFeatures.trained`` makes one.

    Attributes:
        classes: the labels, in the order of the last layer's outputs.
        layers: the first centres each value and scales all by one number, since pixels that hardly vary would
            else be worth as much as those that do; relu after all but it and the last.
    """

    classes: np.ndarray
    layers: tuple[Affine, ...]

    @classmethod
    def trained(
        cls, examples: np.ndarray, labels: np.ndarray, *, widths: tuple[int, ...] = (64, 16), seed: int = 0
    ) -> ClassifierFeatures:
        """Fit scikit-learn's MLPClassifier of hidden ``widths`` to examples (N, *event) and labels (N,).

        A tenth is held out to say when to stop. Raises InputError where counts differ or classes are few.
        """
        from sklearn.neural_network import MLPClassifier

        rows, labels = as_rows("examples", examples), np.asarray(labels)
        require_labels(labels, len(rows), 2, "give more data")
        if not widths or min(widths) < 1:
            raise InputError("widths", widths, "one positive number or more", "give hidden widths")
        mean = rows.mean(axis=0)
        scale = 1 / max(float((rows - mean).std()), 1e-300)
        model = MLPClassifier(widths, early_stopping=True, n_iter_no_change=20, random_state=seed)
        model.fit((rows - mean) * scale, labels)
        first = Affine(scale * np.eye(len(mean)), -mean * scale)
        learnt = (Affine(*pair) for pair in zip(model.coefs_, model.intercepts_, strict=True))
        return cls(classes=model.classes_, layers=(first, *learnt))

    def __call__(self, examples: np.ndarray) -> np.ndarray:
        """(B, *event) -> (B, widths[-1])."""
        first, *hidden, _ = self.layers
        x = first(self._rows(examples))
        for layer in hidden:
            x = np.maximum(layer(x), 0)
        return x

    def classify(self, examples: np.ndarray) -> np.ndarray:
        """The likeliest label of each example, (B,)."""
        scores = self.layers[-1](self(examples))
        if scores.shape[1] == 1:  # of two classes, the second's logit
            return self.classes[(scores[:, 0] > 0).astype(int)]
        return self.classes[scores.argmax(axis=1)]

    def _rows(self, examples: np.ndarray) -> np.ndarray:
        rows, expected = as_rows("examples", examples), len(self.layers[0].bias)
        if rows.shape[1] != expected:
            told = f"examples of {expected} values, as the classifier was trained on"
            raise InputError("examples.shape", np.shape(examples), told, "use the same data")
        return rows
