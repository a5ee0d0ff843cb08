"""``python -m experiments.verify``: what it says of our classes, of a reader's, and of a wrong one."""

import json

import pytest

from experiments.verify.__main__ import main

WRONG = """
from score_sde.samplers import DDIM
from score_sde.sdes import VP

class Wrong(VP):
    def squared_diffusion(self, t):
        return 1.05**2 * super().squared_diffusion(t)

class Boastful(DDIM):
    @property
    def order(self):
        return 2
"""


@pytest.fixture
def own(tmp_path):
    """A reader's file."""
    file = tmp_path / "verified_here.py"
    file.write_text(WRONG)
    return file


def run(tmp_path, *words):
    return main(["verify", *words, f"--workdir={tmp_path}", "--compilation_cache=none"])


def test_a_diffusion_that_is_5_percent_wrong_is_named(own, tmp_path, capsys):
    """By three laws with their numbers, exit code 1; the drift and the rest hold."""
    assert run(tmp_path, f"--sde={own}:Wrong", "--sde.beta_max=18") == 1
    printed = capsys.readouterr().out
    assert "FAILS  diffusion" in printed
    assert "holds  drift" in printed
    assert "3 of 11 laws do not hold" in printed
    written = json.loads((tmp_path / "verify.json").read_text())
    assert written["failed"] == ["Wrong: diffusion", "Wrong: moments", "Wrong: paths"]
    assert written["parts"]["sde"]["beta_max"] == 18


def test_a_predictor_and_a_corrector(own, tmp_path, capsys):
    assert run(tmp_path, f"--predictor={own}:Boastful", "--sde=VP", "--corrector=AnnealedLangevin") == 1
    assert "1 of 21 laws do not hold" in capsys.readouterr().out
    assert json.loads((tmp_path / "verify.json").read_text())["failed"] == ["Boastful on VP: order"]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ((), "--sde = None: expected an SDE"),
        (("--sde=VQ",), "--sde = 'VQ'"),
        (("--sde=VP", "--sde.beta_mx=3"), "did you mean beta_max?"),
        (("--sde=nowhere.py:Mine",), "a file that exists"),
        (("--sde=VP", "--predictor.terms=2"), "--predictor.terms = '2': expected --predictor beside it"),
    ],
)
def test_mistakes_are_told(words, told, tmp_path, capsys):
    assert run(tmp_path, *words) == 2
    assert told in capsys.readouterr().err
