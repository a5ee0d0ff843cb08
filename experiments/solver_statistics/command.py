"""From a trained run to its statistics."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from tqdm import tqdm

from score_sde import samplers
from score_sde.config import build, load_config, override
from score_sde.errors import InputError
from score_sde.evaluation.files import replace_file
from score_sde.experiment.base import restore
from score_sde.modes import trained
from score_sde.samplers.checks import require_gaussian


def estimate(values: Mapping[str, Any], changes: Sequence[tuple[str, str]], workdir: Path) -> Path:
    """Write ``statistics.npz`` and ``curves.png``; returns their folder."""
    config = load_config(values["config"])
    for path, text in changes:
        override(config, path, text)
    experiment = build(config)
    restored = restore(experiment, trained(workdir, config, experiment.may_change))
    sde, (data_key, key) = require_gaussian("--config.sde", restored.model.sde), _keys(values["seed"])
    batch = experiment.data.split("train").first(values["examples"]).arrays()
    x0 = experiment.data.units.encode(data_key, batch["x"])
    cond = experiment.condition({**batch, "x": x0}, n_classes=experiment.data.n_classes)
    bar = tqdm(total=2 * values["knots"], unit="pass")
    statistics = samplers.estimate_statistics(
        key,
        restored.model,
        x0,
        _places(sde, values),
        kept=_kept(values["kept"]),
        batch=values["batch"],
        cond=cond,
        progress=lambda done, total: bar.update(done - bar.n),
    )
    bar.close()
    folder = workdir / "solver_statistics"
    replace_file(folder / "statistics.npz", statistics.save)
    replace_file(folder / "curves.png", lambda stream: curves(statistics).savefig(stream, format="png"))
    print("\n".join(f"wrote {folder / name}" for name in ("statistics.npz", "curves.png")))
    return folder


def curves(statistics: samplers.ModelStatistics) -> Figure:
    """l, s and b against log(alpha / sigma), each kept value a line."""
    figure = Figure(figsize=(10, 3.2), layout="constrained")
    FigureCanvasAgg(figure)
    for i, (name, values) in enumerate(
        {"l": statistics.linear, "s": statistics.rate, "b": statistics.offset}.items()
    ):
        axis = figure.add_subplot(1, 3, i + 1)
        axis.plot(statistics.places, np.reshape(values, (len(values), -1)), marker=".", linewidth=1)
        axis.set(title=name, xlabel="log(alpha / sigma)")
        axis.grid(alpha=0.3)
    return figure


def _keys(seed: int) -> tuple[Any, Any]:
    first, second = jax.random.split(jax.random.key(seed))
    return first, second


def _places(sde: Any, values: Mapping[str, Any]) -> np.ndarray:
    """Lambdas from large noise to small, inside what the process reaches."""
    if not 0 < values["sigma_min"] < values["sigma_max"]:
        expected = f"above 0 and below --sigma_max={values['sigma_max']}"
        raise InputError("--sigma_min", values["sigma_min"], expected)
    ends = np.asarray(0.5 * sde.log_snr(jnp.asarray([sde.T, 0.0], float)))
    asked = -np.log([values["sigma_max"], values["sigma_min"]])
    return np.linspace(max(ends[0], asked[0]), min(ends[1], asked[1]), values["knots"])


def _kept(words: Sequence[str]) -> tuple[int, ...]:
    try:
        return tuple(int(word) for word in words)
    except ValueError as error:
        raise InputError("--kept", ",".join(words), "axes, as 0,1,2") from error
