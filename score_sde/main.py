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
  likelihood                       by the method that config.likelihood names, below likelihood/METHOD/:
           values.npz              nats, bits/dim, their standard error and cost of each example; killed, it
                                   goes on when it is run again
           results.json            their means; also table.txt and histogram.png
  plan     (nothing)               parameters, operations and memory, in seconds and without data or
                                   --workdir: printed as a table, and as JSON in the last line
  import   checkpoints/            the weights that authors released (--from: score_sde's .pth or Flax file,
                                   EDM's .pkl, ADM's .pt, our .safetensors) as the first checkpoint
  inspect  inspect/inspection.json what the data are like, and the sigma_max and sigma_data that suit them
           inspect/statistics.npz  mean and covariance of the features, which Frechet distances (FID) need
           inspect/examples.png    examples as a picture, and histogram.png beside it
  prepare  (below --to)            a data set for score_sde.data.TFDS from --from: a folder or zip of images
                                   (labels from class folders or EDM's dataset.json), MNIST's idx files, or
                                   CIFAR-10's binary version; killed, it goes on when it is run again
  anomaly  anomalies.csv           the rows of --from (CSV, .npy, .npz), the strangest first; what is normal
                                   is learnt from --config.data once, and kept in checkpoints/detector.npz

Flags:
  --mode                 one of the modes above
  --config               a Python file with a function get_config(); what follows a colon is its argument
  --config.FIELD=VALUE   changes one field: a number, true or false, None, "(1, 2)", text, or module:Name
                         for a whole part; a misspelt FIELD is answered with the fields that exist
  --workdir              where everything is read and written
  --from                 what is read: a file or a folder
  --to                   the directory that is written
  --resolution           height and width of images, in pixels
  --channels             channels of images: 1 (grey) or 3 (colour, default)
  --crop                 side of the central square of images that is kept before they are resized
  --verbosity            -1: warnings (default), 0: what the libraries log, 1: also tracebacks of user errors
  --compilation_cache    where compiled programs are kept, so that a second run starts at once; default:
                         $JAX_COMPILATION_CACHE_DIR, else score_sde/jax in the user's cache; none: nowhere
  --flagfile             a file with more flags, one a line
  --help                 this text

Examples:
  python -m score_sde.main --mode=train --config=configs/digits.py --workdir=runs/digits
  python -m score_sde.main --mode=train --config=configs/digits.py:tiny --workdir=runs/tiny
  python -m score_sde.main --mode=plan --config=configs/digits.py
  python -m score_sde.main --mode=import --from=checkpoint_26.pth --workdir=runs/cifar10 \
      --config=configs/vp/cifar10_ddpmpp_continuous.py
  python -m score_sde.main --mode=prepare --from=ffhq.zip --to=~/tensorflow_datasets/ffhq --resolution=64
  python -m score_sde.main --mode=eval --config=configs/digits.py --workdir=runs/digits
  python -m score_sde.main --mode=likelihood --config=configs/digits.py --workdir=runs/digits \
      --config.likelihood.method.draws=4 --config.likelihood.n_examples=100
  python -m score_sde.main --mode=anomaly --config=configs/anomaly.py --workdir=runs/anomaly \
      --config.data=normal.csv --from=new.csv
  python -m score_sde.main --mode=sample --config=configs/digits.py --workdir=runs/digits \
      --config.sampler.n_steps=200 --config.sampler.predictor=score_sde.samplers:EulerMaruyama

Exit codes: 0 done; 2 a mistake in what was given, told in one line; 130 interrupted.
"""

from __future__ import annotations

import errno
import os
import re
import sys
import traceback
from collections.abc import Callable
from pathlib import Path

from absl import flags, logging

from score_sde import modes
from score_sde.config import load_config, override
from score_sde.errors import InputError, did_you_mean
from score_sde.modes import MODES

HELP = ("--help", "-help", "-h", "--helpshort", "--helpfull")
FLAGS = flags.FLAGS

flags.DEFINE_string("mode", None, f"one of {', '.join(MODES)}")
flags.DEFINE_string("compilation_cache", None, "where compiled programs are kept; none: nowhere")
for _name, _flag in modes.FLAGS.items():
    _flag.define(_name, None, _flag.expected)


def run(argv: list[str]) -> int:
    """The command line: ``argv`` with the program's name first; returns the exit code."""
    if set(HELP) & set(argv[1:]):
        print(__doc__)
        return 0
    return guarded(lambda: _run(argv))


def guarded(work: Callable[[], None]) -> int:
    """Do the work of a command; its exit code, with mistakes told in one line."""
    try:
        work()
    except KeyboardInterrupt:
        print("interrupted; the same command goes on from what was saved", file=sys.stderr)
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
    values = {name: FLAGS[name].value for name in modes.FLAGS}
    modes.require_flags(FLAGS.mode, values)
    set_environment(FLAGS.compilation_cache, FLAGS.verbosity)
    config = load_config(str(values["config"])) if "config" in MODES[FLAGS.mode].needs else None
    for path, text in changes:
        if config is None:
            raise InputError(f"--config.{path}", text, f"nothing with --mode={FLAGS.mode}", "leave it out")
        override(config, path, text)
    modes.run_mode(FLAGS.mode, values, config)


def split_overrides(argv: list[str], name: str = "config") -> tuple[list[str], list[tuple[str, str]]]:
    """Take ``--config.FIELD=VALUE``, ``--config.FIELD VALUE`` and ``--noconfig.FIELD`` out of ``argv``.

    ``name`` is what stands for ``config``.
    """
    rest: list[str] = []
    changes: list[tuple[str, str]] = []
    waiting = list(argv)
    while waiting:
        argument = waiting.pop(0)
        match = re.fullmatch(rf"--?(no)?{name}\.([^=]*)(=(.*))?", argument, flags=re.DOTALL)
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
        known = ["mode", *modes.FLAGS, "verbosity", "compilation_cache", "flagfile"]
        value = error.flagvalue.partition("=")[2]
        remedy = did_you_mean(error.flagname, known).replace("mean ", "mean --") or "see --help"
        raise InputError(f"--{error.flagname}", value, "a known flag", remedy) from error
    if extra:
        raise InputError("argument", extra[0], "flags only", "write --flag=value; see --help")
    if FLAGS.mode not in MODES:
        remedy = did_you_mean(FLAGS.mode or "", MODES) or "see --help"
        raise InputError("--mode", FLAGS.mode, f"one of {', '.join(MODES)}", remedy)


def set_environment(cache: str | None, verbosity: int) -> None:
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


def _told(error: BaseException) -> str:
    """What to say of a mistake in one line; nothing if it is a defect, whose traceback is wanted."""
    if isinstance(error, InputError | flags.Error):
        return " ".join(str(error).split())
    if isinstance(error, OSError):
        what = error.strerror or str(error)
        file = f"{error.filename}: " if error.filename else ""
        return f"{file}{what}; {_OS_REMEDIES.get(error.errno or 0, 'check --workdir and the files named')}"
    chain = "".join(traceback.format_exception(error))  # a checkpoint library may wrap the system's error
    if "No space left on device" in chain:  # before memory: such a library calls a full disk exhausted too
        return f"No space left on device; {_OS_REMEDIES[errno.ENOSPC]}"
    if "RESOURCE_EXHAUSTED" in str(error) or isinstance(error, MemoryError):
        remedy = "take fewer --samples, a smaller batch, or chunk= of a particle method; what is saved stays"
        return f"out of memory ({str(error).partition(chr(10))[0][:120]}); {remedy}"
    return ""


_OS_REMEDIES = {
    errno.ENOSPC: "free some space and run the same command: it resumes from the last checkpoint",
    errno.EACCES: "choose a --workdir that you may write to",
    errno.EROFS: "choose a --workdir that you may write to",
    errno.EEXIST: "choose a --workdir that is a directory",
    errno.ENOTDIR: "choose a --workdir that is a directory",
}

if __name__ == "__main__":
    sys.exit(run(sys.argv))
