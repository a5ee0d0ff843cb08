"""launch.sh with a Python that only records how it is called: no install, no network."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FAKE = """#!/bin/sh
printf '%s\\n' "$*" >>"$LOG"
case "$*" in
  *version_info*) echo "${FAKE_VERSION:-3.12}" ;;
  *ensurepip*) exit "${FAKE_ENSUREPIP:-0}" ;;
  "-m venv"*) mkdir -p "$3/bin" && cp "$0" "$3/bin/python" ;;
  "-m pip"*) exit "${FAKE_PIP:-0}" ;;
  *"$FAKE_FAILS"*) exit 7 ;;
esac
"""

pytestmark = pytest.mark.skipif(shutil.which("bash") is None, reason="launch.sh needs bash")


class Machine:
    """A fresh machine: a clone, and one Python."""

    def __init__(self, folder: Path) -> None:
        self.clone, self.bin, self.log = folder / "clone here", folder / "bin", folder / "log"
        self.venv = self.clone / ".venv"
        self.clone.mkdir()
        self.bin.mkdir()
        shutil.copy(ROOT / "launch.sh", self.clone)
        (self.clone / "setup.py").write_text("")
        for name in ("python3", "python3.12"):
            (self.bin / name).write_text(FAKE)
            (self.bin / name).chmod(0o755)

    def launch(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run launch.sh, from another directory."""
        self.log.write_text("")
        variables = {"LOG": str(self.log), "PATH": f"{self.bin}:/usr/bin:/bin", "FAKE_FAILS": "never"}
        command = [str(self.clone / "launch.sh"), *arguments]
        env = {name: value for name, value in os.environ.items() if name not in ("PYTHON", "PYTHONPATH")}
        env |= variables | environment
        return subprocess.run(command, capture_output=True, text=True, cwd=self.bin, env=env, check=False)

    def calls(self, word: str) -> list[str]:
        return [line for line in self.log.read_text().splitlines() if word in line]


@pytest.fixture
def machine(tmp_path):
    return Machine(tmp_path)


def test_the_script_parses():
    for script in (ROOT / "launch.sh", ROOT / ".ci" / "run"):
        assert subprocess.run(["bash", "-n", script]).returncode == 0


def test_alone_it_installs_trains_samples_and_evaluates(machine):
    done = machine.launch()
    assert done.returncode == 0, done.stderr
    assert len(machine.calls("-m pip install")) == 1
    defaults = f"--workdir={machine.clone}/runs/digits --config={machine.clone}/configs/digits.py"
    modes = ("train", "sample", "eval")
    assert machine.calls("score_sde.main") == [f"-m score_sde.main --mode={m} {defaults}" for m in modes]
    assert f"Everything is in {machine.clone}/runs/digits" in done.stdout


def test_the_second_run_installs_nothing(machine):
    machine.launch("setup")
    assert machine.launch("train").returncode == 0
    assert not machine.calls("pip")
    assert not machine.calls("venv")
    (machine.clone / "setup.py").write_text("# another dependency")
    machine.launch("train")
    assert len(machine.calls("-m pip")) == 1
    assert not machine.calls("-m venv")


def test_flags_pass_through(machine):
    machine.launch("train", "--config=my.py:tiny", "--workdir", "a b", "--config.n_steps=3")
    assert machine.calls("score_sde.main") == [
        "-m score_sde.main --mode=train --config=my.py:tiny --workdir a b --config.n_steps=3"
    ]
    machine.launch("eval", "--config.n_steps=3")  # a field is not the file
    assert machine.calls("score_sde.main")[0].endswith("configs/digits.py --config.n_steps=3")
    done = machine.launch("--workdir", "elsewhere")
    assert "Everything is in elsewhere:" in done.stdout
    assert len(machine.calls("--workdir elsewhere")) == 3


def test_exit_codes_pass_through_and_stop_the_job(machine):
    assert machine.launch("sample", FAKE_FAILS="--mode=sample").returncode == 7
    done = machine.launch(FAKE_FAILS="--mode=sample")
    assert done.returncode == 7
    assert not machine.calls("--mode=eval")
    assert "Done" not in done.stdout


def test_an_interrupted_install_is_made_again(machine):
    failed = machine.launch("train", FAKE_PIP="1")
    assert failed.returncode == 2
    assert "the same command tries again" in failed.stderr
    assert not machine.calls("score_sde.main")
    (machine.venv / "half-copied").write_text("")
    assert machine.launch("train").returncode == 0
    assert len(machine.calls("-m venv")) == 1
    assert not (machine.venv / "half-copied").exists()


def test_a_broken_environment_is_made_again(machine):
    machine.launch("setup")
    (machine.venv / "bin" / "python").unlink()  # as after an upgrade of the system
    assert machine.launch("train").returncode == 0
    assert len(machine.calls("-m venv")) == 1


def test_an_environment_of_the_users_own_is_kept(machine):
    (machine.venv / "bin").mkdir(parents=True)
    shutil.copy(machine.bin / "python3", machine.venv / "bin" / "python")
    (machine.venv / "mine").write_text("")
    assert machine.launch("setup").returncode == 0
    assert (machine.venv / "mine").exists()
    assert len(machine.calls("-m pip install")) == 1


def test_each_python_version_has_its_own_environment(machine):
    (machine.bin / "python3").write_text(FAKE.replace("3.12", "3.11"))
    machine.launch("setup")
    for python in machine.venv.glob("bin/python"):
        python.write_text(FAKE.replace("3.12", "3.11"))
    assert machine.launch("setup", PYTHON="python3.12").returncode == 0
    assert (machine.clone / ".venv-3.12" / ".installed").exists()
    assert machine.launch("train", PYTHON="python3.12").returncode == 0
    assert not machine.calls("pip")
    assert machine.launch("train", PYTHON="python3").returncode == 0
    assert not machine.calls("pip")


def test_tests_end_with_pytest(machine):
    assert machine.launch("test", "-k", "vp").returncode == 0
    tools = [line.split()[1] for line in machine.calls("-m ") if "pip" not in line and "venv" not in line]
    assert tools == ["ruff", "ruff", "mypy", "pytest"]
    assert machine.calls("-m pytest")[0].endswith("-k vp")
    assert machine.launch("test", FAKE_FAILS="mypy").returncode == 7
    assert not machine.calls("-m pytest")


@pytest.mark.parametrize(
    ("arguments", "environment", "told"),
    [
        (["train"], {"FAKE_VERSION": "3.9"}, "python3 is Python 3.9: needs Python 3.11 or newer"),
        (["train"], {"PYTHON": "python3.99"}, "no python3.99 that runs: needs Python 3.11 or newer"),
        (["train"], {"FAKE_ENSUREPIP": "1"}, "has no venv module: install python3.12-venv"),
        (["trian"], {}, "unknown command trian: expected train, eval, sample, test or setup"),
    ],
)
def test_mistakes_are_one_line(machine, arguments, environment, told):
    if "FAKE_VERSION" in environment:
        (machine.bin / "python3.11").symlink_to("python3")
        (machine.bin / "python3.13").symlink_to("python3")
        (machine.bin / "python").symlink_to("python3")
    done = machine.launch(*arguments, **environment)
    assert done.returncode == 2
    assert told in done.stderr
    assert done.stderr.count("\n") == 1
    assert not machine.venv.exists()


def test_help_needs_nothing(machine):
    assert "./launch.sh train|eval|sample" in machine.launch("--help").stdout
    assert not machine.calls("")
