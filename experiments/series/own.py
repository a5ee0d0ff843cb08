"""A user's series: what comes next, and what is missing, with quantiles."""

from __future__ import annotations

import csv
import io
import pathlib
from typing import Any, NamedTuple

import numpy as np

from experiments.series.pictures import save_own
from score_sde.data.columns import Column, read_column
from score_sde.errors import InputError
from score_sde.evaluation.files import replace_file
from score_sde.evaluation.forecasts import crps
from score_sde.evaluation.report import write_json
from score_sde.series import (
    AsItIs,
    Logarithm,
    NormalInnovations,
    Recipe,
    Scale,
    SeriesModel,
    Shape,
    SquareRoot,
    Windows,
    fit_normal_law,
    fit_series,
    past,
    windows,
)
from score_sde.training.progress import make_progress

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
HELD = 0.2  # of the series, at its end, decides how long to train and whether to take differences
SCALES: dict[str, Scale] = {scale.name: scale for scale in (AsItIs(), SquareRoot(), Logarithm())}


class Wanted(NamedTuple):
    """What a user asks for."""

    file: pathlib.Path
    column: str | None
    horizon: int
    season: int
    differences: int | None  # None: what forecasts better where it is held back
    scale: str
    members: int
    recipe: Recipe
    seed: int = 0


class Part(NamedTuple):
    """Rows that were drawn."""

    places: np.ndarray  # numbers of rows from 0, (asked,)
    members: np.ndarray  # (members, asked), in the units of the data


def forecast(workdir: pathlib.Path, wanted: Wanted) -> dict[str, Any]:
    """Train, forecast, fill gaps, and write CSV files and a picture; the report.

    Raises:
        InputError: naming the file, and row and column where there is one that is wrong.
    """
    column = read_column(wanted.file, wanted.column)
    try:
        return _forecast(workdir, wanted, column)
    except InputError as error:
        where = f"{wanted.file}, column {column.name!r}: {error.where}"
        raise InputError(where, error.value, error.expected, error.remedy) from error


def _forecast(workdir: pathlib.Path, wanted: Wanted, column: Column) -> dict[str, Any]:
    values = SCALES[wanted.scale].forward(column.values)
    shape = window(len(values), wanted)
    gaps = missing_runs(values, shape)
    shape, held = choice(values, shape, wanted)
    held_from = len(values) - max(round(HELD * len(values)), shape.horizon)
    fit = fit_series(values, held_from, shape, wanted.recipe, seed=wanted.seed, progress=make_progress)
    drawn = drawn_parts(fit.model, values, shape, gaps, wanted)
    names = [*column.labels, *(f"+{step + 1}" for step in range(shape.horizon))]
    write(workdir / "forecast.csv", drawn[0], names)
    if gaps:
        joined = Part(*(np.concatenate([part[i] for part in drawn[1:]], axis=-1) for i in (0, 1)))
        write(workdir / "imputed.csv", joined, names)
    report = {
        "file": str(wanted.file),
        "column": column.name,
        "rows": len(values),
        "missing": sum(map(len, gaps)),
        "shape": shape._asdict(),
        "updates": fit.updates,
        "held_back_crps": held,
    }
    write_json(workdir / "forecast.json", report)
    title = f"{column.name}: {shape.horizon} ahead, 50 and 90 %"
    save_own(workdir / "forecast.png", np.append(column.values, np.full(shape.horizon, np.nan)), drawn, title)
    print("CRPS where it was held back: " + ", ".join(f"{name} {value:.4g}" for name, value in held.items()))
    print(f"wrote forecast.csv{', imputed.csv' if gaps else ''}, forecast.json and forecast.png in {workdir}")
    return report


def window(rows: int, wanted: Wanted) -> Shape:
    """What a forecast sees: two seasons, two horizons, or 12 values; InputError for too few rows."""
    shape = Shape(max(2 * wanted.season, 2 * wanted.horizon, 12), wanted.horizon, wanted.season)
    least = 2 * shape.length + max(shape.horizon, round(HELD * 2 * shape.length) + 1)
    if rows < least:
        expected = f"at least {least} for this horizon and season"
        raise InputError("number of rows", rows, expected, "give a longer series, or lower one of them")
    return shape


def choice(values: np.ndarray, shape: Shape, wanted: Wanted) -> tuple[Shape, dict[str, float]]:
    """Whether to take differences, by the normal law's CRPS where it is held back; and these."""
    held: dict[str, float] = {"seasonal naive": _naive_crps(values, shape, wanted)}
    tried = (0, 1) if wanted.differences is None else (wanted.differences,)
    names = {each: f"normal law, differences {each}" for each in tried}
    for each, name in names.items():
        held[name] = _law_crps(values, shape._replace(differences=each), wanted)
    best = min(names, key=lambda each: held[names[each]])
    return shape._replace(differences=best), held


def _held_truth(values: np.ndarray, shape: Shape) -> tuple[np.ndarray, np.ndarray, int]:
    """Starts of windows whose future is held back, that future, and where it begins."""
    held_from = len(values) - max(round(HELD * len(values)), shape.horizon)
    starts = np.arange(held_from - shape.past, len(values) - shape.length + 1)
    future = windows(values, shape.length, starts, 1).values[:, shape.past :]
    return starts, future, held_from


def _law_crps(values: np.ndarray, shape: Shape, wanted: Wanted) -> float:
    starts, truth, held_from = _held_truth(values, shape)
    law = fit_normal_law(values[:held_from], shape.length, season=shape.season, differences=shape.differences)
    parts = windows(values, shape.length, starts, shape.season)
    model = SeriesModel(law, NormalInnovations())
    drawn = model.draws(0, parts, past(shape.length, shape.horizon), 50)[..., shape.past :]
    return _mean_crps(drawn, truth, wanted)


def _naive_crps(values: np.ndarray, shape: Shape, wanted: Wanted) -> float:
    """The last value at the same place of the season, and errors that this made before."""
    starts, truth, held_from = _held_truth(values, shape)
    rng, before = np.random.default_rng(0), values[:held_from]
    columns = []
    for step in range(shape.horizon):
        back = shape.season * (step // shape.season + 1)
        errors = before[back:] - before[:-back]
        now = values[starts + shape.past + step - back]
        columns.append(now + rng.choice(errors[np.isfinite(errors)], (50, len(starts))))
    return _mean_crps(np.stack(columns, axis=-1), truth, wanted)


def _mean_crps(drawn: np.ndarray, truth: np.ndarray, wanted: Wanted) -> float:
    back = SCALES[wanted.scale].backward
    return float(np.nanmean(crps(back(drawn), back(truth))))


def missing_runs(values: np.ndarray, shape: Shape) -> list[np.ndarray]:
    """Rows without a value, neighbours together; InputError for a run too long to say anything of."""
    places = np.flatnonzero(~np.isfinite(values))
    runs = [run for run in np.split(places, np.flatnonzero(np.diff(places) > 1) + 1) if len(run)]
    longest = shape.length // 2
    for run in runs:
        if len(run) > longest:
            remedy = "raise --horizon, or leave out the rows before the gap"
            where = f"missing values in a row from row {run[0] + 1} on"
            raise InputError(where, len(run), f"at most {longest}", remedy)
    return runs


def drawn_parts(
    model: SeriesModel, values: np.ndarray, shape: Shape, gaps: list[np.ndarray], wanted: Wanted
) -> list[Part]:
    """The forecast, and each run of missing values in a window about it."""
    back, length = SCALES[wanted.scale].backward, shape.length
    longer = np.append(values, np.full(shape.horizon, np.nan))
    found = []
    for number, places in enumerate([len(values) + np.arange(shape.horizon), *gaps]):
        middle = int(places.mean()) - length // 2
        start = len(values) - shape.past if number == 0 else int(np.clip(middle, 0, len(values) - length))
        part = Windows(longer[None, start : start + length], np.array([start % shape.season]))
        drawn = model.draws(wanted.seed + number, part, np.ones(length, bool), wanted.members)
        found.append(Part(places, back(drawn[:, 0, places - start])))
    return found


def write(path: pathlib.Path, part: Part, labels: list[str]) -> None:
    """Row, its label, mean and quantiles, as CSV."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["row", "label", "mean", *(f"q{round(100 * q):02d}" for q in QUANTILES)])
    numbers = np.stack([part.members.mean(axis=0), *np.quantile(part.members, QUANTILES, axis=0)], axis=1)
    for place, values in zip(part.places, numbers, strict=True):
        writer.writerow([int(place) + 1, labels[int(place)], *(f"{value:.8g}" for value in values)])
    replace_file(path, lambda stream: stream.write(text.getvalue().encode()))
