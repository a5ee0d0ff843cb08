"""The two models that dream: digits by class, and the texture of a picture."""

from __future__ import annotations

import dataclasses
import functools
import pathlib
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from score_sde.config import build, load_config, override
from score_sde.denoisers import Clipped
from score_sde.evaluation.legibility import Judge, train_judge
from score_sde.evaluation.pictures import to_pixels
from score_sde.experiment import Experiment, restore, train
from score_sde.samplers import Ancestral, Denoise, LogSNR, Sampler
from score_sde.typing import Batch

ROOT = pathlib.Path(__file__).parents[2]
DIGITS, TEXTURE = "configs/digits_conditional.py", "experiments/dream/texture.py"
SMALLER = {"network.multipliers": "(1,)", "network.attention_resolutions": "()"}  # compiles in half the time


class Size(NamedTuple):
    """How much of everything."""

    variant: str = ""  # of the configurations
    steps: int = 60  # of samplers
    flow_steps: int = 40  # of Heun's, of probability flows
    frames: int = 64  # of a film
    columns: int = 10  # digits beside one another
    judged: int = 200  # digits that go over a bridge
    side: int = 64  # of textures, in pixels
    width: int = 256  # of panoramas


FAST = Size("tiny", 4, 3, frames=2, judged=20, side=32, width=32)  # few shapes: compiling takes the time


class Dreamer:
    """A trained model, and its examples as pictures."""

    def __init__(self, experiment: Experiment, model: Any) -> None:
        self.experiment, self.model, self.units = experiment, model, experiment.data.units

    def encoded(self, x: np.ndarray) -> Batch:
        """Data units -> model space."""
        return self.units.encode(jax.random.key(0), x)

    def decoded(self, x: Batch) -> np.ndarray:
        """Model space -> data units."""
        return np.asarray(self.units.decode(x))

    def pixels(self, x: Batch, tile: int = 48) -> np.ndarray:
        """Model space -> uint8 (n, height, width, 3) of about ``tile`` pixels each."""
        low, high = self.units.interval
        return to_pixels(np.asarray(x), low, high, tile)


class Digits(Dreamer):
    """Handwritten digits of a given class; class 10 is any."""

    classes = 10

    @functools.cached_property
    def judge(self) -> Judge:
        """A classifier that knows nothing of the model."""
        train_split = self.experiment.data.split("train").arrays()
        return train_judge(train_split["x"], train_split["label"])

    def test_digits(self, count: int) -> tuple[Batch, np.ndarray]:
        """So many of the test split of each class in turn, in model space, and their labels."""
        arrays = self.experiment.data.split("test").arrays()
        places = [np.flatnonzero(arrays["label"] == label) for label in range(self.classes)]
        chosen = np.array([places[i % self.classes][i // self.classes] for i in range(count)])
        return self.encoded(arrays["x"][chosen]), arrays["label"][chosen]

    def read(self, x: Batch) -> tuple[np.ndarray, np.ndarray]:
        """What the judge takes each for, and how sure it is."""
        probabilities = self.judge(self.decoded(x))
        return probabilities.argmax(axis=1), probabilities.max(axis=1)


class Texture(Dreamer):
    """Patches of one picture."""

    @property
    def tile(self) -> tuple[int, ...]:
        """The shape of a patch."""
        return self.experiment.data.shape


def sampler(steps: int, sigma_min: float = 0.007) -> Sampler:
    """Ancestral steps equal in log-SNR, and a last estimate."""
    return Sampler(predictor=Ancestral(), grid=LogSNR(sigma_min=sigma_min), n_steps=steps, final=Denoise())


def digits(runs: pathlib.Path, size: Size) -> Digits:
    """The model of ``configs/digits_conditional.py``, trained in ``runs`` unless it is."""
    return Digits(*trained(DIGITS, runs / "digits_conditional", size.variant))


def texture(runs: pathlib.Path, size: Size, picture: str | None) -> Texture:
    """The model of one picture's patches, trained in ``runs`` unless it is; estimates cut to [-1, 1]."""
    changes = {} if picture is None else {"data.pictures": repr((picture,))}
    name = "texture" if picture is None else f"texture_{pathlib.Path(picture).stem}"
    experiment, model = trained(TEXTURE, runs / name, size.variant, changes)
    low, high = experiment.data.units.interval
    return Texture(experiment, Clipped.of(model, low, high))


def trained(
    file: str, workdir: pathlib.Path, variant: str, changes: dict[str, str] | None = None
) -> tuple[Experiment, Any]:
    """An experiment and its model, trained in ``workdir`` unless it is there."""
    config = load_config(f"{ROOT / file}:{variant}" if variant else str(ROOT / file))
    for field, value in ((SMALLER if variant else {}) | (changes or {})).items():
        override(config, field, value)
    experiment = build(config)
    print(f"{file}: training, or finding trained, in {workdir}", flush=True)
    train(dataclasses.replace(experiment, sampler=None), workdir)
    return experiment, restore(experiment, workdir).model


def labels(classes: np.ndarray | list[int]) -> jnp.ndarray:
    """Classes as the model is told them."""
    return jnp.asarray(classes, jnp.int32)
