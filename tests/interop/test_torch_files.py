"""Files of torch.save read without torch, against what torch says that they hold."""

import zipfile

import numpy as np
import pytest
import torch_files

from score_sde.errors import InputError
from score_sde.interop.weights import read_weights

COUNT = np.arange(12, dtype=np.float32)


@pytest.fixture
def files(reference_data):
    """Files that PyTorch 2.13 wrote, with the numbers that it gives for them."""
    return reference_data / "interop"


@pytest.mark.parametrize("kind", ["zip", "legacy"])
def test_every_type_and_stride_is_what_torch_says(files, kind):
    found, expected = read_weights(files / f"numbers_{kind}.pt").tensors, np.load(files / "numbers.npz")
    assert set(expected.files) - set(found) == ({"untyped"} if kind == "legacy" else set())
    for name, array in found.items():
        assert array.shape == expected[name].shape
        np.testing.assert_array_equal(array.astype(expected[name].dtype), expected[name], err_msg=name)
    assert found["bfloat16"].dtype.name == "bfloat16"
    assert found["float16"].dtype == np.float16


@pytest.mark.parametrize("kind", ["zip", "legacy"])
def test_a_checkpoint_has_parameters_averages_and_moments_by_name(files, kind):
    weights, expected = read_weights(files / f"score_sde_{kind}.pth"), np.load(files / "score_sde.npz")
    names = [name for name in expected.files if name[0] in "a" or name == "sigmas"]
    assert list(weights.tensors) == list(weights.averages) == names
    assert weights.step == 2
    trained = [name for name in names if name not in ("sigmas", "all_modules.0.W")]
    for name in names:
        np.testing.assert_array_equal(weights.tensors[name], expected[name])
    for place, name in enumerate(trained):
        np.testing.assert_array_equal(weights.averages[name], expected[f"shadow_{place}"])
        np.testing.assert_array_equal(weights.moments.first[name], expected[f"exp_avg_{place + 1}"])
        np.testing.assert_array_equal(weights.moments.second[name], expected[f"exp_avg_sq_{place + 1}"])
    frozen = "all_modules.0.W"
    np.testing.assert_array_equal(weights.averages[frozen], expected[frozen])
    assert not weights.moments.first[frozen].any()
    assert weights.moments.updates == 2


def written(tmp_path, content):
    path = tmp_path / "weights.bin"
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("write", ["zip", "legacy"])
def test_two_tensors_share_a_storage(tmp_path, write):
    state = torch_files.dictionary(
        a=torch_files.tensor("0", 12, (3, 4), (4, 1)), b=torch_files.tensor("0", 12, (2, 2), (1, 5), offset=3)
    )
    content = (
        torch_files.zipped(state, {"0": COUNT.tobytes()})
        if write == "zip"
        else torch_files.legacy(state, {"0": COUNT})
    )
    found = read_weights(written(tmp_path, content)).tensors
    np.testing.assert_array_equal(found["a"], COUNT.reshape(3, 4))
    np.testing.assert_array_equal(found["b"], [[3, 8], [4, 9]])


OUT_OF_BOUNDS = {
    "beyond the end": {"shape": (13,), "strides": (1,)},
    "an offset beyond the end": {"shape": (3,), "strides": (1,), "offset": 10},
    "strides beyond the end": {"shape": (2, 2), "strides": (11, 1)},
    "more numbers than there are": {"shape": (10**6, 10**6), "strides": (0, 0)},
    "a negative offset": {"shape": (2,), "strides": (1,), "offset": -4},
    "a negative stride": {"shape": (2,), "strides": (-1,), "offset": 4},
    "a negative length": {"shape": (-2, -2), "strides": (1, 1)},
    "an overflowing offset": {"shape": (2,), "strides": (1,), "offset": 2**63},
    "other strides than axes": {"shape": (2, 2), "strides": (1,)},
    "too many axes": {"shape": (1,) * 40, "strides": (1,) * 40},
    "lengths that are no counts": {"shape": (2.0,), "strides": (1,)},
    "a storage that is larger": {"shape": (2,), "strides": (1,), "count": 13},
    "a storage of another type": {"shape": (2,), "strides": (1,), "kind": "DoubleStorage"},
    "a storage that is absent": {"shape": (2,), "strides": (1,), "key": "7"},
    "a key that leads elsewhere": {"shape": (2,), "strides": (1,), "key": "../data.pkl"},
    "no type of storage": {"shape": (2,), "strides": (1,), "kind": "device"},
}


@pytest.mark.parametrize("wrong", OUT_OF_BOUNDS.values(), ids=OUT_OF_BOUNDS.keys())
def test_a_tensor_outside_its_storage_is_refused(tmp_path, wrong):
    options = {"key": "0", "count": 12, **wrong}
    state = torch_files.dictionary(a=torch_files.tensor(**options))
    for content in (
        torch_files.zipped(state, {"0": COUNT.tobytes()}),
        torch_files.legacy(state, {"0": COUNT}),
    ):
        with pytest.raises(InputError) as caught:
            read_weights(written(tmp_path, content))
        assert "\n" not in str(caught.value)


def test_members_larger_than_the_file_are_refused(tmp_path):
    """A zip bomb: a megabyte of zeros in a thousand bytes."""
    state = torch_files.dictionary(a=torch_files.tensor("0", 2**18, (2**18,), (1,)))
    bomb = torch_files.zipped(state, {"0": bytes(2**20)}, compression=zipfile.ZIP_DEFLATED)
    assert len(bomb) < 5000
    with pytest.raises(InputError, match="compressed"):
        read_weights(written(tmp_path, bomb))


def test_averages_of_other_tensors_are_refused(tmp_path):
    model = torch_files.dictionary(a=torch_files.tensor("0", 12, (3, 4), (4, 1)))
    ema = torch_files.dictionary(shadow_params=b"](" + torch_files.tensor("0", 12, (4, 3), (3, 1)) + b"e")
    content = torch_files.zipped(torch_files.dictionary(model=model, ema=ema), {"0": COUNT.tobytes()})
    with pytest.raises(InputError, match="1 moving averages are not of its 1 trained tensors"):
        read_weights(written(tmp_path, content))


def test_prefixes_of_data_parallel_training_are_dropped(tmp_path):
    one = torch_files.tensor("0", 12, (12,), (1,))
    states = {"module.a": one, "module.b": one}
    found = read_weights(
        written(tmp_path, torch_files.zipped(torch_files.dictionary(**states), {"0": COUNT.tobytes()}))
    )
    assert list(found.tensors) == ["a", "b"]
