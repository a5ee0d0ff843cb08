"""How the model of a series is trained, and how long: what is held back at the end decides."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from score_sde.denoisers import EDMPrecondition, LogSNRLabels
from score_sde.errors import InputError
from score_sde.networks import MLP, Beside
from score_sde.networks.base import initialise
from score_sde.objectives import (
    DenoisingScoreMatching,
    EDMWeighting,
    GivenChannels,
    Stratified,
    UniformLogSNR,
)
from score_sde.sdes import VP
from score_sde.series.hiding import any_hiding, past
from score_sde.series.model import LearntInnovations, SeriesModel
from score_sde.series.normal_law import NormalLaw, fit_normal_law
from score_sde.series.where_hidden import WhereHidden
from score_sde.series.windows import CHANNELS, Windows, filled, rows, windows
from score_sde.training.in_memory import train_on
from score_sde.training.progress import Progress

OBJECTIVE = GivenChannels(
    objective=DenoisingScoreMatching(
        times=UniformLogSNR(low=-8.0, high=8.0, batch=Stratified()), weight=EDMWeighting(sigma_data=1.0)
    )
)
NETWORK = functools.partial(MLP.for_shape, width=64, depth=2, dropout=0.2, label_scale=40.0)
REPEATS = 32  # times and draws of noise of each window held back


def kept(law: NormalLaw) -> NormalLaw:
    """The law itself."""
    return law


class Shape(NamedTuple):
    """What a window is, and what the series is like."""

    past: int  # values that a forecast sees
    horizon: int  # values that it is of
    season: int = 1
    differences: int = 0

    @property
    def length(self) -> int:
        """Values of a window."""
        return self.past + self.horizon


class Recipe(NamedTuple):
    """Small networks on the innovations of all windows, with values hidden in many ways.

    Attributes:
        network: ``(shape=, rngs=)`` -> a network of (batch, length, channels).
        updates: numbers of them that are tried; what is held back decides among them.
        copies: ways to hide that training has of each window.
        batch_size: windows in an update.
        learning_rate: at the start; it falls to 0 by half a cosine.
        memory: what becomes of the normal law: ``kept``, or ``NormalLaw.without_memory`` for a network that
            starts from independent values.
    """

    network: Callable[..., Any] = NETWORK
    updates: tuple[int, ...] = (25, 100, 400)
    copies: int = 48
    batch_size: int = 128
    learning_rate: float = 1e-3
    memory: Callable[[NormalLaw], NormalLaw] = kept


class Fitted(NamedTuple):
    """A model, and how it came about."""

    model: SeriesModel
    updates: int
    losses: dict[int, float]  # on what was held back, less that of the normal law, by updates


def fit_series(
    values: np.ndarray,
    held_from: int,
    shape: Shape,
    recipe: Recipe = Recipe(),  # noqa: B008 - immutable
    *,
    seed: int = 0,
    progress: Callable[[int], Progress] | None = None,
) -> Fitted:
    """The model of a series: trained up to ``held_from``, judged on the rest, then trained on all.

    Args:
        values: (n,) in time, the first at the begin of a season; NaN where there is none.
        held_from: first value that decides how long to train.
        shape: of windows.
        recipe: how it is trained.
        seed: of the network, of what is hidden, and of the noise.
        progress: made for each training with its updates; None tells nobody.

    Raises:
        InputError: too few values before or after ``held_from``.
    """
    if held_from < shape.length + 1 or len(values) - held_from < shape.horizon:
        expected = f"{shape.length + 1} values before, and {shape.horizon} after"
        raise InputError("values held back from", held_from, expected, "give a longer series")
    losses = _held_losses(values, held_from, shape, recipe, seed, progress)
    best = min(losses, key=losses.__getitem__) if losses else recipe.updates[0]
    law = _law(values, shape, recipe)
    model = _trained(law, values, shape, recipe, best, seed, progress)
    return Fitted(SeriesModel(law, LearntInnovations(model)), best, losses)


def _held_losses(
    values: np.ndarray,
    held_from: int,
    shape: Shape,
    recipe: Recipe,
    seed: int,
    progress: Callable[[int], Progress] | None,
) -> dict[int, float]:
    """Of each number of updates, less that of the normal law; nothing where there is no choice."""
    if len(recipe.updates) == 1:
        return {}
    early = values[:held_from]
    law = _law(early, shape, recipe)
    held = _held_rows(law, values, held_from, shape, seed)
    base, losses = _held_loss(denoiser(recipe, shape, seed), held), {}
    for updates in recipe.updates:
        trained = _trained(law, early, shape, recipe, updates, seed, progress)
        losses[updates] = _held_loss(trained, held) - base
    return losses


def denoiser(recipe: Recipe, shape: Shape, seed: int) -> Any:
    """A fresh one, which is the normal law."""
    make = functools.partial(Beside, recipe.network, channels=CHANNELS)
    network = initialise(make, seed=seed, shape=(shape.length, 1))
    return WhereHidden(
        network=network, sde=VP(), precondition=EDMPrecondition(sigma_data=1.0, labels=LogSNRLabels())
    )


def training_rows(
    law: NormalLaw, values: np.ndarray, shape: Shape, copies: int, rng: np.random.Generator
) -> np.ndarray:
    """All windows with at least half of their values, each hidden in ``copies`` ways."""
    parts = _at_least_half(windows(values, shape.length, _starts(values, shape.length), shape.season))
    kinds = [any_hiding(rng, shape.length, shape.horizon) for _ in range(copies)]
    return np.concatenate([rows(law, filled(law, parts, rng), seen, rng) for seen in kinds])


def _law(values: np.ndarray, shape: Shape, recipe: Recipe) -> NormalLaw:
    law = fit_normal_law(values, shape.length, season=shape.season, differences=shape.differences)
    return recipe.memory(law)


def _trained(
    law: NormalLaw,
    values: np.ndarray,
    shape: Shape,
    recipe: Recipe,
    updates: int,
    seed: int,
    progress: Callable[[int], Progress] | None,
) -> Any:
    x = training_rows(law, values, shape, recipe.copies, np.random.default_rng(seed))
    return train_on(
        denoiser(recipe, shape, seed),
        OBJECTIVE,
        x,
        jax.random.key(seed),
        steps=updates,
        batch_size=recipe.batch_size,
        learning_rate=recipe.learning_rate,
        seed=seed,
        progress=progress(updates) if progress else None,
    )


def _held_rows(law: NormalLaw, values: np.ndarray, held_from: int, shape: Shape, seed: int) -> np.ndarray:
    """Forecasts of what is held back."""
    rng = np.random.default_rng(seed)
    starts = np.arange(held_from - shape.past, len(values) - shape.length + 1)
    parts = _at_least_half(windows(values, shape.length, starts, shape.season))
    return rows(law, filled(law, parts, rng), past(shape.length, shape.horizon), rng)


def _held_loss(model: Any, x: np.ndarray) -> float:
    """The mean loss, with the same times and noise for every model."""
    return float(_mean_loss(model, jnp.asarray(np.tile(x, (REPEATS, 1, 1)))))


@jax.jit
def _mean_loss(model: Any, x: jax.Array) -> jax.Array:
    return jnp.mean(OBJECTIVE(jax.random.key(0), model, x))


def _starts(values: np.ndarray, length: int) -> np.ndarray:
    return np.arange(len(values) - length + 1)


def _at_least_half(parts: Windows) -> Windows:
    return parts[np.isfinite(parts.values).mean(axis=1) >= 0.5]
