"""What the commands of all experiments share."""

import os

import pytest

from experiments.commands import flag_values, run_command

QUICKLY = "JAX_DISABLE_MOST_OPTIMIZATIONS"


@pytest.mark.parametrize(
    ("before", "flag", "expected"),
    [(None, "--fast", "true"), (None, "--nofast", None), ("false", "--fast", "false")],
    ids=["fast", "full", "own choice"],
)
def test_a_fast_run_compiles_quickly_unless_told_otherwise(monkeypatch, tmp_path, before, flag, expected):
    monkeypatch.setenv(QUICKLY, "to be put back")
    monkeypatch.delenv(QUICKLY)
    if before is not None:
        monkeypatch.setenv(QUICKLY, before)
    seen = []
    argv = ["run", flag, f"--workdir={tmp_path}"]
    assert run_command(argv, "", flag_values("here"), lambda: seen.append(os.environ.get(QUICKLY))) == 0
    assert seen == [expected]
