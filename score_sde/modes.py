"""What ``--mode`` can be: its function, the flags it needs, and what becomes of the work directory."""

from __future__ import annotations

import errno
import importlib
import os
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from absl import flags

from score_sde.config import build, check, differences, from_json, to_json
from score_sde.errors import InputError

Workdir = Callable[[Path, Any, tuple[str, ...]], Path]


def begun(workdir: Path, config: Any, may_change: tuple[str, ...]) -> Path:
    """The work directory of a run that may start here: made, and given its ``config.json``."""
    keep_config(config, made(workdir, config, may_change), may_change, write=True)
    return workdir


def trained(workdir: Path, config: Any, may_change: tuple[str, ...]) -> Path:
    """The work directory of a run that was trained with this configuration."""
    if not workdir.is_dir():
        expected = "a directory that exists"
        raise InputError("--workdir", str(workdir), expected, "train first, with --mode=train")
    keep_config(config, _writable(workdir), may_change, write=False)
    return workdir


def made(workdir: Path, config: Any, may_change: tuple[str, ...]) -> Path:
    """A directory to write into, whatever it was trained with."""
    del config, may_change
    workdir.mkdir(parents=True, exist_ok=True)
    return _writable(workdir)


class Mode(NamedTuple):
    """A mode: its function is called with the values of the flags in ``needs``, in this order.

    Attributes:
        target: ``module:function``; imported when it runs, after JAX's environment is set.
        needs: flags that must be given. ``config`` becomes the experiment, ``workdir`` a path.
        takes: flags that may be given, passed by name where they are.
        workdir: what becomes of the work directory first: ``begun``, ``trained`` or ``made``.
        without: fields of the configuration that are checked but not built, with what stands for them: a
            sampler may read another run's checkpoint.
    """

    target: str
    needs: tuple[str, ...] = ("config", "workdir")
    takes: tuple[str, ...] = ()
    workdir: Workdir = trained
    without: Mapping[str, Any] = {}


MODES = {
    "train": Mode("score_sde.experiment:train", workdir=begun),
    "eval": Mode("score_sde.experiment:evaluate"),
    "sample": Mode("score_sde.experiment:sample"),
    "likelihood": Mode("score_sde.experiment:likelihood"),
    "plan": Mode("score_sde.experiment:plan", needs=("config",), without={"sampler": None, "measures": ()}),
    "prepare": Mode(
        "score_sde.data.preparing:prepare", needs=("from", "to", "resolution"), takes=("channels", "crop")
    ),
    "inspect": Mode("score_sde.experiment:inspect", workdir=made),
    "anomaly": Mode(
        "score_sde.experiment.detecting:detect", needs=("config", "workdir", "from"), workdir=begun
    ),
    "import": Mode("score_sde.experiment:import_weights", needs=("config", "workdir", "from"), workdir=begun),
}


class Flag(NamedTuple):
    """A flag that modes are given.

    Attributes:
        expected: what its value is.
        example: one such value.
        define: the absl function that defines it.
    """

    expected: str
    example: str
    define: Callable[[str, None, str], Any] = flags.DEFINE_string


FLAGS = {
    "config": Flag("a Python file with get_config(), and :VARIANT", "configs/digits.py"),
    "workdir": Flag("a directory", "runs/digits"),
    "from": Flag("a file or folder to read", "images.zip"),
    "to": Flag("a directory to write", "data/faces"),
    "resolution": Flag("the height and width of images in pixels", "64", flags.DEFINE_integer),
    "crop": Flag("the side of the central square of images that is kept", "140", flags.DEFINE_integer),
    "channels": Flag("the channels of images, 1 or 3", "3", flags.DEFINE_integer),
}


def require_flags(name: str, values: dict[str, Any]) -> None:
    """Raise InputError for a flag that this mode needs and was not given, or that it has no use for."""
    mode = MODES[name]
    for flag in mode.needs:
        if values[flag] in (None, ""):
            remedy = f"for example --{flag}={FLAGS[flag].example}"
            raise InputError(f"--{flag}", values[flag], FLAGS[flag].expected, remedy)
    shared = ("config", "workdir")  # may stand in a file of flags for several modes
    for flag, value in values.items():
        if value is not None and flag not in (*mode.needs, *mode.takes, *shared):
            users = [other for other, its in MODES.items() if flag in (*its.needs, *its.takes)]
            expected = f"nothing with --mode={name}"
            raise InputError(f"--{flag}", value, expected, f"it is for --mode={' and '.join(users)}")


def run_mode(name: str, values: dict[str, Any], config: Any) -> None:
    """Call the mode's function: ``values`` are those of the flags, ``config`` the configuration if any."""
    mode, arguments = MODES[name], dict(values)
    if "config" in mode.needs:
        check(config)
        arguments["config"] = build({**config, **{f: v for f, v in mode.without.items() if f in config}})
    if "workdir" in mode.needs:
        may_change = getattr(arguments["config"], "may_change", ())
        arguments["workdir"] = mode.workdir(Path(values["workdir"]), config, may_change)
    module, _, function = mode.target.partition(":")
    given = {flag: values[flag] for flag in mode.takes if values[flag] is not None}
    target = getattr(importlib.import_module(module), function)
    target(*(arguments[flag] for flag in mode.needs), **given)


def keep_config(config: Any, workdir: Path, may_change: tuple[str, ...], *, write: bool) -> None:
    """Refuse a work directory that was trained with another configuration; write ``config.json``.

    ``may_change`` are the fields (dotted, below ``config``) that may differ between runs in one work
    directory: ``sampler``, ``training.n_steps``.
    """
    file = workdir / "config.json"
    if any((workdir / "checkpoints").glob("*")) and file.is_file():
        allowed = tuple(f"config.{field}" for field in may_change)
        for field, (old, new) in differences(from_json(file.read_text(), str(file)), config).items():
            if not any(field == a or field.startswith((f"{a}.", f"{a}[")) for a in allowed):
                remedy = "take the change back, or use another --workdir"
                raise InputError(field, new, f"{old!r}, which {workdir} was trained with ({file})", remedy)
    if write:
        fresh = file.with_suffix(f".{uuid.uuid4().hex}")  # several processes of one run may write it at once
        fresh.write_text(to_json(config))
        fresh.replace(file)


def _writable(workdir: Path) -> Path:
    if not os.access(workdir, os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(workdir))
    return workdir
