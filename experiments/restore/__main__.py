r"""Restore images with a trained model: draws of what they were, given what is left of them.

Usage:
  python -m experiments.restore --config=FILE --workdir=DIR --input=IMAGE-OR-FOLDER
      --operator=NAME [--operator.FIELD=VALUE ...] [--method=NAME] [--method.FIELD=VALUE ...]

The model is the run in --workdir, trained with --config. An image is measured with --operator and
noise, then drawn again from the measurement; with --measured it is the measurement. Written below
--output: a folder for each image (measurement.png, mean.png, std.png, sample_*.png, draws.npz),
sheet.png of all, restore.json. Stopped, the same command goes on; images that are done stay.

Flags:
  --config, --config.FIELD   the configuration of the run, as for score_sde.main; sampled classes of a
                             conditional model are --config.condition.sampled
  --workdir                  the run, as --mode=train left it
  --input                    an image (PNG, JPEG) of the data's size, or a folder of them
  --output                   where everything is written (default: restore/OPERATOR-METHOD below --workdir,
                             with the fields that were given of both; other settings of the same replace it)
  --operator                 what is measured: a class of score_sde.inverse.operators, as AveragePooling,
                             GaussianBlur, Colorization, or module:Class of your own
  --operator.FIELD=VALUE     a field of it, as --operator.factor=2
  --mask                     hidden pixels, in place of --operator: left, right, top, bottom, center, or an
                             image of the data's size, black where hidden
  --method                   what draws: a class of score_sde.inverse (default AdaptivePiGDM), or module:Class
  --method.FIELD=VALUE       a field of it, as --method.sampler.predictor.churn=20
  --steps                    steps of the method's sampler (default: the method's)
  --noise                    standard deviation of the noise in the model's units, where black is -1 and white
                             1 (default 0.05), or a class of score_sde.inverse.noises, as PoissonNoise
  --noise.FIELD=VALUE        a field of it, as --noise.peak=30
  --samples                  draws of each image (default 8); the particles of a particle method
  --measured                 --input holds measurements, not images to be measured
  --truth                    folder of the true images of the same names, to measure the restored ones by
  --resize                   fit images of another size (cropped to its aspect)
  --seed                     of noise and draws (default 0)
  --compilation_cache, --verbosity   as for score_sde.main

Examples:
  python -m experiments.restore --config=configs/digits.py --workdir=runs/digits \
      --input=digit.png --mask=right
  python -m experiments.restore --config=configs/digits.py --workdir=runs/digits \
      --input=folder --operator=AveragePooling --operator.factor=2 --method=DPS --steps=500 --samples=16

Exit codes: 0 done; 2 a mistake in what was given, told in one line; 130 interrupted.
"""

from __future__ import annotations

import sys

from absl import flags

from score_sde.main import HELP, guarded, set_environment, split_overrides

FLAGS = flags.FLAGS
FLAG_VALUES = flags.FlagValues()
PARTS = ("config", "operator", "method", "noise")

for _name, _default in {
    "config": None,
    "workdir": None,
    "input": None,
    "output": None,
    "operator": None,
    "mask": None,
    "method": "AdaptivePiGDM",
    "noise": "0.05",
    "truth": None,
    "compilation_cache": None,
}.items():
    flags.DEFINE_string(_name, _default, "see above", flag_values=FLAG_VALUES)
for _name, _number in {"samples": 8, "seed": 0, "steps": None, "verbosity": -1}.items():
    flags.DEFINE_integer(_name, _number, "see above", flag_values=FLAG_VALUES)
for _name in ("measured", "resize"):
    flags.DEFINE_boolean(_name, False, "see above", flag_values=FLAG_VALUES)


def run(argv: list[str]) -> int:
    """The command line: ``argv`` with the program's name first; returns the exit code."""
    if set(HELP) & set(argv[1:]):
        print(__doc__)
        return 0
    return guarded(lambda: _run(argv))


def _run(argv: list[str]) -> None:
    changes: dict[str, list[tuple[str, str]]] = {}
    for part in PARTS:
        argv, changes[part] = split_overrides(argv, part)
    values = _values(argv)
    set_environment(values.pop("compilation_cache"), values.pop("verbosity"))
    from experiments.restore.command import restore  # JAX's environment is set before it is imported

    restore(values, changes)


def _values(argv: list[str]) -> dict[str, object]:
    from score_sde.errors import InputError, did_you_mean

    FLAG_VALUES.unparse_flags()
    try:
        extra = FLAG_VALUES(argv)[1:]
    except flags.UnrecognizedFlagError as error:
        remedy = did_you_mean(error.flagname, list(FLAG_VALUES)).replace("mean ", "mean --") or "see --help"
        value = error.flagvalue.partition("=")[2]
        raise InputError(f"--{error.flagname}", value, "a known flag", remedy) from error
    if extra:
        raise InputError("argument", extra[0], "flags only", "write --flag=value; see --help")
    values = FLAG_VALUES.flag_values_dict()
    for name in ("config", "workdir", "input"):
        if values[name] is None:
            raise InputError(f"--{name}", None, "a value", "see --help")
    if (values["operator"] is None) == (values["mask"] is None):
        raise InputError("--operator", values["operator"], "either --operator or --mask", "see --help")
    return values


if __name__ == "__main__":
    sys.exit(run(sys.argv))
