"""Tensors under other names in our networks: layouts of weights as PyTorch means them, mistakes by name."""

import numpy as np
import pytest
import scipy.signal
from flax import nnx

from score_sde.errors import InputError
from score_sde.interop.base import Layout, Source, choose, fill, flatten, load_tensors, unflatten
from score_sde.interop.transforms import (
    conv,
    conv_as_linear,
    identity,
    joined,
    kernel_as_linear,
    linear,
    part,
    reordered,
)
from score_sde.networks import MLP
from score_sde.networks.base import partition
from score_sde.networks.layers.convolution import convolve

RANDOM = np.random.default_rng(0)


def test_a_linear_layer_is_x_times_the_transpose():
    """torch.nn.Linear: y = x W^T."""
    w, x = RANDOM.normal(size=(5, 3)), RANDOM.normal(size=(2, 3))
    np.testing.assert_allclose(x @ linear(w), np.einsum("bi,oi->bo", x, w))


def test_a_convolution_is_torchs_cross_correlation(x64):
    """torch.nn.Conv2d: out[o] = sum_i cross-correlation of in[i] with W[o, i], zero padded."""
    w, x = RANDOM.normal(size=(5, 3, 3, 3)), RANDOM.normal(size=(3, 8, 6))
    ours = convolve(x.transpose(1, 2, 0)[None], conv(w))[0]
    for o in range(5):
        expected = sum(scipy.signal.correlate2d(x[i], w[o, i], mode="same") for i in range(3))
        np.testing.assert_allclose(ours[..., o], expected, atol=1e-12)


def test_a_convolution_over_one_axis_too(x64):
    w, x = RANDOM.normal(size=(2, 3, 3)), RANDOM.normal(size=(3, 8))
    ours = convolve(x.T[None], conv(w))[0]
    for o in range(2):
        expected = sum(np.correlate(x[i], w[o, i], mode="same") for i in range(3))
        np.testing.assert_allclose(ours[..., o], expected, atol=1e-12)


def test_convolutions_of_one_pixel_are_products():
    w = RANDOM.normal(size=(5, 3, 1, 1))
    np.testing.assert_array_equal(conv_as_linear(w), linear(w[:, :, 0, 0]))
    np.testing.assert_array_equal(conv_as_linear(w[..., 0]), linear(w[:, :, 0, 0]))
    np.testing.assert_array_equal(kernel_as_linear(conv(w)), conv_as_linear(w))


@pytest.mark.parametrize(
    "order", [("head", "qkv", "channel"), ("head", "channel", "qkv"), ("qkv", "head", "channel")]
)
def test_attention_reads_the_queries_that_were_meant(order):
    """Output number ``index`` of the original is q, k or v of a head and channel, as its order says."""
    heads, channels = 2, 5
    sizes = {"qkv": 3, "head": heads, "channel": channels}
    w = np.arange(3 * heads * channels, dtype=float)
    found = reordered(identity, heads, order)(w).reshape(3, heads, channels)
    for index in np.ndindex(*(sizes[name] for name in order)):
        place = dict(zip(order, index, strict=True))
        original = np.ravel_multi_index(index, [sizes[name] for name in order])
        assert found[place["qkv"], place["head"], place["channel"]] == original


def test_layers_side_by_side_and_apart():
    ws = [RANDOM.normal(size=(4, 3)) for _ in range(3)]
    side_by_side = joined(linear)(*ws)
    x = RANDOM.normal(size=(2, 3))
    np.testing.assert_allclose(x @ side_by_side, np.concatenate([x @ w.T for w in ws], axis=1))
    for index, w in enumerate(ws):
        np.testing.assert_array_equal(part(identity, index, 3)(side_by_side), w.T)


def network(dim=2, depth=1):
    return MLP(dim=dim, width=8, depth=depth, rngs=nnx.Rngs(0))


def torch_sources(depth=1):
    """MLP under names as PyTorch would give them."""

    def sources(net):
        found = {}
        for path, _ in flatten(partition(net)[0]):
            *above, last = path.split(".")
            name = ".".join([*above, {"kernel": "weight"}.get(last, last)])
            found[path] = Source((name,), linear if last == "kernel" else identity)
        return found

    return sources


LAYOUT = Layout(
    title="an MLP of somebody",
    recognises=lambda names: "first.weight" in names,
    sources=torch_sources(),
    ignored=("*.cache", "sigmas"),
    hints={"hidden.*": "set depth", "*": "set dim"},
)


def tensors(**options):
    params = dict(flatten(partition(network(**options))[0]))
    found = {path.replace("kernel", "weight"): np.asarray(value).T + 1 for path, value in params.items()}
    return {**found, "sigmas": np.ones(3), "first.cache": np.ones(3)}


def test_every_parameter_is_filled():
    filled, before = (
        dict(flatten(partition(n)[0])) for n in (load_tensors(network(), tensors(), LAYOUT), network())
    )
    assert list(filled) == list(before)
    assert all(np.array_equal(filled[path], np.asarray(before[path]) + 1) for path in before)


@pytest.mark.parametrize("kind", ["float16", "bfloat16", "float64"])
def test_numbers_become_float32(kind):
    import ml_dtypes

    cast = {name: value.astype(getattr(ml_dtypes, kind, kind)) for name, value in tensors().items()}
    filled = dict(flatten(partition(load_tensors(network(), cast, LAYOUT))[0]))
    assert {value.dtype.name for value in filled.values()} == {"float32"}
    np.testing.assert_array_equal(filled["first.kernel"], cast["first.weight"].T.astype(np.float32))


def test_a_mistake_names_the_tensor_and_the_option():
    wrong = tensors()
    del wrong["hidden.0.weight"]
    with pytest.raises(InputError, match=r"missing tensor hidden\.0\.weight; set depth$"):
        load_tensors(network(), wrong, LAYOUT)
    with pytest.raises(
        InputError, match=r"= 16: expected the 12 .*left over tensor .*hidden\.1\.bias \(8,\).*; set depth$"
    ):
        load_tensors(network(), tensors(depth=2), LAYOUT)
    told = (
        r"misshapen tensor first\.weight \(8, 3\), which gives \(3, 8\) where first\.kernel is \(2, 8\).*dim$"
    )
    with pytest.raises(InputError, match=told):
        load_tensors(network(), tensors(dim=3), LAYOUT)
    with pytest.raises(
        InputError, match=r"misshapen tensor first\.weight \(3,\) for first\.kernel \(2, 8\): a matrix"
    ):
        load_tensors(network(), tensors() | {"first.weight": np.ones(3)}, LAYOUT)


def test_many_mistakes_are_counted_and_stay_one_line():
    with pytest.raises(InputError) as caught:
        load_tensors(network(), {f"a{i}": np.ones(1) for i in range(30)}, LAYOUT)
    assert "left over tensor a0 (1,), a1 (1,), a2 (1,), a3 (1,) and 26 more" in str(caught.value)
    assert "and 8 more; left over" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_sources_that_forget_a_parameter_are_a_defect():
    sources = torch_sources()(network())
    del sources["last.bias"]
    with pytest.raises(ValueError, match=r"no source for last\.bias"):
        fill(network(), sources, tensors())


def test_a_layout_of_another_network_is_told():
    other = Layout(
        title="a U-Net of somebody", recognises=lambda names: True, sources=lambda net: net.decoder
    )
    with pytest.raises(InputError, match=r"network = 'MLP': expected .*a U-Net of somebody.*'decoder'"):
        load_tensors(network(), {}, other)


def test_names_that_nobody_knows_are_told_with_the_names_that_are_known():
    assert choose((LAYOUT,), tensors(), "x.pth") is LAYOUT
    with pytest.raises(InputError, match=r"x\.pth = 'foo': expected tensors of one of: an MLP of somebody"):
        choose((LAYOUT,), {"foo": np.ones(1)}, "x.pth")


def test_paths_and_nested_dictionaries_are_one_to_one():
    nested = {"a": {"0": {"b": 1}, "1": {"b": 2}}, "c": 3}
    flat = dict(flatten(nested))
    assert flat == {"a.0.b": 1, "a.1.b": 2, "c": 3}
    assert unflatten(flat) == nested
