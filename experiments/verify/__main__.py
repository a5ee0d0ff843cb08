r"""Hold an SDE, a predictor or a corrector of your own to the mathematics that it claims.

Usage:
  python -m experiments.verify [--sde=NAME] [--predictor=NAME] [--corrector=NAME] [--PART.FIELD=VALUE ...]

Prints one line for each law: whether it holds, and the number that decides. An SDE with alpha and sigma is
held to them (drift, diffusion, transitions, prior, ...); one with drift, diffusion and prior alone to its
prior and its simulated paths; a predictor to the reverse SDE, its order of convergence and the ends of time;
a corrector to p_t. Predictors and correctors are tried on --sde, or else on VP, VE and rectified flow.

Flags:
  --sde, --predictor, --corrector   a class of score_sde.sdes or score_sde.samplers, module:Class with the
                                    module importable from here, or path/to/file.py:Class
  --PART.FIELD=VALUE                a field of it, as --sde.beta_max=25
  --workdir                         verify.json is written here (default runs/verify)
  --compilation_cache               as for score_sde.main

Examples:
  python -m experiments.verify --sde=VP --sde.beta_max=25
  python -m experiments.verify --sde=my_paper.sdes:Mine
  python -m experiments.verify --predictor=solvers/mine.py:Mine --predictor.terms=2 --sde=Cosine

Exit codes: 0 all laws hold; 1 some do not; 2 a mistake in what was given, told in one line.
"""

from __future__ import annotations

import sys
from pathlib import Path

from absl import flags

from experiments.commands import run_command
from score_sde.errors import InputError
from score_sde.main import split_overrides

PARTS = ("sde", "predictor", "corrector")


def main(argv: list[str]) -> int:
    """The command line; its exit code."""
    values, failed = flags.FlagValues(), []
    for name, default in {
        **dict.fromkeys(PARTS),
        "workdir": "runs/verify",
        "compilation_cache": None,
    }.items():
        flags.DEFINE_string(name, default, "see above", flag_values=values)
    changes: dict[str, list[tuple[str, str]]] = {}
    for part in PARTS:
        argv, changes[part] = split_overrides(argv, part)

    def work() -> None:
        given = {name: getattr(values, name) for name in PARTS if getattr(values, name)}
        if not given:
            raise InputError("--sde", None, "an SDE, or --predictor or --corrector", "see --help")
        for part in PARTS:
            if changes[part] and part not in given:
                raise InputError(
                    f"--{part}.{changes[part][0][0]}", changes[part][0][1], f"--{part} beside it"
                )
        from experiments.verify.command import verify  # JAX's environment is set before it is imported

        failed.extend(verify(given, changes, Path(values.workdir)))

    return run_command(argv, __doc__, values, work) or int(bool(failed))


if __name__ == "__main__":
    sys.exit(main(sys.argv))
