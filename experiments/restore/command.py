"""From the words of the command line to a task, and its work."""

from __future__ import annotations

import pathlib
import re
from collections.abc import Mapping
from typing import Any

from ml_collections import ConfigDict

from experiments.parts import Changes, built, completed, part
from score_sde import inverse
from score_sde.config import bind, build, load_config, override, to_json
from score_sde.errors import InputError
from score_sde.experiment.base import Experiment
from score_sde.experiment.base import restore as restore_model
from score_sde.experiment.restoring import Task, restore_images
from score_sde.experiment.restoring.images import half_mask, read_mask
from score_sde.experiment.restoring.run import digest
from score_sde.inverse import noises, operators
from score_sde.modes import trained

KINDS: dict[str, type] = {"operator": inverse.Operator, "noise": inverse.Noise, "method": inverse.Method}


def restore(values: Mapping[str, Any], changes: Mapping[str, Changes]) -> dict[str, Any]:
    """Restore the images that the flags name; returns what ``restore.json`` holds."""
    config = load_config(values["config"])
    for path, text in changes["config"]:
        override(config, path, text)
    experiment = build(config)
    workdir = trained(pathlib.Path(values["workdir"]), config, experiment.may_change)
    settings = {name: value for name, value in values.items() if name not in ("input", "output", "workdir")}
    described = {
        "operator": _operator(values, changes["operator"], experiment),
        "noise": _noise(values["noise"], changes["noise"]),
        "method": _method(values["method"], changes["method"], values["steps"]),
    }
    parts = {name: _built(name, node) for name, node in described.items()}
    written = {name: to_json(node) for name, node in described.items() if isinstance(node, ConfigDict)}
    output = pathlib.Path(values["output"] or workdir / "restore" / _name(values, changes))
    restored = restore_model(experiment, workdir)
    print(f"restoring with the checkpoint of step {restored.step}", flush=True)
    given = ("samples", "seed", "measured", "truth", "resize")
    task = Task(
        **parts,
        **{name: values[name] for name in given},
        settings=settings | written | _mask(values) | {"step": restored.step, "config": to_json(config)},
    )
    return restore_images(experiment, restored.model, task, given=values["input"], output=output)


def _name(values: Mapping[str, Any], changes: Mapping[str, Changes]) -> str:
    """A folder for each operator and method with their fields: one does not overwrite another's pictures."""
    operator = values["operator"] or f"Mask_{pathlib.Path(values['mask']).stem}"
    parts = (_with_fields(operator, changes["operator"]), _with_fields(values["method"], changes["method"]))
    return re.sub(r"[^\w.=+-]", ".", "-".join(parts))


def _with_fields(name: str, changes: Changes) -> str:
    return "_".join([name, *(f"{field}={value}" for field, value in changes)])


def _built(name: str, node: Any) -> Any:
    """A part of the kind that its flag asks for."""
    if not isinstance(node, ConfigDict):
        return node
    return built(name, node, KINDS[name])


def _mask(values: Mapping[str, Any]) -> dict[str, str]:
    """What identifies the content of a mask's file, whose name alone says little."""
    file = pathlib.Path(values["mask"] or "")
    return {"mask_digest": digest(file)} if file.is_file() else {}


def _operator(values: Mapping[str, Any], changes: Changes, experiment: Experiment) -> Any:
    """A description of the operator, or the mask itself, whose pixels no text describes."""
    shape = experiment.data.shape
    if values["operator"] == "Mask":
        raise InputError("--operator", "Mask", "a mask", "write --mask=right, or --mask=picture.png")
    if values["mask"] is None:
        return part("operator", values["operator"], KINDS["operator"], operators, changes, shape=shape)
    if changes:
        raise InputError(f"--operator.{changes[0][0]}", changes[0][1], "no --operator beside --mask")
    file = pathlib.Path(values["mask"])
    mask = read_mask(file, shape) if file.is_file() else half_mask(values["mask"], shape)
    return operators.Mask(mask=mask, shape=shape)


def _method(name: str, changes: Changes, steps: int | None) -> ConfigDict:
    """A description of the method, with ``steps`` steps also where its predictor counts them."""
    described = part("method", name, KINDS["method"], inverse, changes)
    if steps is None:
        return described
    sampler = described.get("sampler")
    if sampler is None or "n_steps" not in sampler:
        remedy = f"use --method.n_steps={steps}" if "n_steps" in described else "use --method.FIELD=VALUE"
        raise InputError("--steps", steps, "a method whose sampler counts steps", remedy)
    counted = [("sampler.n_steps", str(steps))]
    counted += [("sampler.predictor.N", str(steps))] if "N" in sampler.predictor else []
    return completed("--method", described, counted)


def _noise(given: str, changes: Changes) -> ConfigDict:
    try:
        described = bind(noises.GaussianNoise, std=float(given))
    except ValueError:
        return part("noise", given, KINDS["noise"], noises, changes)
    return completed("--noise", described, changes)
