"""Who is measured: the teacher at several numbers of steps, and what each method made of few."""

from __future__ import annotations

import pathlib
from typing import Any, NamedTuple

from score_sde.config import build, load_config, override
from score_sde.experiment import Experiment
from score_sde.samplers import DDIM, Sampler, Sampling, Uniform

ROOT = pathlib.Path(__file__).parents[2]
FILE = "configs/digits_few_step.py"
ROUNDS = (16, 8, 4, 2, 1)  # of progressive distillation
REFERENCE = "teacher, ODE"  # the entrant that others are compared to


class Entrant(NamedTuple):
    """A way to draw samples.

    Attributes:
        name: as the table calls it.
        variant: of the configuration that its model is trained by.
        steps: of its sampler; None for that of the configuration.
        taught: whether training needed the teacher.
    """

    name: str
    variant: str
    steps: int | None = None
    taught: bool = False


def entrants() -> list[Entrant]:
    """All, the reference first."""
    found = [Entrant(REFERENCE, "teacher")]
    found += [Entrant(f"teacher, DDIM in {n}", "teacher", n) for n in (32, 16, 4, 2, 1)]
    for name, variant, taught in (
        ("consistency training", "ct", False),
        ("improved consistency training", "", False),
        ("MeanFlow", "mean_flow", False),
        ("consistency distillation", "distilled", True),
        ("MeanFlow, distilled", "mean_flow_distilled", True),
    ):
        found += [Entrant(f"{name}, {n} step{'s' * (n > 1)}", variant, n, taught) for n in (1, 2)]
    return found + [
        Entrant(f"progressive distillation, {n} step{'s' * (n > 1)}", f"halved_{n}", n, True)
        for n in (4, 2, 1)
    ]


def variants() -> list[str]:
    """What is trained, each after what it learns from."""
    rounds = [f"halved_{n}" for n in ROUNDS]
    return ["teacher", "distilled", "mean_flow_distilled", *rounds, "", "ct", "mean_flow"]


def folder(workdir: pathlib.Path, variant: str) -> pathlib.Path:
    """Where a variant is trained."""
    return workdir / (variant or "improved")


def experiment(workdir: pathlib.Path, variant: str, tiny: bool) -> Experiment:
    """A variant's experiment, whose teacher is found in ``workdir``."""
    prefix = "tiny" if tiny else ""
    named = "_".join(part for part in (prefix, variant) if part)
    config = load_config(f"{ROOT / FILE}:{named}" if named else str(ROOT / FILE))
    teacher = f"{ROOT / FILE}:{'tiny_' if tiny else ''}teacher"
    where = folder(workdir, _teacher(variant))
    for field in ("network", "objective.teacher", "objective.velocity.teacher"):
        if _has_run(config, field.split(".")):
            override(config, f"{field}.config", teacher)
            override(config, f"{field}.workdir", str(where))
    return build(config)


def sampler(entrant: Entrant, trained: Experiment) -> Sampling:
    """Of the configuration, with the entrant's number of steps."""
    if entrant.variant == "teacher" and entrant.steps is not None:
        return Sampler(predictor=DDIM(), grid=Uniform(t_min=0.0), n_steps=entrant.steps)
    found = trained.require_sampler()
    return found if entrant.steps is None else found.replace(n_steps=entrant.steps)


def _teacher(variant: str) -> str:
    """Of a round of progressive distillation it is the round before."""
    if not variant.startswith("halved_"):
        return "teacher"
    left = int(variant.removeprefix("halved_"))
    return "teacher" if left == ROUNDS[0] else f"halved_{2 * left}"


def _has_run(config: Any, names: list[str]) -> bool:
    for name in names:
        config = config.get(name) if hasattr(config, "get") else None
    return config is not None and "workdir" in config
