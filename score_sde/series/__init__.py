"""Series in time: probabilistic forecasts and imputations by score models over a normal law."""

from score_sde.series.autoregression import (
    Autoregression,
    autocovariance,
    autoregressions,
    chosen_order,
    extended,
)
from score_sde.series.hiding import any_hiding, but_a_block, but_gaps, past
from score_sde.series.model import Innovations, LearntInnovations, NormalInnovations, SeriesModel
from score_sde.series.normal_law import Conditional, NormalLaw, fit_normal_law
from score_sde.series.recipe import Fitted, Recipe, Shape, fit_series
from score_sde.series.scales import AsItIs, Logarithm, Scale, SquareRoot
from score_sde.series.where_hidden import WhereHidden
from score_sde.series.windows import Windows, told, windows

__all__ = [
    "AsItIs",
    "Autoregression",
    "Conditional",
    "Fitted",
    "Innovations",
    "LearntInnovations",
    "Logarithm",
    "NormalInnovations",
    "NormalLaw",
    "Recipe",
    "Scale",
    "SeriesModel",
    "Shape",
    "SquareRoot",
    "WhereHidden",
    "Windows",
    "any_hiding",
    "autocovariance",
    "autoregressions",
    "but_a_block",
    "but_gaps",
    "chosen_order",
    "extended",
    "fit_normal_law",
    "fit_series",
    "past",
    "told",
    "windows",
]
