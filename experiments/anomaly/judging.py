"""How well scores tell anomalies: area under two curves, and false alarms where 95 % are found."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import stats
from sklearn.metrics import average_precision_score, roc_auc_score

LEVEL = 0.95  # of intervals over seeds
FOUND = 0.95  # of anomalies


def judged(truth: np.ndarray, scores: np.ndarray) -> dict[str, float]:
    """AUROC, AUPR (average precision, of anomalies) and FPR95; what is not finite counts as the strangest."""
    scores = np.asarray(scores, np.float64)
    finite = scores[np.isfinite(scores)]
    worst = finite.max() + 1 if finite.size else 0.0
    scores = np.where(np.isfinite(scores), scores, worst)
    threshold = np.quantile(scores[truth], 1 - FOUND, method="lower")
    return {
        "auroc": float(roc_auc_score(truth, scores)),
        "aupr": float(average_precision_score(truth, scores)),
        "fpr95": float(np.mean(scores[~truth] >= threshold)),
    }


def interval(values: Sequence[float]) -> dict[str, float | None]:
    """The mean over seeds and half the width of its 95 % interval by Student's t; None of one seed."""
    array = np.asarray(values, np.float64)
    if len(array) < 2:
        return {"mean": float(array.mean()), "half_width": None}
    half = stats.t.ppf((1 + LEVEL) / 2, len(array) - 1) * array.std(ddof=1) / np.sqrt(len(array))
    return {"mean": float(array.mean()), "half_width": float(half)}
