"""The model of another run as a part of this one: a classifier that guides, a weaker model."""

from __future__ import annotations

import pathlib
from collections.abc import Callable
from typing import Any

import jax

from score_sde.config import build, load_config
from score_sde.denoisers.base import ScoreModel
from score_sde.errors import InputError
from score_sde.experiment.base import restore
from score_sde.networks.base import partition


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


def warm_started(
    *, network: Callable[..., Any], config: str, workdir: str, shape: tuple[int, ...], rngs: Any
) -> Any:
    """A network that begins with the weights of a trained one: of a student, those of its teacher.

    ``network=bind(warm_started, network=bind(UNet, ...), config=..., workdir=...)``; what has no weights, as
    dropout, is that of ``network``.

    Raises:
        InputError: as ``trained``, or weights of another network.
    """
    made = network(shape=shape, rngs=rngs)
    own, rebuild = partition(made)
    theirs, _ = partition(trained(config=config, workdir=workdir).network)  # type: ignore[attr-defined]
    if _shapes(own) != _shapes(theirs):
        expected = f"a run of the same network as {type(made).__name__} here"
        raise InputError("warm_started.config", config, expected, "give both the same sizes")
    return rebuild(theirs)


def _shapes(params: Any) -> Any:
    return jax.tree.map(jax.numpy.shape, params, is_leaf=lambda node: not isinstance(node, dict))
