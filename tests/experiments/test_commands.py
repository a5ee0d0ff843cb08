"""What the commands of all experiments share."""

import os

import pytest
from absl import flags

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


def test_a_command_without_a_fast_run_does_its_work(monkeypatch):
    monkeypatch.setenv(QUICKLY, "to be put back")
    monkeypatch.delenv(QUICKLY)
    values, seen = flags.FlagValues(), []
    flags.DEFINE_string("compilation_cache", None, "as for score_sde.main", flag_values=values)
    assert run_command(["verify"], "", values, lambda: seen.append(os.environ.get(QUICKLY))) == 0
    assert seen == [None]


def test_a_work_directory_that_cannot_be_is_told_before_any_work(tmp_path, capsys):
    (tmp_path / "file").write_text("")
    seen = []
    argv = ["run", f"--workdir={tmp_path / 'file' / 'below'}"]
    assert run_command(argv, "", flag_values("here"), lambda: seen.append(1)) == 2
    said = capsys.readouterr().err
    assert said.startswith("error: --workdir = ")
    assert said.count("\n") == 1
    assert not seen
    assert run_command(["run", f"--workdir={tmp_path / 'new' / 'below'}"], "", flag_values("here"), list) == 0
    assert not (tmp_path / "new").exists()
