"""Forecasts and imputations by statsmodels and by rules of thumb, as ensembles on the scale of models."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from experiments.series.sources import Source
from experiments.series.tasks import FORECAST, Task

Ensemble = np.ndarray  # (members, n, asked)


class Way(NamedTuple):
    """How a classical method answers, and what it fits beforehand."""

    answer: Callable[..., Ensemble]  # of (source, task, members, seed), or of (fit, ...) where it has one
    fit: Callable[[Source], Any] | None = None

    def answers(self, source: Source, tasks: Sequence[Task], members: int, seed: int) -> list[Ensemble]:
        """Of several tasks, fitting once."""
        given = () if self.fit is None else (self.fit(source),)
        return [self.answer(*given, source, each, members, seed) for each in tasks]


def climatology(source: Source, task: Task, members: int, seed: int) -> Ensemble:
    """Values of the past at the same place of the season; of differences: changes since the last seen."""
    rng, past = np.random.default_rng(seed), source.fitted
    found = []
    for number, start in enumerate(task.starts):
        known = task.known(source, number)
        places = start + np.flatnonzero(~task.seen[number])
        columns = [_like(source, past, known, int(place), int(start)) for place in places]
        found.append(np.stack([rng.choice(each, members) for each in columns], axis=1))
    return np.stack(found, axis=1)


def _like(source: Source, past: np.ndarray, known: np.ndarray, place: int, start: int) -> np.ndarray:
    """What a value may be, if the series goes on as it was at this place of the season."""
    season = source.shape.season
    same = np.arange(place % season, len(past), season)
    if not source.shape.differences:
        return past[same][np.isfinite(past[same])]
    last = start + int(np.flatnonzero(np.isfinite(known[start:place]))[-1])
    same = same[same >= place - last]
    changes = past[same] - past[same - (place - last)]
    return known[last] + changes[np.isfinite(changes)]


def seasonal_naive(source: Source, task: Task, members: int, seed: int) -> Ensemble:
    """The value a period ago (or two), and errors that this made in the past."""
    rng, past = np.random.default_rng(seed), source.fitted
    found = []
    for number, start in enumerate(task.starts):
        known = task.known(source, number)
        columns = []
        for place in start + np.flatnonzero(~task.seen[number]):
            back = source.repeat
            while not np.isfinite(known[place - back]):  # not seen either: a period before it
                back += source.repeat
            errors = past[back:] - past[:-back]
            columns.append(known[place - back] + rng.choice(errors[np.isfinite(errors)], members))
        found.append(np.stack(columns, axis=1))
    return np.stack(found, axis=1)


def interpolation(source: Source, task: Task, members: int, seed: int) -> Ensemble:
    """A straight line between neighbours, of what is left without the season, and errors of the past.

    The same windows are hidden in the same way all over the fitted part; errors are drawn from there.
    """
    rng, season = np.random.default_rng(seed), _season(source)
    found = []
    for number, start in enumerate(task.starts):
        hidden = ~task.seen[number]
        rest = task.known(source, number)[start:] - season(int(start))
        errors = _interpolation_errors(source, season, hidden)
        drawn = rng.choice(errors, members)
        found.append(_between(rest)[hidden] + season(int(start))[hidden] + drawn)
    return np.stack(found, axis=1)


def _interpolation_errors(
    source: Source, season: Callable[[int], np.ndarray], hidden: np.ndarray
) -> np.ndarray:
    """(windows, asked) of the fitted part."""
    past, length = source.fitted, source.shape.length
    errors = []
    for start in range(len(past) - length + 1):
        rest = past[start : start + length] - season(start)
        errors.append((rest - _between(np.where(hidden, np.nan, rest)))[hidden])
    found = np.stack(errors)
    return found[np.isfinite(found).all(axis=1)]


def _season(source: Source) -> Callable[[int], np.ndarray]:
    """Means of the season about a line, of the fitted part, for a window that begins somewhere."""
    past, period, length = source.fitted, source.shape.season, source.shape.length
    if period == 1:
        return lambda start: np.zeros(length)
    there = np.isfinite(past)
    line = np.polyval(np.polyfit(np.flatnonzero(there), past[there], 2), np.arange(len(past)))
    rest = past - line
    means = np.array([np.nanmean(rest[place::period]) for place in range(period)])
    return lambda start: means[(start + np.arange(length)) % period]


def _between(values: np.ndarray) -> np.ndarray:
    there, places = np.isfinite(values), np.arange(len(values))
    return np.interp(places, places[there], values[there])


def fitted_ets(source: Source) -> Any:
    """ETS with additive errors, a damped trend, and an additive season.

    Missing values are interpolated, as it takes none.
    """
    return _quietly(lambda: _ets(source, _between(source.fitted)).fit(disp=False))


def _ets(source: Source, values: np.ndarray) -> Any:
    from statsmodels.tsa.exponential_smoothing.ets import ETSModel

    return ETSModel(values, trend="add", damped_trend=True, seasonal="add", seasonal_periods=source.repeat)


def simulated_ets(fit: Any, source: Source, task: Task, members: int, seed: int) -> Ensemble:
    """Paths that go on from what is known, with the parameters that were fitted."""
    rng, horizon, found = np.random.default_rng(seed), source.shape.horizon, []
    for number, start in enumerate(task.starts):
        known = _between(task.known(source, number)[: start + source.shape.past])
        state = _quietly(lambda known=known: _ets(source, known).smooth(fit.params))
        errors = np.sqrt(fit.scale) * rng.normal(size=(horizon, members))
        paths = state.simulate(horizon, anchor="end", repetitions=members, random_errors=errors)
        found.append(np.asarray(paths).reshape(horizon, members).T)
    return np.stack(found, axis=1)


def _quietly(work: Callable[[], Any]) -> Any:
    """Without statsmodels' warnings, of starting values and of iterations."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return work()


def sarima(source: Source) -> Any:
    """The Box-Jenkins model of each series: AR(9), the airline model, and an ARMA over a season."""
    from statsmodels.tsa.statespace.sarimax import SARIMAX

    if source.shape.season == 1:
        return SARIMAX(source.fitted, order=(9, 0, 0), trend="c")
    order = (0, 1, 1) if source.shape.differences else (2, 0, 1)
    return SARIMAX(source.fitted, order=order, seasonal_order=(0, 1, 1, source.shape.season))


def structural(source: Source) -> Any:
    """Level, season or cycle, and what is left: Harvey's components."""
    from statsmodels.tsa.statespace.structural import UnobservedComponents

    if source.shape.season == 1:
        cycle = {"cycle": True, "stochastic_cycle": True, "damped_cycle": True}
        bounds = (source.repeat / 1.5, source.repeat * 1.5)
        return UnobservedComponents(source.fitted, "local level", **cycle, cycle_period_bounds=bounds)
    trend = "local linear trend" if source.shape.differences else "local level"
    return UnobservedComponents(source.fitted, trend, seasonal=source.shape.season, autoregressive=1)


def fitted_state_space(model: Callable[[Source], Any]) -> Callable[[Source], Any]:
    """Parameters of largest likelihood in the fitted part."""
    return lambda source: _quietly(lambda: model(source).fit(disp=False, cov_type="none", maxiter=200))


def filtered(fit: Any, source: Source, task: Task, members: int, seed: int) -> Ensemble:
    """By the Kalman filter, or the smoother where values are hidden; each from its own normal law."""
    rng, found = np.random.default_rng(seed), []
    for number, start in enumerate(task.starts):
        mean, std = _quietly(lambda number=number, start=start: _law(source, task, fit, number, int(start)))
        found.append(mean + std * rng.normal(size=(members, len(mean))))
    return np.stack(found, axis=1)


def _law(source: Source, task: Task, fit: Any, number: int, start: int) -> tuple[np.ndarray, np.ndarray]:
    """Means and standard deviations of what is asked of a window."""
    known = task.known(source, number)
    if task.name == FORECAST:
        origin = start + source.shape.past
        law = fit.apply(known[:origin]).get_forecast(source.shape.horizon)
        return np.asarray(law.predicted_mean), np.sqrt(np.asarray(law.var_pred_mean))
    places = start + np.flatnonzero(~task.seen[number])
    law = fit.apply(known).get_prediction(information_set="smoothed")
    mean, variance = np.asarray(law.predicted_mean), np.asarray(law.var_pred_mean)
    return mean[places], np.sqrt(np.maximum(variance[places], 0))


CLIMATOLOGY, NAIVE, ETS, SARIMA = "climatology", "seasonal naive", "ETS", "SARIMA"
STRUCTURAL, LINE = "structural", "interpolation"
WAYS = {
    CLIMATOLOGY: Way(climatology),
    NAIVE: Way(seasonal_naive),
    LINE: Way(interpolation),
    ETS: Way(simulated_ets, fitted_ets),
    SARIMA: Way(filtered, fitted_state_space(sarima)),
    STRUCTURAL: Way(filtered, fitted_state_space(structural)),
}
ONLY: dict[str, tuple[str, ...]] = {ETS: (FORECAST,), LINE: ("gaps", "block")}


def serves(way: str, task: str) -> bool:
    """Whether a way has an answer to a task."""
    return task in ONLY.get(way, (task,))
