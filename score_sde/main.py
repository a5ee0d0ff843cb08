r"""Train, evaluate and sample a score-based SDE model that a configuration describes.

Usage:
  python -m score_sde.main --mode=MODE --config=FILE[:VARIANT] --workdir=DIR [--config.FIELD=VALUE ...]

Modes, and what each writes below the work directory:
  train    checkpoints/            resumed from when the same command is run again
           metrics.csv             a row for every logged step; the same in tensorboard/
           samples/step_*.png      a grid of samples at each snapshot
           config.json             the configuration, with every default and override
  eval     eval/results.json       bits/dim with standard error, baselines, sample metrics; also printed
  sample   sample/samples.npz      array `samples`, in the units of the data
           sample/grid.png         the same as a picture, and the reverse process beside it

Flags:
  --mode                 train, eval or sample
  --config               a Python file with a function get_config(); what follows a colon is its argument
  --config.FIELD=VALUE   changes one field: a number, true or false, None, "(1, 2)", text, or module:Name
                         for a whole part; a misspelt FIELD is answered with the fields that exist
  --workdir              where everything is read and written
  --verbosity            -1: warnings (default), 0: what the libraries log, 1: also tracebacks of user errors
  --compilation_cache    where compiled programs are kept, so that a second run starts at once; default:
                         $JAX_COMPILATION_CACHE_DIR, else score_sde/jax in the user's cache; none: nowhere
  --flagfile             a file with more flags, one a line
  --help                 this text

Examples:
  python -m score_sde.main --mode=train --config=configs/digits.py --workdir=runs/digits
  python -m score_sde.main --mode=train --config=configs/digits.py:tiny --workdir=runs/tiny
  python -m score_sde.main --mode=eval --config=configs/digits.py --workdir=runs/digits
  python -m score_sde.main --mode=sample --config=configs/digits.py --workdir=runs/digits \
      --config.sampler.n_steps=200 --config.sampler.predictor=score_sde.samplers:EulerMaruyama

Exit codes: 0 done; 2 a mistake in what was given, told in one line; 130 interrupted.
"""

from __future__ import annotations

import contextlib
import errno
import importlib
import importlib.util
import inspect
import os
import re
import sys
import traceback
import uuid
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

from absl import flags, logging

from score_sde.config import build, differences, from_json, marker, override, to_json
from score_sde.errors import InputError, did_you_mean

MODES = {"train": "train", "eval": "evaluate", "sample": "sample"}  # and the function of score_sde.experiment
HELP = ("--help", "-help", "-h", "--helpshort", "--helpfull")
FLAGS = flags.FLAGS

flags.DEFINE_string("mode", None, "train, eval or sample")
flags.DEFINE_string("config", None, "a Python file with a function get_config(), and :VARIANT")
flags.DEFINE_string("workdir", None, "where everything is read and written")
flags.DEFINE_string("compilation_cache", None, "where compiled programs are kept; none: nowhere")


def run(argv: list[str]) -> int:
    """The command line: ``argv`` with the program's name first; returns the exit code."""
    if set(HELP) & set(argv[1:]):
        print(__doc__)
        return 0
    try:
        _run(argv)
    except KeyboardInterrupt:
        print("interrupted; training resumes from its last checkpoint when it is run again", file=sys.stderr)
        return 130
    except Exception as error:
        told = _told(error)
        if not told:
            raise
        if FLAGS.is_parsed() and FLAGS.verbosity >= 1:
            traceback.print_exc()
        print(f"error: {told}", file=sys.stderr)
        return 2
    return 0


def _run(argv: list[str]) -> None:
    rest, changes = split_overrides(FLAGS.read_flags_from_files(argv, force_gnu=False))
    _parse(rest)
    prepare(FLAGS.compilation_cache, FLAGS.verbosity)
    config = load_config(FLAGS.config)
    for path, text in changes:
        override(config, path, text)
    experiment = build(config)
    workdir = usable(Path(FLAGS.workdir), FLAGS.mode)
    keep_config(config, workdir, getattr(experiment, "may_change", ()), write=FLAGS.mode == "train")
    module = importlib.import_module("score_sde.experiment")
    getattr(module, MODES[FLAGS.mode])(experiment, workdir)


def split_overrides(argv: list[str]) -> tuple[list[str], list[tuple[str, str]]]:
    """Take ``--config.FIELD=VALUE``, ``--config.FIELD VALUE`` and ``--noconfig.FIELD`` out of ``argv``."""
    rest: list[str] = []
    changes: list[tuple[str, str]] = []
    waiting = list(argv)
    while waiting:
        argument = waiting.pop(0)
        match = re.fullmatch(r"--?(no)?config\.([^=]*)(=(.*))?", argument, flags=re.DOTALL)
        if match is None:
            rest.append(argument)
        elif match[1] or match[3]:
            changes.append((match[2], "false" if match[1] else match[4]))
        else:
            has_value = bool(waiting) and not waiting[0].startswith("--")
            changes.append((match[2], waiting.pop(0) if has_value else "true"))
    return rest, changes


def _parse(argv: list[str]) -> None:
    """Parse the absl flags and check those that are always needed."""
    FLAGS.unparse_flags()
    try:
        extra = FLAGS(argv)[1:]
    except flags.UnrecognizedFlagError as error:
        known = ["mode", "config", "workdir", "verbosity", "compilation_cache", "flagfile"]
        value = error.flagvalue.partition("=")[2]
        remedy = did_you_mean(error.flagname, known).replace("mean ", "mean --") or "see --help"
        raise InputError(f"--{error.flagname}", value, "a known flag", remedy) from error
    if extra:
        raise InputError("argument", extra[0], "flags only", "write --flag=value; see --help")
    if FLAGS.mode not in MODES:
        remedy = did_you_mean(FLAGS.mode or "", MODES) or "see --help"
        raise InputError("--mode", FLAGS.mode, f"one of {', '.join(MODES)}", remedy)
    if not FLAGS.config:
        raise InputError("--config", FLAGS.config, "a Python file", "for example --config=configs/digits.py")
    if not FLAGS.workdir:
        raise InputError("--workdir", FLAGS.workdir, "a directory", "for example --workdir=runs/digits")


def prepare(cache: str | None, verbosity: int) -> None:
    """Quiet the libraries and choose the compilation cache, by environment: JAX is not imported yet."""
    logging.use_absl_handler()
    if verbosity < 0:
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    if cache == "none":
        os.environ["JAX_ENABLE_COMPILATION_CACHE"] = "false"
        return
    default = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "score_sde" / "jax"
    if cache:
        os.environ["JAX_COMPILATION_CACHE_DIR"] = str(Path(cache).absolute())
    os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", str(default))
    os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0")
    os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES", "-1")


def load_config(given: str) -> Any:
    """The configuration that ``FILE.py`` or ``FILE.py:VARIANT`` returns from ``get_config``."""
    file, colon, variant = given.rpartition(":") if ".py:" in given else (given, "", "")
    path = Path(file)
    if not path.is_file():
        near = [str(found) for found in path.parent.glob("*.py")] if path.parent.is_dir() else []
        raise InputError("--config", given, "a Python file", did_you_mean(file, near) or "there is none here")
    with _reading(file):
        module = _module(path)
        if not callable(getattr(module, "get_config", None)):
            raise InputError(
                "get_config", None, "a function of this name", "it returns call(Experiment, ...)"
            )
        if colon and not inspect.signature(module.get_config).parameters:
            raise InputError("variant", variant, "no variant", "get_config() takes none")
        config = module.get_config(variant) if colon else module.get_config()
    if marker(config) is None:
        raise InputError(
            file, type(config).__name__, "call(...) from get_config()", "return call(Experiment)"
        )
    return config


@contextlib.contextmanager
def _reading(file: str) -> Iterator[None]:
    """Say of every mistake in a configuration file in which line it is."""
    try:
        yield
    except SyntaxError as error:
        place, text = f"{error.filename}:{error.lineno}", (error.text or "").strip()
        raise InputError(place, text, f"valid Python ({error.msg})") from error
    except InputError as error:
        told = _placed(file, error, error.where)
        raise InputError(told, error.value, error.expected, error.remedy) from error
    except Exception as error:
        told, what = _placed(file, error, ""), f"{type(error).__name__}: {error}"
        raise InputError(told, what, "a file that runs", "--verbosity=1 shows the traceback") from error


def _module(path: Path) -> ModuleType:
    """Run a configuration file as a module under its own name, so that its classes can be targets."""
    name = f"config_file_{re.sub(r'[^0-9A-Za-z]', '_', str(path.absolute()))}"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def _placed(file: str, error: BaseException, where: str) -> str:
    """``where``, after the line of the configuration file that led to the error."""
    frames = traceback.extract_tb(error.__traceback__)
    lines = [f.lineno for f in frames if os.path.exists(f.filename) and os.path.samefile(f.filename, file)]
    return " ".join(filter(None, [f"{file}:{lines[-1]}" if lines else f"{file}:", where]))


def keep_config(config: Any, workdir: Path, may_change: tuple[str, ...], *, write: bool) -> None:
    """Refuse a work directory that was trained with another configuration; write ``config.json``.

    ``may_change`` are the fields (dotted, below ``config``) that may differ between runs in one work
    directory: ``sampler``, ``training.n_steps``.
    """
    file = workdir / "config.json"
    trained = any((workdir / "checkpoints").glob("*"))
    if trained and file.is_file():
        allowed = tuple(f"config.{field}" for field in may_change)
        for field, (old, new) in differences(from_json(file.read_text(), str(file)), config).items():
            if not any(field == a or field.startswith((f"{a}.", f"{a}[")) for a in allowed):
                remedy = "take the change back, or use another --workdir"
                raise InputError(field, new, f"{old!r}, which {workdir} was trained with ({file})", remedy)
    if write:
        fresh = file.with_suffix(f".{uuid.uuid4().hex}")  # several processes of one run may write it at once
        fresh.write_text(to_json(config))
        fresh.replace(file)


def usable(workdir: Path, mode: str) -> Path:
    """The work directory, made if training starts; ``InputError`` or ``OSError`` if it cannot serve."""
    if mode == "train":
        workdir.mkdir(parents=True, exist_ok=True)
    elif not workdir.is_dir():
        raise InputError(
            "--workdir", str(workdir), "a directory that exists", "train first, with --mode=train"
        )
    if not os.access(workdir, os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(workdir))
    return workdir


def _told(error: BaseException) -> str:
    """What to say of a mistake in one line; nothing if it is a defect, whose traceback is wanted."""
    if isinstance(error, InputError | flags.Error):
        return " ".join(str(error).split())
    if isinstance(error, OSError):
        what = error.strerror or str(error)
        file = f"{error.filename}: " if error.filename else ""
        return f"{file}{what}; {_OS_REMEDIES.get(error.errno or 0, 'check --workdir and the files named')}"
    chain = "".join(traceback.format_exception(error))  # a checkpoint library may wrap the system's error
    return (
        f"No space left on device; {_OS_REMEDIES[errno.ENOSPC]}" if "No space left on device" in chain else ""
    )


_OS_REMEDIES = {
    errno.ENOSPC: "free some space and run the same command: it resumes from the last checkpoint",
    errno.EACCES: "choose a --workdir that you may write to",
    errno.EROFS: "choose a --workdir that you may write to",
    errno.EEXIST: "choose a --workdir that is a directory",
    errno.ENOTDIR: "choose a --workdir that is a directory",
}

if __name__ == "__main__":
    sys.exit(run(sys.argv))
