"""Pickles put together as EDM's are (``tests/data/interop/make.py``), against ``state_dict`` of PyTorch."""

import math

import numpy as np
import pytest

from score_sde.interop.edm_pickle import EDM_HANDLERS, module_facts, module_tensors
from score_sde.interop.pickles import read_pickle
from score_sde.interop.weights import read_weights


@pytest.fixture
def folder(reference_data):
    return reference_data / "interop"


def test_parameters_and_buffers_have_the_names_that_torch_gives(folder):
    weights, expected = read_weights(folder / "edm.pkl"), np.load(folder / "edm.npz")
    assert sorted(weights.tensors) == sorted(expected.files)
    for name in expected.files:
        np.testing.assert_array_equal(weights.tensors[name], expected[name])
    assert weights.averages is weights.tensors


def test_what_the_network_was_made_with_is_told(folder):
    facts = read_weights(folder / "edm.pkl").facts
    assert facts == {
        "class": "EDMPrecond",
        "args": (),
        "img_resolution": 8,
        "model_type": "SongUNet",
        "channel_mult": [1, 2],
    }


def test_networks_inside_networks_are_data(folder):
    content = read_pickle((folder / "edm.pkl").read_bytes(), EDM_HANDLERS)
    assert list(content) == ["ema", "loss_fn", "dataset_kwargs"]
    assert content["dataset_kwargs"] == {"path": "x.zip"}
    block = content["ema"].state["_modules"]["model"].state["_modules"]["8x8_block0"]
    assert block.name == "Block"
    assert module_facts(block)["skip_scale"] == math.sqrt(0.5)
    assert list(module_tensors(block)) == ["weight"]  # neither the buffer that is None nor the passing one
