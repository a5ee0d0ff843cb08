"""The FID network from a file of weights, and files that are none."""

import numpy as np
import pytest
from safetensors.numpy import save_file

from score_sde.errors import InputError
from score_sde.evaluation.features.inception import convolutions
from score_sde.experiment.inception import inception


def test_weights_come_from_a_file(tmp_path):
    """With mean 2, variance 4, weight 3 and bias 1 the norm of k is (k - 2) 3 / (4 + 0.001)^(1/2) + 1."""
    arrays = {}
    for name, shape in convolutions():
        arrays[f"{name}.conv.weight"] = np.full(shape, 0.5, np.float32)
        for part, value in (("weight", 3), ("bias", 1), ("running_mean", 2), ("running_var", 4)):
            arrays[f"{name}.bn.{part}"] = np.full(shape[:1], value, np.float32)
    save_file(arrays | {"fc.bias": np.ones(1008, np.float32)}, tmp_path / "weights.safetensors")
    features = inception(path=str(tmp_path / "weights.safetensors"), white=16.0)
    assert features.white == 16
    assert features.name == "Inception"
    scale = 3 / np.sqrt(4.001)
    np.testing.assert_allclose(features.layers["Mixed_7c.branch1x1"].kernel, 0.5 * scale, rtol=1e-6)
    np.testing.assert_allclose(features.layers["Mixed_7c.branch1x1"].bias, 1 - 2 * scale, rtol=1e-6)


def test_files_that_hold_something_else(tmp_path):
    with pytest.raises(InputError, match="a file that exists"):
        inception(path=str(tmp_path / "none.pth"))
    save_file({"fc.weight": np.ones((3, 4), np.float32)}, tmp_path / "other.safetensors")
    with pytest.raises(InputError, match="Inception weights"):
        inception(path=str(tmp_path / "other.safetensors"))
