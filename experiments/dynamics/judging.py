"""From ensembles and trajectories to numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist
from scipy.stats import t as student
from scipy.stats import wasserstein_distance

from score_sde.dynamics import Smoothed
from score_sde.evaluation.forecasts import crps, rank_histogram, spread_skill
from score_sde.evaluation.spectra import energy_spectrum, ring_spectrum, spectral_distance, temporal_spectrum

RANKED = 16  # members of rank histograms


def judged(ensemble: np.ndarray, truth: np.ndarray) -> dict[str, float]:
    """Scores of an ensemble (members, *shape) of ``truth`` (*shape)."""
    found = spread_skill(ensemble, truth)
    return {"crps": float(np.mean(crps(ensemble, truth))), "rmse": found.skill, "ratio": found.ratio}


def by_lead(ensemble: np.ndarray, truth: np.ndarray) -> dict[str, list[float]]:
    """Scores of (members, origins, leads, *field) at each lead."""
    rows = [judged(ensemble[:, :, lead], truth[:, lead]) for lead in range(truth.shape[1])]
    return {name: [row[name] for row in rows] for name in rows[0]}


def ranks(ensemble: np.ndarray, truth: np.ndarray) -> list[int]:
    """Over all origins, leads and places, among as many members as all have."""
    return [int(count) for count in rank_histogram(ensemble[:RANKED], truth)]


def wasserstein(x: np.ndarray, y: np.ndarray) -> float:
    """W_1 of two sets of equally many trajectories, with Euclidean distances: by the best assignment."""
    rows, others = x.reshape(len(x), -1), y.reshape(len(y), -1)
    costs = cdist(rows, others)
    return float(costs[linear_sum_assignment(costs)].mean())


def marginal_wasserstein(x: np.ndarray, y: np.ndarray) -> float:
    """The mean of W_1 over single values of trajectories: by sorting."""
    rows, others = (np.sort(each.reshape(len(each), -1), axis=0) for each in (x, y))
    return float(np.mean(np.abs(rows - others)))


def beside_reference(draws: np.ndarray, reference: np.ndarray, again: np.ndarray) -> dict[str, float]:
    """Distances of draws to the reference over the reference's own from run to run."""
    pairs = {"wasserstein": wasserstein, "marginal_wasserstein": marginal_wasserstein}
    count = min(len(each) for each in (draws, reference, again))
    draws, reference, again = (each[:count] for each in (draws, reference, again))
    found = {}
    for name, distance in pairs.items():
        own = distance(again, reference)
        found |= {name: distance(draws, reference), f"{name}_self": own}
        found[f"{name}_ratio"] = found[name] / own
    return found


def beside_smoother(draws: np.ndarray, exact: Smoothed) -> dict[str, float]:
    """Relative errors of means (length, d) and covariances (length, d, d), in norms over all states."""
    rows = draws.reshape(*draws.shape[:2], -1).astype(np.float64)
    means = rows.mean(axis=0)
    apart = rows - means
    covariances = np.einsum("nli,nlj->lij", apart, apart) / (len(rows) - 1)
    return {
        "mean_error": float(np.linalg.norm(means - exact.means) / np.linalg.norm(exact.means)),
        "covariance_error": float(
            np.linalg.norm(covariances - exact.covariances) / np.linalg.norm(exact.covariances)
        ),
    }


def spectrum(runs: np.ndarray) -> np.ndarray:
    """Of free runs (runs, steps, *space, channels): of space where there are places, else of time."""
    if runs.ndim == 5:
        return energy_spectrum(runs[..., 0])
    if runs.ndim == 4:
        return ring_spectrum(runs[..., 0])[1:]
    return temporal_spectrum(np.moveaxis(runs, 1, -1))


def long_run(runs: np.ndarray, reference: np.ndarray) -> dict[str, float]:
    """Distances of the second halves of free runs: of the values' law, and of the spectrum."""
    late, other = (each[:, each.shape[1] // 2 :] for each in (runs, reference))
    channels = runs.shape[-1]
    pairs = zip(late.reshape(-1, channels).T, other.reshape(-1, channels).T, strict=True)
    return {
        "invariant": float(np.mean([wasserstein_distance(a, b) for a, b in pairs])),
        "spectrum": spectral_distance(spectrum(late), spectrum(other)),
    }


def interval(values: list[float]) -> dict[str, Any]:
    """Mean, and half the width of its 95 % interval over seeds (Student's t)."""
    n = len(values)
    half = float(student.ppf(0.975, n - 1) * np.std(values, ddof=1) / np.sqrt(n)) if n > 1 else None
    return {"mean": float(np.mean(values)), "half_width": half}
