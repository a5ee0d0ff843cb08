"""The models of images, and what is denoised with them."""

from __future__ import annotations

import pathlib
from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from experiments.restoration.normal import normal_law
from score_sde.config import build, load_config
from score_sde.data import Patches
from score_sde.data.base import Dataset
from score_sde.denoise import Tiled, matched_time, mmse, posterior_draws
from score_sde.denoisers import GaussianMixture
from score_sde.denoisers.base import Denoiser
from score_sde.experiment import Experiment, restore, train
from score_sde.inverse.default_sampler import SAMPLER
from score_sde.samplers.checks import require_denoiser
from score_sde.typing import Key

ROOT = pathlib.Path(__file__).parents[2]
VALIDATION = 8  # images that filters are tuned on


class Images(NamedTuple):
    """A configuration, and larger images of the same kind, which tiles serve; None for those of the model.

    ``law`` is the side of the tiles that a normal law is taken of; None for whole images.
    """

    config: str
    larger: Callable[[], Dataset] | None = None
    law: int | None = None


IMAGES = {
    "patches": Images("configs/patches.py", lambda: Patches(size=32), law=8),
    "fashion_mnist": Images("configs/fashion_mnist.py"),
}


class Prepared:
    """A trained model, a law of training images for each class, and images of the other splits."""

    def __init__(self, experiment: Experiment, model: Denoiser, kind: Images, images: int) -> None:
        self.experiment = experiment
        self.data = experiment.data if kind.larger is None else kind.larger()
        self.truths = self._images("test", images)
        self.validation = self._images("validation", min(VALIDATION, images))
        laws = class_laws(model, experiment, kind.law)
        tiled = kind.larger is not None
        self.model: Denoiser = Tiled.of(model, experiment.data.shape) if tiled else model
        self.laws: Denoiser = Tiled.of(laws, laws.means.shape[1:]) if tiled else laws

    def estimate(self, y: np.ndarray, std: np.ndarray | float) -> np.ndarray:
        """E[x_0 | y] by the model; of classes that nobody tells, sum_c p(c | y) E[x_0 | y, c]."""
        y = jnp.asarray(y, jnp.float32)
        if self.experiment.data.n_classes is None:
            return np.asarray(mmse(self.model, y, std))
        shares = self.class_shares(y, std)
        parts = [
            mmse(self.model, y, std, jnp.full(len(y), label)) * shares[:, label, None, None, None]
            for label in range(shares.shape[1])
        ]
        return np.asarray(sum(parts))

    def normal_estimate(self, y: np.ndarray, std: float) -> np.ndarray:
        """E[x_0 | y] if the images of each class were normal."""
        return np.asarray(mmse(self.laws, jnp.asarray(y, jnp.float32), std))

    def draws(self, key: Key, y: np.ndarray, std: float, count: int, steps: int) -> np.ndarray:
        """(count, *y.shape) draws from p(x_0 | y), of a class that is drawn first where there are classes."""
        class_key, key = jax.random.split(key)
        rows = jnp.repeat(jnp.asarray(y, jnp.float32), count, axis=0)
        cond = None
        if self.experiment.data.n_classes is not None:
            logits = jnp.log(jnp.repeat(self.class_shares(jnp.asarray(y, jnp.float32), std), count, axis=0))
            cond = jax.random.categorical(class_key, logits)
        found = posterior_draws(key, self.model, rows, std, sampler=SAMPLER.replace(n_steps=steps), cond=cond)
        return np.asarray(found).reshape(len(y), count, *y.shape[1:]).swapaxes(0, 1)

    def class_shares(self, y: jax.Array, std: np.ndarray | float) -> jax.Array:
        """p(c | y) if the images of each class were normal, (images, classes)."""
        t = matched_time(self.model.sde, std)
        alpha = jnp.reshape(self.model.sde.alpha(t), (-1, *[1] * (y.ndim - 1)))
        return self.laws.posterior(alpha * y, t)  # type: ignore[attr-defined]

    def _images(self, split: str, count: int) -> np.ndarray:
        source = self.data.split(split)
        chosen = np.random.default_rng(0).permutation(len(source))[:count]
        key = jax.random.fold_in(jax.random.key(self.experiment.seed), len(split))
        return np.asarray(self.data.units.encode(key, source.batch(chosen)["x"]))


def prepare(data: str, runs: pathlib.Path, variant: str, images: int) -> Prepared:
    """The model of ``runs / data``, trained there unless it is."""
    file = str(ROOT / IMAGES[data].config)
    experiment = build(load_config(f"{file}:{variant}" if variant else file))
    print(f"{IMAGES[data].config}: training, or finding trained, in {runs / data}", flush=True)
    train(experiment, runs / data)
    model = require_denoiser("denoising", restore(experiment, runs / data).model)
    return Prepared(experiment, model, IMAGES[data], images)


def class_laws(model: Denoiser, experiment: Experiment, side: int | None) -> GaussianMixture:
    """A normal law for the training images, or their corners, of each class, or of all if there are none."""
    arrays = experiment.data.split("train").arrays()
    x = np.asarray(experiment.data.units.encode(jax.random.key(experiment.seed), arrays["x"]))[
        :, :side, :side
    ]
    labels = np.zeros(len(x), int) if experiment.data.n_classes is None else arrays["label"]
    laws = [normal_law(x[labels == label]) for label in np.unique(labels)]
    return GaussianMixture(
        sde=model.sde,
        weights=jnp.asarray(np.unique(labels, return_counts=True)[1] / len(x), jnp.float32),
        means=jnp.asarray(np.stack([law.mean for law in laws]), jnp.float32),
        covariances=jnp.asarray(np.stack([law.covariance for law in laws]), jnp.float32),
    )
