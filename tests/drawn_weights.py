"""Cases of tests/data/score_sde_*outputs.npz: random weights, drawn here as for the originals."""

import functools
import json

import jax
import numpy as np

from score_sde.networks import partition

# Each network runs once or twice: most of the time would go into making the program fast.
quickly_compiled = functools.partial(
    jax.jit, compiler_options={"xla_backend_optimization_level": 0, "xla_llvm_disable_expensive_passes": True}
)


def drawn(shapes):
    """The weights by their original names, from a dictionary of shapes."""
    rng, weights = np.random.default_rng(0), {}
    for name in sorted(shapes):
        w, last = rng.standard_normal(shapes[name]), name.rsplit(".", 1)[-1]
        if last in ("scale", "alpha", "gamma"):
            w = 1 + 0.2 * w
        elif last in ("bias", "b", "beta", "embedding"):
            w = 0.2 * w
        elif "Fourier" not in name:
            w = w / np.sqrt(np.prod(w.shape[:-1]))
        weights[name] = w.astype(np.float32)
    return weights


class Recorded:
    """Options, weights, inputs and outputs of one case."""

    def __init__(self, folder, name):
        file = "score_sde_torch_outputs.npz" if name.startswith("torch") else "score_sde_outputs.npz"
        with np.load(folder / file) as z:
            self.config = json.loads(str(z[f"{name}/config"]))
            self.tensors = drawn(json.loads(str(z[f"{name}/shapes"])))
            self.x, self.labels, self.y64 = (z[f"{name}/{key}"] for key in ("x", "labels", "y64"))


def relative(value, expected):
    """The largest error, in units of the largest expected number."""
    return np.max(np.abs(np.asarray(value) - expected)) / np.max(np.abs(expected))


def filled(make, std=0.25):
    """The network or model that ``make()`` gives with every parameter at random, nothing of it computed.

    Fresh networks give zero, where all laws hold trivially, and take long to draw operation by operation.
    """
    params, rebuild = partition(jax.eval_shape(make))
    rng = np.random.default_rng(0)

    def fill(path, leaf):
        mean = 1.0 if path[-1].key == "scale" else 0.0
        return np.asarray(mean + std * rng.standard_normal(leaf.shape), leaf.dtype)

    return rebuild(jax.tree_util.tree_map_with_path(fill, params))
