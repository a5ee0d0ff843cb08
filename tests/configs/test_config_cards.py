"""Run cards say what a reader needs, and variants are what ``configs/parts/variants.py`` says."""

import ast
import re

import pytest
from config_files import ROOT, experiment, load, names

from score_sde.config import check
from score_sde.errors import InputError
from score_sde.modes import FLAGS, MODES

PAPERS = [name for name in names() if "/" in name]


def card(name):
    return ast.get_docstring(ast.parse((ROOT / f"{name}.py").read_text()))


@pytest.mark.parametrize("name", names())
def test_the_card_has_the_command_and_the_data(name):
    text = card(name)
    assert re.search(r"^Data:", text, re.MULTILINE)
    command = re.search(r"python -m score_sde.main --mode=train --config=(\S+)\s+--workdir=(\S+)", text)
    assert command[1] == f"configs/{name}.py"
    assert command[2] == f"runs/{name}"
    for mode, flags in re.findall(r"score_sde\.main --mode=(\w+)((?:\s+--[a-z]+=\S+)*)", text):
        assert mode in MODES
        assert set(re.findall(r"--([a-z]+)=", flags)) <= set(FLAGS)


@pytest.mark.parametrize("name", PAPERS)
def test_numbers_say_where_they_come_from(name):
    """Nothing of a paper's run is claimed to be measured here, and every published score names its table."""
    text = " ".join(card(name).split())
    assert "easured here" not in text
    assert "Hardware: " in text
    assert re.search(r"\b(Published|Added): .*(million parameters|updates of \d+)", text)
    if "FID" in text:
        assert re.search(r"table \d|README|abstract", text)


@pytest.mark.parametrize("name", PAPERS)
def test_every_variant_can_be_built(name):
    """``fid`` is checked but not built: the weights of FID's network are the reader's to get."""
    config = load(name, "fid")
    check(config)
    with pytest.raises(InputError, match=r"variant = 'tony': expected one of tiny, fid"):
        load(name, "tony")
    if config.sampler is None:
        return
    measure = config.measures[-1]
    assert (measure["target"].rpartition(":")[2], measure["n_samples"]) == ("Frechet", 50_000)
    assert measure["features"]["path"] == config.features.path
    assert load(name).measures == config.measures[:-1]


@pytest.mark.parametrize("name", names())
def test_the_small_run_has_the_parts_of_the_large_one(name):
    """Only sizes, lengths and the data differ: every part has the same class, whatever its numbers."""
    large, small = load(name), load(name, "tiny")
    for field in ("sde", "network", "model", "objective", "optimizer", "ema", "sampler", "condition"):
        assert parts(large.get(field)) == parts(small.get(field)), field
    assert experiment(name, "tiny").data.shape[0] <= 16
    assert (
        experiment(name, "tiny").data.n_classes == experiment(name).data.n_classes or name == "fashion_mnist"
    )


def parts(node):
    """The classes of a part and of what it is made of."""
    if not hasattr(node, "items"):
        return ()
    own = {key: value for key, value in node.items() if key in ("target", "bind")}
    return (*own.values(), *((key, parts(value)) for key, value in node.items() if parts(value)))
