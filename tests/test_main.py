"""The command line: dispatch, help, and one line for every mistake."""

import errno
import json
import os
import subprocess
import sys
import time
import types
from pathlib import Path

import pytest

from score_sde import main, modes
from score_sde.errors import InputError
from score_sde.pytree import Pytree, static
from score_sde.sdes import SDE

CONFIG = f"""
from score_sde.config import call
from score_sde.sdes import VP

def get_config(variant="plain"):
    beta_max = {{"plain": 20.0, "steep": 40.0}}[variant]
    return call("{__name__}:Run", sde=call(VP, beta_max=beta_max))
"""


class Run(Pytree):
    """A stand-in for an experiment."""

    sde: SDE
    n_steps: int = static(10)

    @property
    def may_change(self) -> tuple[str, ...]:
        return ("n_steps",)

    def __post_init__(self) -> None:
        if self.n_steps < 0:
            raise InputError("Run.n_steps", self.n_steps, "at least 0", "raise it")


@pytest.fixture
def ran(monkeypatch):
    """Runs of the stand-in experiment: (mode, experiment, workdir)."""
    runs = []
    module = types.ModuleType("score_sde.experiment")
    for name in ("train", "evaluate", "sample"):
        setattr(module, name, lambda run, workdir, name=name: runs.append((name, run, workdir)))
    monkeypatch.setitem(sys.modules, "score_sde.experiment", module)
    for variable in ("JAX_COMPILATION_CACHE_DIR", "TF_CPP_MIN_LOG_LEVEL", "JAX_ENABLE_COMPILATION_CACHE"):
        monkeypatch.setenv(variable, os.environ.get(variable, ""))
    yield runs
    main.FLAGS.unparse_flags()
    main.FLAGS(["tests"])


@pytest.fixture
def files(tmp_path):
    (tmp_path / "config.py").write_text(CONFIG)
    (tmp_path / "syntax.py").write_text("def get_config(:\n    pass\n")
    (tmp_path / "raising.py").write_text("def get_config():\n    return 1 / 0\n")
    (tmp_path / "empty.py").write_text("")
    (tmp_path / "plain.py").write_text("def get_config():\n    return {'n_steps': 3}\n")
    misspelt = CONFIG.replace("beta_max=", "beta_mx=")
    (tmp_path / "misspelt.py").write_text(misspelt)
    return tmp_path


def command(files: Path, *more: str, mode: str = "train", config: str = "config.py") -> int:
    return main.run(
        ["score_sde", f"--mode={mode}", f"--config={files / config}", f"--workdir={files / 'run'}", *more]
    )


def test_modes_dispatch_with_overrides(ran, files):
    assert command(files, "--config.sde.beta_max=25", "--config.n_steps", "3") == 0
    assert command(files, mode="eval", config="config.py:steep") == 0
    assert command(files, mode="sample") == 0
    assert [name for name, _, _ in ran] == ["train", "evaluate", "sample"]
    assert (ran[0][1].sde.beta_max, ran[0][1].n_steps, ran[0][2]) == (25.0, 3, files / "run")
    assert (ran[1][1].sde.beta_max, ran[1][1].n_steps) == (40.0, 10)
    kept = json.loads((files / "run" / "config.json").read_text())
    assert (kept["sde"]["beta_max"], kept["n_steps"]) == (25.0, 3)
    assert [file.name for file in (files / "run").iterdir()] == ["config.json"]


def test_overrides_come_in_every_form_of_absl(files):
    given = [
        "x",
        "--config=a.py",
        "--config.a.b=1=2",
        "-config.c",
        "-3",
        "--config.d",
        "--noconfig.e",
        "--mode=eval",
    ]
    rest, changes = main.split_overrides(given)
    assert rest == ["x", "--config=a.py", "--mode=eval"]
    assert changes == [("a.b", "1=2"), ("c", "-3"), ("d", "true"), ("e", "false")]


def test_a_mode_needs_what_its_entry_says(ran, files, monkeypatch, capsys):
    calls = []
    module = types.ModuleType("modes_for_tests")
    module.survey = lambda run, *, resolution=None: calls.append((run.n_steps, resolution))
    monkeypatch.setitem(sys.modules, "modes_for_tests", module)
    survey = modes.Mode("modes_for_tests:survey", needs=("config",), takes=("resolution",))
    monkeypatch.setitem(modes.MODES, "survey", survey)
    given = ["score_sde", "--mode=survey", f"--config={files / 'config.py'}"]
    assert main.run(given) == 0
    assert main.run([*given, "--resolution=64"]) == 0
    assert calls == [(10, None), (10, 64)]
    assert command(files, "--resolution=64") == 2
    told = capsys.readouterr().err
    expected = "expected nothing with --mode=train; it is for --mode=prepare and survey"
    assert told == f"error: --resolution = 64: {expected}\n"
    assert main.run(given[:2]) == 2
    assert capsys.readouterr().err.startswith("error: --config = None: expected a Python file")


def test_flags_may_come_from_a_file(ran, files):
    (files / "flags").write_text(f"--mode=train\n--config={files / 'config.py'}\n--config.n_steps=4\n")
    assert main.run(["score_sde", f"--flagfile={files / 'flags'}", f"--workdir={files / 'run'}"]) == 0
    assert ran[0][1].n_steps == 4


MISTAKES = {
    "misspelt field": (
        ["--config.sde.beta_mx=20"],
        "config.sde.beta_mx = '20': expected one of T, beta_min, ",
    ),
    "wrong type": (["--config.n_steps=abc"], "config.n_steps = 'abc': expected an integer"),
    "float for int": (["--config.n_steps=2.5"], "config.n_steps = '2.5': expected an integer"),
    "negative": (["--config.n_steps=-1"], "config.n_steps = -1: expected at least 0; raise it"),
    "refused value": (
        ["--config.sde.beta_max=-1"],
        "config.sde.beta_max = -1.0: expected more than beta_min",
    ),
    "no such target": (
        ["--config.sde=my_paper.sdes:Mine"],
        "config.sde = 'my_paper.sdes:Mine': expected a module",
    ),
    "unknown mode": (
        ["--mode=trian"],
        f"--mode = 'trian': expected one of {', '.join(modes.MODES)}; did you mean train?",
    ),
    "unknown flag": (["--wrkdir=x"], "--wrkdir = 'x': expected a known flag; did you mean --workdir?"),
    "no value": (["--mode"], "Missing value for flag --mode"),
    "positional": (["train"], "argument = 'train': expected flags only"),
    "bad flag value": (["--verbosity=loud"], "flag --verbosity=loud: "),
    "no config": (["--config="], "--config = '': expected a Python file"),
    "no workdir": (["--workdir="], "--workdir = '': expected a directory; for example --workdir=runs/digits"),
    "no flagfile": (["--flagfile=/no/such/file"], "/no/such/file"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_one_line_and_exit_code_2(name, ran, files, capsys):
    flags, told = MISTAKES[name]
    assert command(files, *flags) == 2
    output = capsys.readouterr()
    assert output.err.startswith("error: ")
    assert output.err.count("\n") == 1
    assert told in output.err
    assert not output.out
    assert not ran


@pytest.mark.parametrize(
    ("config", "told"),
    [
        ("confg.py", "confg.py': expected a Python file; did you mean {files}/config.py?"),
        ("config.py:flat", "config.py:6 = \"KeyError: 'flat'\": expected a file that runs"),
        ("syntax.py", "syntax.py:1 = 'def get_config(:': expected valid Python ("),
        ("raising.py", "raising.py:2 = 'ZeroDivisionError: division by zero': expected a file that runs"),
        ("raising.py:tiny", "variant = 'tiny': expected no variant"),
        ("empty.py", "get_config = None: expected a function of this name"),
        ("plain.py", "plain.py = 'dict': expected call(...) from get_config()"),
        (
            "misspelt.py",
            "misspelt.py:7 VP.beta_mx = 20.0: expected one of T, beta_min, beta_max; did you mean",
        ),
    ],
)
def test_a_mistake_in_a_config_file_is_told_with_its_line(config, told, ran, files, capsys):
    assert command(files, config=config) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert error.count("\n") == 1
    assert told.format(files=files) in error
    assert not ran


def fails(monkeypatch, error: BaseException) -> None:
    def train(run: Run, workdir: Path) -> None:
        raise error

    monkeypatch.setattr(sys.modules["score_sde.experiment"], "train", train, raising=False)


def test_what_goes_wrong_during_the_run(ran, files, monkeypatch, capsys):
    full = OSError(errno.ENOSPC, "No space left on device", "runs/digits/metrics.csv")
    wrapped = RuntimeError("RESOURCE_EXHAUSTED: write failed [No space left on device]")
    for error, code, told in [
        (InputError("data.path", "a.npz", "a file"), 2, "error: data.path = 'a.npz': expected a file"),
        (full, 2, "error: runs/digits/metrics.csv: No space left on device; free some space"),
        (wrapped, 2, "error: No space left on device; free some space"),
        (RuntimeError("RESOURCE_EXHAUSTED: 8 GiB"), 2, "error: out of memory (RESOURCE_EXHAUSTED"),
        (MemoryError(), 2, "error: out of memory (); take fewer"),
        (PermissionError(errno.EACCES, "Permission denied", "x"), 2, "error: x: Permission denied; choose"),
        (KeyboardInterrupt(), 130, "interrupted"),
    ]:
        fails(monkeypatch, error)
        assert command(files) == code
        output = capsys.readouterr().err
        assert output.startswith(told)
        assert output.count("\n") == 1
    fails(monkeypatch, RuntimeError("a defect"))
    with pytest.raises(RuntimeError, match="a defect"):
        command(files)


def test_verbosity_shows_the_traceback_of_a_mistake(ran, files, capsys):
    assert command(files, "--config.n_steps=-1", "--verbosity=1") == 2
    assert "Traceback" in capsys.readouterr().err


def test_a_work_directory_of_another_config_is_refused(ran, files, capsys):
    assert command(files) == 0
    assert command(files, "--config.sde.beta_max=25") == 0  # nothing is trained yet
    (files / "run" / "checkpoints" / "10").mkdir(parents=True)
    before = (files / "run" / "config.json").read_text()
    for mode in ("train", "eval", "sample"):
        assert command(files, mode=mode) == 2
        told = capsys.readouterr().err
        assert told.startswith("error: config.sde.beta_max = 20.0: expected 25.0, which ")
        assert told.count("\n") == 1
    assert (files / "run" / "config.json").read_text() == before
    assert command(files, "--config.sde.beta_max=25", "--config.n_steps=99") == 0  # the experiment allows it
    assert len(ran) == 3


def test_work_directories_that_cannot_be_used(ran, files, capsys):
    assert command(files, mode="eval") == 2
    assert "expected a directory that exists; train first" in capsys.readouterr().err
    (files / "file").write_text("")
    assert command(files, f"--workdir={files / 'file'}") == 2
    assert "choose a --workdir that is a directory" in capsys.readouterr().err
    assert command(files, f"--workdir={files / 'file' / 'below'}") == 2
    assert "choose a --workdir that is a directory" in capsys.readouterr().err
    assert not ran


def test_the_compilation_cache(monkeypatch, tmp_path):
    names = ("JAX_COMPILATION_CACHE_DIR", "JAX_ENABLE_COMPILATION_CACHE")
    for name in (*names, "TF_CPP_MIN_LOG_LEVEL"):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    main.set_environment(None, -1)
    assert os.environ[names[0]] == str(tmp_path / "score_sde" / "jax")
    monkeypatch.setenv(names[0], "mine")
    main.set_environment(None, -1)
    assert os.environ[names[0]] == "mine"
    main.set_environment(str(tmp_path), -1)
    assert os.environ[names[0]] == str(tmp_path)
    main.set_environment("none", -1)
    assert os.environ[names[1]] == "false"


def test_help_is_complete_and_does_not_wait_for_jax():
    code = "import sys; from score_sde import main; main.run(['x', '--help']); sys.exit('jax' in sys.modules)"
    began = time.monotonic()
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert time.monotonic() - began < 3
    own = ("mode", "compilation_cache", *modes.FLAGS)
    for word in (*main.MODES, *(f"--{name}" for name in own), "metrics.csv", "results.json", "samples.npz"):
        assert word in done.stdout
    defined = {flag.name for flag in main.FLAGS.get_key_flags_for_module("score_sde.main")}
    assert defined == set(own)


def test_the_module_runs_as_a_command(files):
    command = [sys.executable, "-m", "score_sde.main", "--mode=train", "--workdir=x", "--config=syntax.py"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=files, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith("error: ")
    assert done.stderr.count("\n") == 1
