"""A modern DiT and a U-ViT against NumPy in float64, written out from the published formulas."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from drawn_weights import filled, relative
from flax import nnx

from score_sde.interop.base import flatten, stripped
from score_sde.networks import DiT, UViT, partition
from score_sde.networks.layers import MODERN_STYLE, ROTARY

pytestmark = pytest.mark.usefixtures("x64")

PATCH, HEADS, DEPTH, REGISTERS, N_CLASSES = 2, 2, 2, 2, 3
LABELS = np.array([3.0, 870.0])
CLASSES = {"no class": None, "classes": np.array([2, 0]), "one without": np.array([1, N_CLASSES])}


def in_float64(make):
    """The network with random parameters, and those by their dotted names."""
    network = jax.tree.map(lambda leaf: jnp.asarray(leaf, jnp.float64), filled(make))
    return network, {name: np.asarray(leaf) for name, leaf in flatten(partition(network)[0])}


def assert_equal_to(reference, network, params, shape, classes):
    x = np.random.default_rng(1).standard_normal((len(LABELS), *shape))
    y = jax.jit(lambda network, x, cond: network(x, jnp.asarray(LABELS), cond))(network, x, classes)
    assert (y.shape, y.dtype) == (x.shape, jnp.float64)
    assert relative(y, reference(x, LABELS, classes, params)) < 1e-11


# ---------------------------------------------------------------- what both are made of


def affine(x, params, name):
    return x @ params[f"{name}.kernel"] + params[f"{name}.bias"]


def silu(x):
    return x / (1 + np.exp(-x))


def cells(shape):
    """Where each patch lies, row by row (Dosovitskiy et al. 2021, section 3.1)."""
    rows, columns = (range(0, n, PATCH) for n in shape[:2])
    return [np.s_[:, i : i + PATCH, j : j + PATCH] for i in rows for j in columns]


def cut(x):
    """The numbers of a patch run over its rows, its columns and the channels."""
    return np.stack([x[cell].reshape(len(x), -1) for cell in cells(x.shape[1:])], axis=1)


def pasted(tokens, shape):
    image = np.empty((len(tokens), *shape))
    for token, cell in enumerate(cells(shape)):
        image[cell] = tokens[:, token].reshape(image[cell].shape)
    return image


def waves(labels, dim):
    """[sin(w_k t), cos(w_k t)], w_k = 10000^(-k / n), k < n = dim / 2 (Vaswani et al. 2017, section 3.5)."""
    angles = np.outer(labels, 10_000.0 ** (-np.arange(dim // 2) / (dim // 2)))
    return np.concatenate([np.sin(angles), np.cos(angles)], axis=1)


def attention(x, params, prepare=lambda q, k: (q, k)):
    """softmax(q k^T / sqrt(d)) v of each head, side by side, then W_out (Vaswani et al. 2017, eq. 1).

    The columns of the one kernel of q, k and v are ordered (q k v, head, channel).
    """
    width = x.shape[-1]
    size, columns, mixed = width // HEADS, x @ params["qkv.kernel"], []
    for head in range(HEADS):
        starts = (part * width + head * size for part in range(3))
        q, k, v = (columns[..., start : start + size] for start in starts)
        q, k = prepare(q, k)
        weights = np.exp(q @ k.swapaxes(1, 2) / math.sqrt(size))
        mixed.append(weights / weights.sum(axis=-1, keepdims=True) @ v)
    return affine(np.concatenate(mixed, axis=-1), params, "out")


# ---------------------------------------------------------------- modern DiT


def rms_norm(x, scale):
    """x / RMS(x) times a scale (Zhang and Sennrich 2019, eq. 4), with 1e-6 under the root."""
    return scale * x / np.sqrt(np.mean(x**2, axis=-1, keepdims=True) + 1e-6)


def rotated(x, shape):
    """Tokens at (row, column) turn the plane (x_i, x_(i + d/2)) by place * 100^(-k / n) (Su et al. 2024).

    Half of the planes, n of them, go with the row, the others with the column. Registers come first and
    have no place.
    """
    planes = x.shape[-1] // 2
    speeds = 100.0 ** (-np.arange(planes // 2) / (planes // 2))
    rows, columns = (n // PATCH for n in shape[:2])
    placed = [np.concatenate([i * speeds, j * speeds]) for i in range(rows) for j in range(columns)]
    angles = np.concatenate([np.zeros((REGISTERS, planes)), placed])
    turned = (x[..., :planes] + 1j * x[..., planes:]) * np.exp(1j * angles)
    return np.concatenate([turned.real, turned.imag], axis=-1)


def swiglu(x, params):
    """(silu(x W) * x V) W_2 (Shazeer 2020, eq. 6), W and V side by side."""
    gate, value = np.split(x @ params["rise.kernel"], 2, axis=-1)
    return (silu(gate) * value) @ params["fall.kernel"]


def adaptive_block(x, told, shape, params):
    """adaLN-Zero (Peebles and Xie 2023, figure 3): shift, scale and gate of attention, then of the MLP."""
    shift1, scale1, gate1, shift2, scale2, gate2 = np.split(
        affine(told, params, "modulation")[:, None], 6, axis=-1
    )

    def prepare(q, k):
        q, k = rms_norm(q, params["attention.q_norm.scale"]), rms_norm(k, params["attention.k_norm.scale"])
        return rotated(q, shape), rotated(k, shape)

    seen = rms_norm(x, params["norm1.scale"]) * (1 + scale1) + shift1
    x = x + gate1 * attention(seen, stripped(params, "attention."), prepare)
    seen = rms_norm(x, params["norm2.scale"]) * (1 + scale2) + shift2
    return x + gate2 * swiglu(seen, stripped(params, "mlp."))


def modern_dit(x, labels, classes, params):
    """Peebles and Xie 2023, section 3.2, with registers (Darcet et al. 2024); no class is the last row."""
    shape, rows = x.shape[1:], params["mapping.last.rows"]
    told = affine(silu(affine(waves(labels, 256), params, "mapping.linear1")), params, "mapping.linear2")
    told = silu(told + (rows[N_CLASSES] if classes is None else rows[classes]))
    registers = np.repeat(params["tokens.registers"], len(x), axis=0)
    tokens = np.concatenate([registers, affine(cut(x), params, "tokens.linear")], axis=1)
    for block in range(DEPTH):
        tokens = adaptive_block(tokens, told, shape, stripped(params, f"blocks.each.{block}."))
    shift, scale = np.split(affine(told, params, "last.modulation")[:, None], 2, axis=-1)
    seen = rms_norm(tokens[:, REGISTERS:], params["last.norm.scale"]) * (1 + scale) + shift
    return pasted(affine(seen, params, "last.linear"), shape)


@pytest.fixture(scope="module")
def dit():
    options = {"patch": PATCH, "width": 24, "depth": DEPTH, "heads": HEADS, "n_classes": N_CLASSES}
    modern = {"style": MODERN_STYLE, "positions": ROTARY, "registers": REGISTERS, "outputs": 1}
    with jax.enable_x64(True):
        return in_float64(lambda: DiT((4, 6, 2), rngs=nnx.Rngs(0), **options, **modern))


@pytest.mark.parametrize("classes", CLASSES.values(), ids=CLASSES)
def test_modern_dit_is_its_formulas(dit, classes):
    assert_equal_to(modern_dit, *dit, (4, 6, 2), classes)


# ---------------------------------------------------------------- U-ViT


def layer_norm(x, params, name):
    """Ba et al. 2016, eq. 4, with 1e-5 under the root."""
    centred = x - x.mean(axis=-1, keepdims=True)
    deviation = np.sqrt(np.mean(centred**2, axis=-1, keepdims=True) + 1e-5)
    return params[f"{name}.scale"] * centred / deviation + params[f"{name}.bias"]


def gelu(x):
    """x Phi(x) (Hendrycks and Gimpel 2016), not its approximation."""
    return x * (1 + np.vectorize(math.erf)(x / math.sqrt(2))) / 2


def plain_block(x, params):
    """Norms before both branches (Dosovitskiy et al. 2021, eqs. 2 and 3)."""
    x = x + attention(layer_norm(x, params, "norm1"), stripped(params, "attention."))
    return x + affine(gelu(affine(layer_norm(x, params, "norm2"), params, "mlp.rise")), params, "mlp.fall")


def convolved(x, params):
    """y_hw = b + sum_ij x_(h + i - 1, w + j - 1) K_ij, zeros outside."""
    _, height, width, _ = x.shape
    padded = np.pad(x, [(0, 0), (1, 1), (1, 1), (0, 0)])
    terms = [
        padded[:, i : i + height, j : j + width] @ params["kernel"][i, j] for i in range(3) for j in range(3)
    ]
    return params["bias"] + sum(terms)


def u_vit(x, labels, classes, params):
    """Bao et al. 2023, figure 1 and section 3: tokens [class, time, patches], and skips to the mirror.

    No class is a token of zeros, as is one that is dropped for guidance here.
    """
    rows = np.concatenate([params["classes.rows"], np.zeros((1, 16))])
    named = rows[[N_CLASSES] * len(x) if classes is None else classes]
    own = np.stack([named, waves(labels, 16)], axis=1)
    hidden = np.concatenate([own, affine(cut(x), params, "first")], axis=1) + params["positions"]
    first = plain_block(hidden, stripped(params, "down.0."))
    second = plain_block(first, stripped(params, "down.1."))
    hidden = plain_block(second, stripped(params, "middle."))
    for level, skip in enumerate([second, first]):
        joined = affine(np.concatenate([hidden, skip], axis=-1), params, f"joins.{level}")
        hidden = plain_block(joined, stripped(params, f"up.{level}."))
    tokens = affine(layer_norm(hidden, params, "norm"), params, "last")[:, 2:]
    return convolved(pasted(tokens, x.shape[1:]), stripped(params, "smooth."))


@pytest.fixture(scope="module")
def uvit():
    options = {"patch": PATCH, "width": 16, "depth": 5, "heads": HEADS, "n_classes": N_CLASSES}
    with jax.enable_x64(True):
        return in_float64(lambda: UViT((4, 4, 2), rngs=nnx.Rngs(0), **options))


@pytest.mark.parametrize("classes", CLASSES.values(), ids=CLASSES)
def test_u_vit_is_its_formulas(uvit, classes):
    assert_equal_to(u_vit, *uvit, (4, 4, 2), classes)
