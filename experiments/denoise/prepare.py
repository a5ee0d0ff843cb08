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
from score_sde.data import Photographs
from score_sde.data.base import Dataset
from score_sde.denoise import mmse, posterior_draws
from score_sde.denoisers import GaussianMixture, Tiled
from score_sde.denoisers.base import Denoiser
from score_sde.experiment import Experiment, restore, train
from score_sde.inverse.default_sampler import SAMPLER
from score_sde.samplers.checks import require_denoiser
from score_sde.typing import Key

HERE = pathlib.Path(__file__).parent
VALIDATION = 8  # images that filters are tuned on
LAW_IMAGES = 20_000  # that a normal law is taken of, at most
STRIDE = 24  # from tile to tile of 32 pixels
CHUNK = 13**2  # tiles at once: those of 320 x 320 pixels


class Images(NamedTuple):
    """Larger images of the same kind, which tiles serve; None for those of the model.

    ``law`` is the side of the tiles that a normal law is taken of; None for whole images.
    """

    larger: Callable[[], Dataset] | None = None
    law: int | None = None


IMAGES = {"photographs": Images(lambda: Photographs(size=64), law=8), "fashion_mnist": Images()}


class Prepared:
    """A trained model, a law of training images for each class, and images of the other splits."""

    def __init__(self, experiment: Experiment, model: Denoiser, kind: Images, images: int) -> None:
        self.experiment = experiment
        self.data = experiment.data if kind.larger is None else kind.larger()
        self.truths = self._images("test", images)
        self.validation = self._images("validation", min(VALIDATION, images))
        laws = class_laws(model, experiment, kind.law)
        tiled = kind.larger is not None
        self.model: Denoiser = on_tiles(model, experiment) if tiled else model
        self.laws: Denoiser = Tiled.of(laws, laws.means.shape[1:]) if tiled else laws

    def estimate(self, y: np.ndarray, std: np.ndarray | float) -> np.ndarray:
        """E[x_0 | y] by the model."""
        return np.asarray(mmse(self.model, jnp.asarray(y, jnp.float32), std))

    def normal_estimate(self, y: np.ndarray, std: float) -> np.ndarray:
        """E[x_0 | y] if the images of each class were normal."""
        return np.asarray(mmse(self.laws, jnp.asarray(y, jnp.float32), std))

    def draws(self, key: Key, y: np.ndarray, std: float, count: int, steps: int) -> np.ndarray:
        """(count, *y.shape) draws from p(x_0 | y)."""
        rows = jnp.repeat(jnp.asarray(y, jnp.float32), count, axis=0)
        found = posterior_draws(key, self.model, rows, std, sampler=SAMPLER.replace(n_steps=steps))
        return np.asarray(found).reshape(len(y), count, *y.shape[1:]).swapaxes(0, 1)

    def _images(self, split: str, count: int) -> np.ndarray:
        source = self.data.split(split)
        chosen = np.random.default_rng(0).permutation(len(source))[:count]
        key = jax.random.fold_in(jax.random.key(self.experiment.seed), len(split))
        return np.asarray(self.data.units.encode(key, source.batch(chosen)["x"]))


def prepare(data: str, runs: pathlib.Path, variant: str, images: int) -> Prepared:
    """The model of these images, and they."""
    return Prepared(*trained(data, runs, variant), IMAGES[data], images)


def trained(data: str, runs: pathlib.Path, variant: str) -> tuple[Experiment, Denoiser]:
    """The model of ``runs / denoise_DATA``, trained there unless it is."""
    file, folder = HERE / f"{data}.py", runs / f"denoise_{data}"
    experiment = build(load_config(f"{file}:{variant}" if variant else str(file)))
    print(f"experiments/denoise/{data}.py: training, or finding trained, in {folder}", flush=True)
    train(experiment, folder)
    return experiment, require_denoiser("denoising", restore(experiment, folder).model)


def on_tiles(model: Denoiser, experiment: Experiment) -> Tiled:
    """The model of small images for larger ones."""
    side = experiment.data.shape[0]
    return Tiled.of(model, experiment.data.shape, min(STRIDE, side), chunk=CHUNK)


def class_laws(model: Denoiser, experiment: Experiment, side: int | None) -> GaussianMixture:
    """A normal law for the training images, or their corners, of each class, or of all if there are none."""
    source = experiment.data.split("train")
    chosen = np.random.default_rng(0).permutation(len(source))[:LAW_IMAGES]
    arrays = source.batch(chosen)
    corners = arrays["x"][:, :side, :side]
    x = np.asarray(experiment.data.units.encode(jax.random.key(experiment.seed), corners))
    labels = np.zeros(len(x), int) if experiment.data.n_classes is None else arrays["label"]
    laws = [normal_law(x[labels == label]) for label in np.unique(labels)]
    return GaussianMixture(
        sde=model.sde,
        weights=jnp.asarray(np.unique(labels, return_counts=True)[1] / len(x), jnp.float32),
        means=jnp.asarray(np.stack([law.mean for law in laws]), jnp.float32),
        covariances=jnp.asarray(np.stack([law.covariance for law in laws]), jnp.float32),
    )
