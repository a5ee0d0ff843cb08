"""The model of another run as a part of this one: a classifier that guides, a weaker model."""

from __future__ import annotations

import pathlib
from typing import Any

from score_sde.config import build, load_config
from score_sde.denoisers.base import ScoreModel
from score_sde.errors import InputError
from score_sde.experiment.base import restore


def trained(*, config: str, workdir: str) -> ScoreModel:
    """The model of the latest checkpoint of a run: ``guide=call(trained, config=..., workdir=...)``.

    It has the averaged parameters, and is read when the configuration is built. ``config`` is what the run
    was trained with, ``FILE.py`` or ``FILE.py:VARIANT``.

    Raises:
        InputError: no such file, no checkpoint, or one that does not fit.
    """
    experiment = build(load_config(config))
    if not pathlib.Path(workdir).is_dir():
        remedy = f"run python -m score_sde.main --mode=train --config={config} --workdir={workdir}"
        raise InputError("trained.workdir", workdir, "the directory of a trained run", remedy)
    return restore(experiment, pathlib.Path(workdir)).model


def trained_network(*, config: str, workdir: str, shape: tuple[int, ...], rngs: Any) -> Any:
    """The network of such a model, to begin from: ``network=bind(trained_network, config=..., workdir=...)``.

    Raises:
        InputError: as ``trained``, or a network for examples of another shape.
    """
    del rngs
    network = trained(config=config, workdir=workdir).network  # type: ignore[attr-defined]
    if tuple(network.shape) != tuple(shape):
        expected = f"a network for the shape {tuple(shape)}"
        raise InputError("trained_network.config", config, expected, "train one on these data")
    return network
