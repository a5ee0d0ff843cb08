"""Pictures of forecasts, of what was assimilated, of scores by lead, ranks and spectra."""

from __future__ import annotations

import pathlib
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from experiments.dynamics.assimilation import CLIMATE, COMPOSED, EXACT_WINDOWS, MOVED, PARTICLES
from experiments.dynamics.forecasting import INPAINTED, NEXT, SYSTEM
from experiments.dynamics.measure import Entry
from experiments.dynamics.systems import PARTS
from score_sde.evaluation.files import replace_file

BLUE, ORANGE, GREEN, GRAY, BLACK = "#3b6ea8", "#d9782d", "#3f8f4f", "#9aa3ad", "#222222"
COLOURS = {NEXT: ORANGE, INPAINTED: GREEN, SYSTEM: BLUE, CLIMATE: GRAY}  # of forecasts
COLOURS |= {MOVED: ORANGE, COMPOSED: GREEN, EXACT_WINDOWS: GRAY, PARTICLES: BLUE}  # of assimilation
MAP = "RdBu_r"

Arrays = dict[str, np.ndarray]


def save_all(workdir: pathlib.Path, results: dict[str, Any], parts: Sequence[str]) -> list[pathlib.Path]:
    """All pictures; their paths."""
    arrays = {part: loaded(workdir, part) for part in parts}
    written = [
        save_scores(workdir / "crps.png", results, parts),
        save_ranks(workdir / "ranks.png", results, parts),
        save_spectra(workdir / "spectra.png", arrays),
    ]
    for part, found in arrays.items():
        forecast, assimilated = (workdir / f"{part}_{what}.png" for what in ("forecasts", "assimilation"))
        written += [save_forecasts(forecast, part, found), save_assimilation(assimilated, part, found)]
    return written


def loaded(workdir: pathlib.Path, part: str) -> Arrays:
    """What the first seed kept."""
    with np.load(Entry(part, 0).arrays(workdir)) as file:
        return {name: file[name] for name in file.files}


def save_scores(path: pathlib.Path, results: dict[str, Any], parts: Sequence[str]) -> pathlib.Path:
    """CRPS above, and spread over skill below, by lead, a column for each part."""
    figure = Figure(figsize=(3.2 * len(parts) + 0.6, 5.2), layout="constrained")
    axes = figure.subplots(2, len(parts), squeeze=False)
    for column, part in enumerate(parts):
        for name, row in results["parts"][part]["forecasts"].items():
            leads = 1 + np.arange(len(row["crps"]))
            axes[0, column].plot(leads, row["crps"], color=COLOURS[name], label=name)
            axes[1, column].plot(leads, row["ratio"], color=COLOURS[name])
        axes[0, column].set(title=part, ylim=(0, 1))  # standard deviations: what is beyond has failed
        axes[1, column].axhline(1, color=BLACK, linewidth=0.8, linestyle=":")
        axes[1, column].set(xlabel=f"lead, in {PARTS[part]().unit}", ylim=(0, 2))
    axes[0, 0].set_ylabel("CRPS, in standard deviations")
    axes[1, 0].set_ylabel("spread / skill")
    _legend_below(figure, axes[0, 0], min(len(parts), 4))
    return _saved(figure, path)


def _legend_below(figure: Figure, axis: Any, columns: int) -> None:
    handles = axis.get_legend_handles_labels()
    figure.legend(*handles, loc="outside lower center", ncols=columns, frameon=False, fontsize=9)


def save_ranks(path: pathlib.Path, results: dict[str, Any], parts: Sequence[str]) -> pathlib.Path:
    """How often the truth has each rank, by way, over what a flat histogram would have."""
    every = [results["parts"][part]["forecasts"] for part in parts]
    ways = [way for way in (NEXT, INPAINTED, SYSTEM) if any(way in rows for rows in every)]
    figure = Figure(figsize=(2.6 * len(parts) + 0.6, 0.2 + 1.8 * len(ways)), layout="constrained")
    axes = figure.subplots(len(ways), len(parts), squeeze=False)
    for column, (part, rows) in enumerate(zip(parts, every, strict=True)):
        for axis, way in zip(axes[:, column], ways, strict=True):
            if way not in rows or not any(rows[way]["crps"]):  # members that are all the truth have no ranks
                axis.set_axis_off()
                continue
            counts = np.asarray(rows[way]["ranks"], float)
            axis.bar(np.arange(len(counts)), counts / counts.mean(), color=COLOURS[way], width=1.0)
            axis.axhline(1, color=BLACK, linewidth=0.8, linestyle=":")
            axis.set(xticks=[0, len(counts) - 1])
            axis.set_title(f"{part}\n{way}" if way == NEXT else way, fontsize=9)
    figure.supxlabel("rank of the truth among the members", fontsize=10)
    return _saved(figure, path)


def save_spectra(path: pathlib.Path, arrays: dict[str, Arrays]) -> pathlib.Path:
    """Above: spectra of free runs; below: the law of a state's first value."""
    figure = Figure(figsize=(3.0 * len(arrays) + 0.6, 5.2), layout="constrained")
    axes = figure.subplots(2, len(arrays), squeeze=False)
    for column, (part, found) in enumerate(arrays.items()):
        field = PARTS[part]().field
        for name in (SYSTEM, NEXT):
            power = found[f"spectrum {name}"]
            axes[0, column].loglog(1 + np.arange(len(power)), power, color=COLOURS[name], label=name)
            values = found[f"values {name}"][:, 0]
            axes[1, column].hist(
                values, bins=40, range=(-4, 4), density=True, histtype="step", color=COLOURS[name]
            )
        kind = "frequency" if len(field) == 1 else "wave number"
        top = found[f"spectrum {SYSTEM}"].max()
        axes[0, column].set(title=part, xlabel=kind, ylim=(1e-9 * top if len(field) > 1 else None, 3 * top))
        axes[1, column].set(xlabel="value, in standard deviations", yticks=[])
    axes[0, 0].set_ylabel("power")
    _legend_below(figure, axes[0, 0], min(len(arrays), 2))
    return _saved(figure, path)


def save_forecasts(path: pathlib.Path, part: str, found: Arrays) -> pathlib.Path:
    """An ensemble beside the truth: lines of one number, or maps."""
    return (_line_forecasts, _ring_forecasts, _map_forecasts)[len(PARTS[part]().field) - 1](path, found)


def save_assimilation(path: pathlib.Path, part: str, found: Arrays) -> pathlib.Path:
    """Draws beside the truth and what was seen of it."""
    return (_line_draws, _ring_draws, _map_draws)[len(PARTS[part]().field) - 1](path, part, found)


def _line_forecasts(path: pathlib.Path, found: Arrays) -> pathlib.Path:
    ways = [way for way in (SYSTEM, NEXT, INPAINTED) if f"forecast {way}" in found]
    figure = Figure(figsize=(9, 2.0 * len(ways) + 0.4), layout="constrained")
    for axis, way in zip(figure.subplots(len(ways), 1, squeeze=False)[:, 0], ways, strict=True):
        members, truth = found[f"forecast {way}"][:, 0, :, 0], found["forecast truth"][0, :, 0]
        leads = 1 + np.arange(len(truth))
        axis.plot(leads, members.T, color=COLOURS[way], linewidth=0.7, alpha=0.5)
        axis.plot(leads, truth, color=BLACK, linewidth=1.6)
        axis.set_ylim(-3.5, 3.5)  # what is beyond has failed
        axis.set_title(f"{way}: 16 members, and what came (black)", fontsize=10)
        axis.spines[["top", "right"]].set_visible(False)
    figure.supxlabel("lead", fontsize=10)
    return _saved(figure, path)


def _line_draws(path: pathlib.Path, part: str, found: Arrays) -> pathlib.Path:
    """Every number of the state; observations with their two standard deviations."""
    shown, seen = PARTS[part](), found["seen"]
    order = (COMPOSED, EXACT_WINDOWS, MOVED, PARTICLES)
    ways = [way for way in order if f"draws {way}" in found]
    numbers = found["truth"].shape[-1]
    figure = Figure(figsize=(3.4 * len(ways), 1.8 * numbers + 0.4), layout="constrained")
    axes = figure.subplots(numbers, len(ways), squeeze=False, sharex=True, sharey="row")
    times, when = np.arange(shown.length), np.flatnonzero(shown.when)
    for column, way in enumerate(ways):
        for row in range(numbers):
            axis = axes[row, column]
            draws = found[f"draws {way}"][..., row].T
            axis.plot(times, draws, color=COLOURS[way], linewidth=0.7, alpha=0.5)
            axis.plot(times, found["truth"][:, row], color=BLACK, linewidth=1.4)
            if row == 0:
                axis.errorbar(when, seen[when, 0], 2 * shown.std, fmt="o", color=BLACK, markersize=3)
                axis.set_title(way, fontsize=10)
    figure.supxlabel("state", fontsize=10)
    return _saved(figure, path)


def _ring_forecasts(path: pathlib.Path, found: Arrays) -> pathlib.Path:
    panels = {"what came": found["forecast truth"][0]}
    for way in (SYSTEM, NEXT):
        members = found[f"forecast {way}"][:, 0]
        panels |= {f"{way}: a member": members[0], f"{way}: mean": members.mean(axis=0)}
    return _ring_panels(path, panels)


def _ring_draws(path: pathlib.Path, part: str, found: Arrays) -> pathlib.Path:
    shown = PARTS[part]()
    seen = np.full((shown.length, *shown.field), np.nan)
    mask = shown.when.reshape(-1, 1, 1) & shown.where
    seen[mask] = found["seen"][shown.when].ravel()
    panels = {"truth": found["truth"], "seen": seen}
    for way in (COMPOSED, MOVED, PARTICLES):
        if f"draws {way}" in found:
            draws = found[f"draws {way}"]
            panels |= {f"{way}:\na draw": draws[0], f"{way}:\nmean": draws.mean(axis=0)}
    return _ring_panels(path, panels)


def _ring_panels(path: pathlib.Path, panels: Arrays) -> pathlib.Path:
    """Places upwards, time to the right."""
    figure = Figure(figsize=(2.6 * len(panels), 3.0), layout="constrained")
    axes = figure.subplots(1, len(panels), squeeze=False, sharey=True)[0]
    for axis, (name, values) in zip(axes, panels.items(), strict=True):
        axis.imshow(
            values[..., 0].T, origin="lower", aspect="auto", cmap=MAP, vmin=-2.5, vmax=2.5,
            interpolation="nearest",
        )  # fmt: skip
        axis.set_title(name, fontsize=9)
    axes[0].set_ylabel("place")
    figure.supxlabel("state", fontsize=10)
    return _saved(figure, path)


def _map_forecasts(path: pathlib.Path, found: Arrays) -> pathlib.Path:
    truth = found["forecast truth"][0]
    chosen = np.unique(np.linspace(0, len(truth) - 1, 4).round().astype(int))
    rows = {"what came": truth[chosen]}
    members = found[f"forecast {NEXT}"][:, 0][:, chosen]
    rows |= {"score model:\na member": members[0], "mean of members": members.mean(axis=0)}
    return _map_rows(path, rows, [f"lead {lead + 1}" for lead in chosen])


def _map_draws(path: pathlib.Path, part: str, found: Arrays) -> pathlib.Path:
    shown = PARTS[part]()
    times = np.flatnonzero(shown.when)
    seen = np.full((shown.length, *shown.field), np.nan)
    seen[shown.when.reshape(-1, 1, 1, 1) & shown.where] = found["seen"][shown.when].ravel()
    coarse = seen[times][:, shown.seen[0], shown.seen[1]]
    draws = found[f"draws {COMPOSED}"][:, times]
    rows = {"truth": found["truth"][times], "seen\n(its places only)": coarse}
    rows |= {"score model:\na draw": draws[0], "another": draws[1], "mean": draws.mean(axis=0)}
    return _map_rows(path, rows, [f"state {time + 1}" for time in times])


def _map_rows(path: pathlib.Path, rows: Arrays, titles: Sequence[str]) -> pathlib.Path:
    figure = Figure(figsize=(2.0 * len(titles) + 0.5, 2.0 * len(rows) + 0.3), layout="constrained")
    axes = figure.subplots(len(rows), len(titles), squeeze=False)
    for axis, title in zip(axes[0], titles, strict=True):
        axis.set_title(title, fontsize=9)
    for line, (name, values) in zip(axes, rows.items(), strict=True):
        for axis, field in zip(line, values, strict=True):
            axis.imshow(field[..., 0], cmap=MAP, vmin=-3, vmax=3, interpolation="nearest")
            axis.set(xticks=[], yticks=[])
        line[0].set_ylabel(name, fontsize=9)
    return _saved(figure, path)


def _saved(figure: Figure, path: pathlib.Path) -> pathlib.Path:
    canvas = FigureCanvasAgg(figure)
    return replace_file(path, lambda stream: canvas.print_figure(stream, format="png", dpi=100))
