"""Configuration files of a package import what stands beside them, wherever the command is run."""

import subprocess
import sys
from pathlib import Path

import pytest

from score_sde.config import load_config
from score_sde.errors import InputError

PART = """
from score_sde.config import call


def process(**changes):
    return call('score_sde.sdes:VP', **changes)
"""
FILE = """
from {package}.parts import process


def get_config():
    return process(beta_max=9.0)
"""


def write(folder: Path, package: str) -> Path:
    deep = folder / package / "vp"
    deep.mkdir(parents=True)
    for inner in (folder / package, deep):
        (inner / "__init__.py").write_text("")
    (folder / package / "parts.py").write_text(PART)
    (deep / "mine.py").write_text(FILE.format(package=package))
    return deep / "mine.py"


def test_a_file_of_a_package_imports_its_neighbours(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.chdir("/")
    assert load_config(str(write(tmp_path, "package_of_configs"))).beta_max == 9.0
    assert sys.path[0] == str(tmp_path)


def test_from_the_command_line_in_another_directory(tmp_path):
    """A relative path, and a directory that holds nothing of the package."""
    file = write(tmp_path, "configs")
    code = (
        f"from score_sde.config import load_config; print(load_config({str(file.relative_to(tmp_path))!r}))"
    )
    env = {"PATH": "/usr/bin", "PYTHONPATH": str(Path(__file__).parent.parent)}
    run = [sys.executable, "-c", code]
    told = subprocess.run(run, cwd=tmp_path, env=env, capture_output=True, text=True, check=True)
    assert "beta_max: 9.0" in told.stdout


def test_a_file_alone_imports_from_its_folder(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "path", list(sys.path))
    (tmp_path / "lonely_parts.py").write_text(PART)
    (tmp_path / "mine.py").write_text(FILE.format(package="lonely").replace("lonely.parts", "lonely_parts"))
    assert load_config(str(tmp_path / "mine.py")).beta_max == 9.0


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("mine.py", "did you mean {}/vp/mine.py?"),
        ("vp/main.py", "did you mean {}/vp/mine.py?"),
        ("vpp/mine2.py", "did you mean {}/vp/mine.py?"),
        ("vp/other.py", "there is {}/vp/mine.py"),
        ("vp", "there is {}/vp/mine.py"),
        ("nope.py", "there is none here"),  # parts.py is no configuration
    ],
)
def test_a_file_that_is_not_there_is_told_with_what_is(given, told, tmp_path):
    write(tmp_path, "configs")
    with pytest.raises(InputError) as error:
        load_config(str(tmp_path / "configs" / given))
    assert str(error.value).endswith(told.format(tmp_path / "configs"))
