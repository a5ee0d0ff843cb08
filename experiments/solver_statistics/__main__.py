r"""Estimate what DPM-Solver-v3 wants to know of a trained model, from its training data.

Usage:
  python -m experiments.solver_statistics --config=FILE --workdir=DIR [--config.FIELD=VALUE ...]

Writes DIR/solver_statistics/statistics.npz and a picture of the curves. To sample with them:

  python -m score_sde.main --mode=sample --config=FILE --workdir=DIR --config.sampler.n_steps=10 \
      --config.sampler.predictor=score_sde.samplers:DPMSolverV3 \
      --config.sampler.predictor.statistics=score_sde.samplers:ModelStatistics.load \
      --config.sampler.predictor.statistics.path=DIR/solver_statistics/statistics.npz

Flags:
  --config, --config.FIELD   the configuration of the run, as for score_sde.main
  --workdir                  the run, as --mode=train left it
  --examples                 training examples taken (default 1024)
  --batch                    examples at a time (default 64)
  --knots                    places in log-SNR (default 24); more want more examples
  --kept                     axes of an example with statistics of their own, as --kept=2 for each channel of
                             images, --kept=0,1,2 for each value (default: none, one number for all)
  --sigma_min, --sigma_max   range of sigma / alpha (default 0.002 to 80, as far as the process reaches)
  --seed                     of the noise (default 0)
  --compilation_cache        as for score_sde.main

Exit codes: 0 done; 2 a mistake in what was given, told in one line.
"""

from __future__ import annotations

import sys
from pathlib import Path

from absl import flags

from experiments.commands import run_command
from score_sde.errors import InputError
from score_sde.main import split_overrides


def main(argv: list[str]) -> int:
    """The command line; its exit code."""
    values = flags.FlagValues()
    for name in ("config", "workdir", "compilation_cache"):
        flags.DEFINE_string(name, None, "see above", flag_values=values)
    flags.DEFINE_list("kept", [], "see above", flag_values=values)
    for name, number in {"examples": 1024, "batch": 64, "knots": 24, "seed": 0}.items():
        flags.DEFINE_integer(name, number, "see above", flag_values=values)
    for name, ratio in {"sigma_min": 0.002, "sigma_max": 80.0}.items():
        flags.DEFINE_float(name, ratio, "see above", flag_values=values)
    argv, changes = split_overrides(argv)

    def work() -> None:
        for name in ("config", "workdir"):
            if getattr(values, name) is None:
                raise InputError(f"--{name}", None, "a value", "see --help")
        from experiments.solver_statistics.command import estimate  # JAX's environment is set before it

        estimate(values.flag_values_dict(), changes, Path(values.workdir))

    return run_command(argv, __doc__, values, work)


if __name__ == "__main__":
    sys.exit(main(sys.argv))
