"""Forecasts and imputations by statsmodels and by rules of thumb, as ensembles on the scale of models."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from experiments.series.sources import Source
from experiments.series.tasks import FORECAST, Task

Ensemble = np.ndarray  # (members, n, asked)


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


def exponential_smoothing(source: Source, task: Task, members: int, seed: int) -> Ensemble:
    """ETS with additive errors, a damped trend and an additive season where there is one: simulated paths.

    Missing values of the past are interpolated, as it takes none.
    """
    from statsmodels.tsa.exponential_smoothing.ets import ETSModel

    rng, horizon = np.random.default_rng(seed), source.shape.horizon
    kind: dict[str, Any] = {"trend": "add", "damped_trend": True}
    if source.repeat > 1:
        kind |= {"seasonal": "add", "seasonal_periods": source.repeat}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fit = ETSModel(_between(source.fitted), **kind).fit(disp=False)
        found = []
        for number, start in enumerate(task.starts):
            known = _between(task.known(source, number)[: start + source.shape.past])
            state = ETSModel(known, **kind).smooth(fit.params)
            errors = np.sqrt(fit.scale) * rng.normal(size=(horizon, members))
            paths = state.simulate(horizon, anchor="end", repetitions=members, random_errors=errors)
            found.append(np.asarray(paths).reshape(horizon, members).T)
    return np.stack(found, axis=1)


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


def state_space(model: Callable[[Source], Any]) -> Callable[..., Ensemble]:
    """Ensembles of a state-space model: parameters of the fitted part, and all that is known till then.

    Forecasts by the Kalman filter, imputations by the smoother; each value from its own normal law.
    """

    def ensemble(source: Source, task: Task, members: int, seed: int) -> Ensemble:
        rng = np.random.default_rng(seed)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            fit = model(source).fit(disp=False, cov_type="none", maxiter=200)
            found = []
            for number, start in enumerate(task.starts):
                mean, std = _law(source, task, fit, number, int(start))
                found.append(mean + std * rng.normal(size=(members, len(mean))))
        return np.stack(found, axis=1)

    return ensemble


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
WAYS: dict[str, Callable[..., Ensemble]] = {
    CLIMATOLOGY: climatology,
    NAIVE: seasonal_naive,
    LINE: interpolation,
    ETS: exponential_smoothing,
    SARIMA: state_space(sarima),
    STRUCTURAL: state_space(structural),
}
ONLY: dict[str, tuple[str, ...]] = {ETS: (FORECAST,), LINE: ("gaps", "block")}


def serves(way: str, task: str) -> bool:
    """Whether a way has an answer to a task."""
    return task in ONLY.get(way, (task,))
