"""What one part with one seed gives: numbers of forecasts, of free runs and of assimilation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import numpy as np

from experiments.dynamics import assimilation, forecasting, judging
from experiments.dynamics.assimilation import CLIMATE, ENKF, MOVED, PARTICLES, Problem
from experiments.dynamics.forecasting import NEXT, SYSTEM
from experiments.dynamics.models import Learnt
from experiments.dynamics.sizes import Amount
from score_sde.denoisers.base import Denoiser
from score_sde.dynamics import Filtered
from score_sde.typing import Key

SHOWN = 16  # members and draws that are kept for pictures
COMPARED = 256  # trajectories in a Wasserstein distance
VALUES = 2000  # of free runs that are kept for pictures

Arrays = dict[str, np.ndarray]
Numbers = dict[str, float]


def others(learnt: Learnt) -> dict[str, Denoiser]:
    """Further models of trajectories that are compared: exact ones, where there are."""
    return assimilation.exact_models(learnt) if hasattr(learnt.part.system, "joint") else {}


def forecast(key: Key, learnt: Learnt, amount: Amount, arrays: Arrays) -> dict[str, Any]:
    """Scores by lead and ranks of every way; what pictures show goes to ``arrays``."""
    found = forecasting.forecasts(key, learnt, amount)
    arrays["forecast truth"] = found.truth[:2]
    for name, each in found.ensembles.items():
        arrays[f"forecast {name}"] = each[:SHOWN, :2]
    return {
        name: judging.by_lead(each, found.truth) | {"ranks": judging.ranks(each, found.truth)}
        for name, each in found.ensembles.items()
    }


def run_free(key: Key, learnt: Learnt, amount: Amount, arrays: Arrays) -> dict[str, Numbers]:
    """Distances of long rollouts from those of the system, and of the system's from its own others."""
    runs = forecasting.free_runs(key, learnt, amount)
    for name in (SYSTEM, NEXT):
        late = runs[name][:, runs[name].shape[1] // 2 :]
        values = late.reshape(-1, late.shape[-1])
        arrays[f"spectrum {name}"] = judging.spectrum(late)
        arrays[f"run {name}"] = runs[name][0]
        arrays[f"values {name}"] = values[:: max(1, len(values) // VALUES)]
    return {
        NEXT: judging.long_run(runs[NEXT], runs[SYSTEM]),
        "floor": judging.long_run(runs["again"], runs[SYSTEM]),
    }


def assimilate(
    key: Key, learnt: Learnt, amount: Amount, others: dict[str, Denoiser], arrays: Arrays
) -> dict[str, Numbers]:
    """Means over problems of every method's numbers."""
    make_key, run_key = jax.random.split(key)
    rows: dict[str, list[Numbers]] = {}
    for number, problem in enumerate(assimilation.problems(learnt, amount, make_key)):
        draws, last = trajectories(jax.random.fold_in(run_key, number), learnt, amount, problem, others)
        reference = draws.pop("again", None)
        for name, each in scores(learnt, problem, draws, reference).items():
            rows.setdefault(name, []).append(each)
        kalman = judging.judged(last, problem.truth[-1])
        rows.setdefault(ENKF, []).append({f"last_{what}": value for what, value in kalman.items()})
        if number == 0:
            arrays |= {"truth": problem.truth, "seen": problem.seen}
            arrays |= {f"draws {name}": each[:SHOWN] for name, each in draws.items()}
    return {
        name: {what: float(np.mean([row[what] for row in found])) for what in found[0]}
        for name, found in rows.items()
    }


def trajectories(
    key: Key, learnt: Learnt, amount: Amount, problem: Problem, others: dict[str, Denoiser]
) -> tuple[Arrays, np.ndarray]:
    """Draws by all methods (``again``: of a second particle filter), and the Kalman ensemble at the end."""
    keys = jax.random.split(key, 4)
    found = assimilation.smoothed_by_scores(keys[0], learnt, amount, problem, others)
    for number, (name, run) in enumerate(filters(amount).items()):
        own = jax.random.fold_in(keys[1], number)
        filtered = run(own, learnt, amount, problem)
        found[name] = np.asarray(filtered.trajectories(jax.random.fold_in(own, 1), amount.draws))
    chosen = jax.random.choice(keys[2], len(learnt.pool), (amount.draws, learnt.part.length))
    found[CLIMATE] = learnt.pool[np.asarray(chosen)]
    return found, assimilation.ensemble(keys[3], learnt, amount, problem)


def filters(amount: Amount) -> dict[str, Callable[..., Filtered]]:
    """Those with particles; that of the system runs twice, for its distance from itself."""
    found: dict[str, Callable[..., Filtered]] = {}
    if amount.moved:
        found[MOVED] = assimilation.moved
    if amount.particles:
        found |= {PARTICLES: assimilation.particles, "again": assimilation.particles}
    return found


def scores(learnt: Learnt, problem: Problem, draws: Arrays, again: np.ndarray | None) -> dict[str, Numbers]:
    """Against the truth; of few numbers, also against particles, and of a linear system Kalman's smoother."""
    few = learnt.part.where.size <= assimilation.SMALL and again is not None
    linear = hasattr(learnt.part.system, "joint")
    exact = assimilation.exact_smoother(learnt, problem) if linear else None
    found = {}
    for name, each in draws.items():
        last = judging.judged(each[:, -1], problem.truth[-1])
        row = judging.judged(each, problem.truth) | {f"last_{what}": last[what] for what in last}
        if few and name != PARTICLES:
            sets = (each[:COMPARED], draws[PARTICLES][:COMPARED], again[:COMPARED])
            row |= judging.beside_reference(*sets)
        if exact is not None:
            row |= judging.beside_smoother(each, exact)
        found[name] = row
    return found
