"""The three series, which ship inside statsmodels, and how each is divided in time."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from score_sde.series import AsItIs, Scale, Shape, SquareRoot

HORIZON, PAST = 12, 36  # values of a forecast, and those that it sees
FIRST = 12  # values of a window at least that are seen before anything hidden, in imputation


class Source(NamedTuple):
    """A series and what is decided about it beforehand, from the years before the test."""

    name: str
    values: np.ndarray  # (n,), NaN where there is none; the first begins a season
    times: np.ndarray  # (n,), in years
    unit: str
    held_from: int  # first value that decides how long networks train
    test_from: int  # first value that nothing is fitted to
    stride: int  # between origins of forecasts
    repeat: int  # values after which a seasonal-naive forecast repeats
    shape: Shape
    scale: Scale

    @property
    def fitted(self) -> np.ndarray:
        """What models are fitted to, on their scale."""
        return self.scaled[: self.test_from]

    @property
    def scaled(self) -> np.ndarray:
        """All values, on the scale of models."""
        return self.scale.forward(self.values)

    @property
    def origins(self) -> np.ndarray:
        """First values that are forecast."""
        return np.arange(self.test_from, len(self.values) - self.shape.horizon + 1, self.stride)

    @property
    def gap_starts(self) -> np.ndarray:
        """First values of windows with hidden values, all of which lie in the test part."""
        return np.arange(
            self.test_from - FIRST, len(self.values) - self.shape.length + 1, max(self.stride, 2)
        )


def sunspots() -> Source:
    """Yearly means of sunspot numbers, 1700 to 2008, modelled as square roots; no calendar season."""
    from statsmodels.datasets import sunspots as data

    table = data.load_pandas().data
    years, values = (table[name].to_numpy(float) for name in ("YEAR", "SUNACTIVITY"))
    return Source(
        "sunspots",
        values,
        years,
        "mean number",
        *_places(years, 1890, 1940),
        stride=1,
        repeat=11,
        shape=Shape(PAST, HORIZON),
        scale=SquareRoot(),
    )


def co2() -> Source:
    """Carbon dioxide at Mauna Loa, monthly means of the weekly values there are, from January 1959.

    Modelled in differences of months. Months without a value stay missing.
    """
    from statsmodels.datasets import co2 as data

    months = data.load_pandas().data["co2"].resample("MS").mean()["1959":]
    times = np.asarray(months.index.year + (months.index.month - 1) / 12, float)
    return Source(
        "co2",
        months.to_numpy(float),
        times,
        "ppm",
        *_places(times, 1978, 1986),
        stride=3,
        repeat=12,
        shape=Shape(PAST, HORIZON, season=12, differences=1),
        scale=AsItIs(),
    )


def elnino() -> Source:
    """Temperature of the sea off Peru (Nino 1+2), monthly means, 1950 to 2010."""
    from statsmodels.datasets import elnino as data

    table = data.load_pandas().data
    values = table.iloc[:, 1:].to_numpy(float).ravel()
    times = table.iloc[0, 0] + np.arange(len(values)) / 12
    return Source(
        "el nino",
        values,
        np.asarray(times, float),
        "degrees Celsius",
        *_places(times, 1980, 1990),
        stride=3,
        repeat=12,
        shape=Shape(PAST, HORIZON, season=12),
        scale=AsItIs(),
    )


SOURCES: dict[str, Any] = {"sunspots": sunspots, "co2": co2, "el nino": elnino}


def _places(times: np.ndarray, held: float, test: float) -> tuple[int, int]:
    """First values at or after two times."""
    return tuple(int(np.searchsorted(times, each - 1e-6)) for each in (held, test))  # type: ignore[return-value]
