"""What the commands of all experiments share: flags, help, and mistakes told in one line."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from absl import flags

from score_sde.errors import InputError, did_you_mean
from score_sde.main import HELP, guarded, set_environment


def flag_values(workdir: str) -> flags.FlagValues:
    """Flags that every experiment has: where it writes, a run of seconds, and JAX's cache."""
    values = flags.FlagValues()
    flags.DEFINE_string("workdir", workdir, "everything is written here", flag_values=values)
    flags.DEFINE_boolean("fast", False, "a run of seconds that only shows the way", flag_values=values)
    flags.DEFINE_string("compilation_cache", None, "as for score_sde.main", flag_values=values)
    return values


def run_command(
    argv: list[str], described: str | None, values: flags.FlagValues, work: Callable[[], None]
) -> int:
    """Parse ``argv``, its program first, into ``values`` and do the work; the exit code."""
    if set(HELP) & set(argv[1:]):
        print(described)
        return 0

    def parsed() -> None:
        parse(argv, values)
        if "workdir" in values:
            require_writable(values.workdir)
        set_environment(values.compilation_cache, -1)
        if "fast" in values and values.fast:  # verify and others have no fast run
            compile_quickly()
        work()

    return guarded(parsed)


def require_writable(workdir: str) -> None:
    """Raise where nothing could be written at the end of all work; makes no folder."""
    there = Path(workdir).expanduser().absolute()
    while not there.exists():
        there = there.parent
    if not there.is_dir() or not os.access(there, os.W_OK):
        raise InputError("--workdir", workdir, f"a place below a folder that can be written to, not {there}",
                         "choose another")  # fmt: skip


def compile_quickly() -> None:
    """A fast run compiles for longer than it computes: without most optimisations, a third of that.

    By environment, so that workers inherit it: JAX is not imported yet. The user's own choice stays.
    """
    os.environ.setdefault("JAX_DISABLE_MOST_OPTIMIZATIONS", "true")


def parse(argv: list[str], values: flags.FlagValues) -> None:
    """Read flags; InputError for one that is unknown, and for words that are no flags."""
    try:
        rest = values(argv)[1:]
    except flags.UnrecognizedFlagError as error:
        remedy = did_you_mean(error.flagname, list(values)).replace("mean ", "mean --") or "see --help"
        value = error.flagvalue.partition("=")[2]
        raise InputError(f"--{error.flagname}", value, "a known flag", remedy) from error
    if rest:
        raise InputError("argument", rest[0], "flags only", "write --flag=value; see --help")
