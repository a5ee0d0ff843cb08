"""Flax's checkpoints read without flax, against files that flax writes."""

import jax.numpy as jnp
import msgpack
import numpy as np
import pytest
from flax import serialization

from score_sde.interop.flax_msgpack import read_flax_msgpack
from score_sde.interop.weights import read_weights

RANDOM = np.random.default_rng(0)


def params(shift=0.0):
    return {
        "Dense_0": {"kernel": np.full((2, 3), 1 + shift, np.float32), "bias": np.zeros(3, np.float32)},
        "ResnetBlockBigGANpp_0": {"NIN_0": {"W": np.full((3, 3), 2 + shift, np.float32)}},
    }


def state(step=7):
    """``State`` of score_sde: flax.optim's Adam, model state, averages and a key."""
    moments = {
        "Dense_0": {
            name: {
                "grad_ema": np.full(shape, 0.1, np.float32),
                "grad_sq_ema": np.full(shape, 0.2, np.float32),
            }
            for name, shape in (("kernel", (2, 3)), ("bias", (3,)))
        },
        "ResnetBlockBigGANpp_0": {
            "NIN_0": {
                "W": {"grad_ema": np.ones((3, 3), np.float32), "grad_sq_ema": np.zeros((3, 3), np.float32)}
            }
        },
    }
    return {
        "step": step,
        "optimizer": {"target": params(), "state": {"step": np.int32(step), "param_states": moments}},
        "lr": 2e-4,
        "model_state": {},
        "ema_rate": 0.999,
        "params_ema": params(0.5),
        "rng": np.array([0, 1], np.uint32),
    }


def test_everything_that_flax_writes_is_read():
    tree = {
        "half": RANDOM.normal(size=(2, 2)).astype(np.float16),
        "brain": np.asarray(jnp.arange(4, dtype=jnp.bfloat16)),
        "empty": np.zeros((0, 3), np.float32),
        "scalar": np.float32(2.5),
        "complex": 1 + 2j,
        "deep": {"0": np.arange(3), "none": None, "text": "x", "flag": True},
    }
    found = read_flax_msgpack(serialization.msgpack_serialize(tree))
    assert found["complex"] == 1 + 2j
    assert found["scalar"] == 2.5
    assert found["deep"]["text"] == "x"
    for name in ("half", "brain", "empty"):
        assert found[name].dtype == tree[name].dtype
        np.testing.assert_array_equal(found[name], tree[name])


def test_arrays_in_chunks_are_put_together(monkeypatch):
    monkeypatch.setattr(serialization, "MAX_CHUNK_SIZE", 64)
    tree = {"a": RANDOM.normal(size=(7, 9)), "b": {"c": np.arange(5)}}
    content = serialization.msgpack_serialize(tree)
    assert b"__msgpack_chunked_array__" in content
    np.testing.assert_array_equal(read_flax_msgpack(content)["a"], tree["a"])


def test_a_training_state_has_parameters_averages_and_moments_by_name(tmp_path):
    (tmp_path / "checkpoint_1").write_bytes(serialization.msgpack_serialize(state()))
    weights = read_weights(tmp_path / "checkpoint_1")
    names = ["Dense_0.bias", "Dense_0.kernel", "ResnetBlockBigGANpp_0.NIN_0.W"]
    assert sorted(weights.tensors) == sorted(weights.averages) == names
    assert (weights.step, weights.moments.updates) == (7, 7)
    assert (weights.tensors[names[1]] == 1).all()
    assert (weights.averages[names[1]] == 1.5).all()
    assert (weights.moments.first[names[0]] == np.float32(0.1)).all()
    assert (weights.moments.second[names[0]] == np.float32(0.2)).all()


def test_parameters_alone_are_read(tmp_path):
    (tmp_path / "params").write_bytes(serialization.msgpack_serialize({"params": params()}))
    weights = read_weights(tmp_path / "params")
    assert weights.averages is weights.tensors
    assert (weights.tensors["Dense_0.kernel"] == 1).all()


@pytest.mark.parametrize("kind", ["O8", "V4", "U2", "float33"])
def test_arrays_of_objects_are_refused(kind):
    array = msgpack.ExtType(1, msgpack.packb(((1,), kind, bytes(8))))
    with pytest.raises(ValueError, match="unknown type"):
        read_flax_msgpack(msgpack.packb({"a": array}))


def test_another_extension_is_refused():
    with pytest.raises(ValueError, match="type 9"):
        read_flax_msgpack(msgpack.packb({"a": msgpack.ExtType(9, b"x")}))
