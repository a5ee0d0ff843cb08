"""Inception-v3 against the PyTorch port of FID, on weights and images that both sides draw from seeds."""

import math
import zlib

import numpy as np
import pytest

from score_sde.errors import InputError
from score_sde.evaluation.features import Inception
from score_sde.evaluation.features.inception import convolutions

CASES = {"small": (2, 32, 40, 3), "large": (1, 320, 310, 3), "grey": (1, 28, 28, 1)}


def drawn(key, shape):
    rng = np.random.default_rng(zlib.crc32(key.encode()))
    if key.endswith("conv.weight"):
        return (rng.standard_normal(shape) * np.sqrt(2 / np.prod(shape[1:]))).astype(np.float32)
    if key.endswith(("bn.weight", "running_var")):
        return rng.uniform(0.5, 1.5, shape).astype(np.float32)
    return (0.1 * rng.standard_normal(shape)).astype(np.float32)


@pytest.fixture(scope="module")
def weights():
    arrays = {}
    for name, shape in convolutions():
        arrays[f"{name}.conv.weight"] = drawn(f"{name}.conv.weight", shape)
        for part in ("weight", "bias", "running_mean", "running_var"):
            arrays[f"{name}.bn.{part}"] = drawn(f"{name}.bn.{part}", shape[:1])
    return arrays


def test_the_published_number_of_parameters():
    """27,161,264 in torchvision's documentation, of which 3,326,696 are the auxiliary classifier's."""
    shapes = dict(convolutions()).values()
    trunk = sum(math.prod(shape) + 2 * shape[0] for shape in shapes)
    assert len(shapes) == 94
    assert trunk + 1000 * 2048 + 1000 == 27_161_264 - 3_326_696


def test_features_are_those_of_the_original(weights, reference_data):
    """Images larger and smaller than the network's 299, one of them grey; outputs are of the order of 5."""
    inception = Inception.of(weights, batch=2)
    with np.load(reference_data / "inception_features.npz") as expected:
        for name, shape in CASES.items():
            rng = np.random.default_rng(zlib.crc32(name.encode()))
            found = inception(rng.integers(0, 256, shape, dtype=np.uint8))
            assert found.shape == (shape[0], 2048)
            largest = np.abs(expected[name]).max()
            np.testing.assert_allclose(found, expected[name], rtol=0, atol=5e-6 * largest)


def test_weights_of_another_network_are_named(weights):
    extra = weights | {"fc.weight": np.ones(1), "Mixed_5b.branch1x1.bn.num_batches_tracked": np.ones(1)}
    assert len(Inception.of(extra).layers) == 94
    for changed, named in [
        (
            {k: v for k, v in weights.items() if k != "Mixed_6c.branch7x7_2.bn.bias"},
            "Mixed_6c.branch7x7_2.bn.bias",
        ),
        (weights | {"Mixed_9.conv.weight": np.ones(1)}, "Mixed_9"),
        (weights | {"Conv2d_1a_3x3.bn.bias": np.ones(3)}, "Conv2d_1a_3x3.bn.bias"),
        (weights | {"Conv2d_1a_3x3.conv.weight": np.ones((32, 3, 5, 5))}, "Conv2d_1a_3x3.conv.weight"),
    ]:
        with pytest.raises(InputError, match=named):
            Inception.of(changed)


def test_what_is_no_image(weights):
    with pytest.raises(InputError, match="use Pixels"):
        Inception.of(weights)(np.ones((3, 2)))
