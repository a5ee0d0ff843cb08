"""Can an independent classifier read the samples, and do they cover all classes?"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from score_sde.errors import InputError
from score_sde.evaluation.checks import as_rows, require_labels


class Legibility(NamedTuple):
    """What the judge says of a set of images.

    ``confident`` is the fraction with a largest class probability above the threshold; ``entropy`` the
    mean entropy of the class probabilities in nats; ``class_histogram`` the fraction per class;
    ``coverage`` the entropy of that histogram over log(classes): 1 is all classes equally often.
    """

    confident: float
    confident_stderr: float
    entropy: float
    class_histogram: np.ndarray
    coverage: float
    accuracy: float | None = None  # with labels


class Judge:
    """The mean of two unlike classifiers, both calibrated on held-out folds of the training data.

    A support vector machine draws smooth borders but is sure of itself far from the data; extremely
    randomised trees vote by single pixels and disagree there. Only where both agree is the mean
    confident: noise and pixels shuffled between images score near zero.
    """

    def __init__(self, classes: np.ndarray, models: tuple[Any, ...], event: tuple[int, ...]) -> None:
        self.classes, self.models, self.event = classes, models, event

    def __call__(self, images: np.ndarray) -> np.ndarray:
        """Class probabilities (N, classes) of images (N, *event) in data units."""
        rows = as_rows("images", images)
        if np.shape(images)[1:] != self.event:
            expected = f"{self.event}, the event that the judge was trained on"
            raise InputError("images.shape[1:]", np.shape(images)[1:], expected, "use the same data")
        return np.mean([model.predict_proba(rows) for model in self.models], axis=0)


def train_judge(images: np.ndarray, labels: np.ndarray, *, folds: int = 5, seed: int = 0) -> Judge:
    """Fit the judge to real training images (N, *event) in data units and their labels (N,).

    Raises InputError where counts differ, or where a class has fewer examples than ``folds``.
    """
    from sklearn.calibration import CalibratedClassifierCV
    from sklearn.ensemble import ExtraTreesClassifier
    from sklearn.svm import SVC

    rows, labels = as_rows("images", images), np.asarray(labels)
    require_labels(labels, len(rows), folds, "lower folds")
    machine = CalibratedClassifierCV(SVC(C=10.0), method="isotonic", cv=folds)
    trees = CalibratedClassifierCV(ExtraTreesClassifier(150, random_state=seed), method="sigmoid", cv=folds)
    models = tuple(model.fit(rows, labels) for model in (machine, trees))
    return Judge(np.unique(labels), models, np.shape(images)[1:])


def assess_legibility(
    judge: Judge, images: np.ndarray, labels: np.ndarray | None = None, *, threshold: float = 0.9
) -> Legibility:
    """Ask the judge about images (N, *event) in data units; labels (N,) add its accuracy."""
    probabilities = judge(images)
    sure = probabilities.max(axis=1) > threshold
    predicted = probabilities.argmax(axis=1)
    histogram = np.bincount(predicted, minlength=len(judge.classes)) / len(predicted)
    accuracy = None
    if labels is not None:
        if np.shape(labels) != predicted.shape:
            raise InputError("labels.shape", np.shape(labels), f"{predicted.shape}", "one label an image")
        accuracy = float(np.mean(judge.classes[predicted] == np.asarray(labels)))
    return Legibility(
        confident=float(sure.mean()),
        confident_stderr=float(math.sqrt(sure.mean() * (1 - sure.mean()) / len(sure))),
        entropy=float(_entropy(probabilities).mean()),
        class_histogram=histogram,
        coverage=float(_entropy(histogram) / math.log(len(judge.classes))),
        accuracy=accuracy,
    )


def _entropy(probabilities: np.ndarray) -> np.ndarray:
    safe = np.where(probabilities > 0, probabilities, 1.0)
    return -(probabilities * np.log(safe)).sum(axis=-1)
