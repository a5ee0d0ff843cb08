"""What of a batch the network is told, and what it is told of samples that are to be drawn."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, Protocol

import jax
import jax.numpy as jnp
import numpy as np

from score_sde.dequantization import Units
from score_sde.errors import InputError
from score_sde.pytree import Pytree, static
from score_sde.typing import Array, Key


class Data(Protocol):
    """What a condition may ask of a data set, as ``score_sde.data.Dataset``."""

    n_classes: int | None
    units: Units

    def split(self, name: str) -> Any:
        """Examples with ``len`` and ``batch(indices)``."""


class Condition(Pytree, ABC):
    """From a batch (``x`` in model space and whatever else the data has) to the network's ``cond``."""

    @abstractmethod
    def __call__(self, batch: Mapping[str, Any], *, n_classes: int | None, key: Key | None = None) -> Any:
        """The condition, a pytree whose leaves have a leading batch axis, or None.

        ``key`` is of training: without one nothing is left out at random.
        """

    @abstractmethod
    def sample(self, key: Key, indices: Array, data: Data) -> Any:
        """The conditions to draw the samples of these indices under: a function of (key, index)."""

    def record(self, cond: Any) -> dict[str, Array]:
        """What of the conditions of samples is written beside them, by name."""
        del cond
        return {}


class Unconditional(Condition):
    """Nothing: the model learns p(x), whatever labels the data may have."""

    def __call__(self, batch: Mapping[str, Any], *, n_classes: int | None, key: Key | None = None) -> None:
        """None."""
        del batch, n_classes, key

    def sample(self, key: Key, indices: Array, data: Data) -> None:
        """None."""
        del key, indices, data


class ClassLabels(Condition):
    """The integer class labels: the model learns p(x | label), and p(x) too where some are left out.

    Attributes:
        drop: the probability, in training, that a label becomes ``n_classes``, which networks read as
            "no class": what classifier-free guidance needs (Ho and Salimans 2022, algorithm 1).
        sampled: labels that samples are drawn under, by turns (``n_classes``: under none); None for
            all classes with equal chances.
    """

    drop: float = static(0.0)
    sampled: tuple[int, ...] | None = static(None)

    def __post_init__(self) -> None:
        if not 0 <= self.drop < 1:
            raise InputError("condition.drop", self.drop, "a probability in [0, 1)", "0.1 is usual")
        if self.sampled is not None and not len(self.sampled):
            raise InputError("condition.sampled", self.sampled, "at least one label", "None for all classes")

    def __call__(self, batch: Mapping[str, Any], *, n_classes: int | None, key: Key | None = None) -> Array:
        """``batch["label"]``, some of them ``n_classes`` in training; InputError without labels."""
        if "label" not in batch:
            raise _no_labels()
        labels = batch["label"]
        if key is None or not self.drop:
            return labels
        kept = jax.random.bernoulli(key, 1 - self.drop, labels.shape)
        return jnp.where(kept, labels, _required(n_classes))

    def sample(self, key: Key, indices: Array, data: Data) -> Array:
        """Labels (n,) of samples; InputError for data without classes, or a label that it lacks."""
        n_classes = _required(data.n_classes)
        if self.sampled is None:
            return jax.vmap(lambda i: jax.random.randint(jax.random.fold_in(key, i), (), 0, n_classes))(
                indices
            )
        for label in self.sampled:
            if not 0 <= label <= n_classes:
                remedy = f"{n_classes} itself is no class"
                raise InputError("condition.sampled", label, f"labels from 0 to {n_classes}", remedy)
        return jnp.asarray(self.sampled, jnp.int32)[jnp.asarray(indices) % len(self.sampled)]

    def record(self, cond: Array) -> dict[str, Array]:
        """``labels``."""
        return {"labels": cond}


class GuidedLabels(Condition):
    """Nothing in training, as ``Unconditional``, and class labels of samples: for a classifier that guides.

    The model of p(x) is changed by ``guidance.Unlabelled``, which keeps the labels from it.

    Attributes:
        sampled: as ``ClassLabels``'s.
    """

    sampled: tuple[int, ...] | None = static(None)

    def __post_init__(self) -> None:
        ClassLabels(sampled=self.sampled)

    def __call__(self, batch: Mapping[str, Any], *, n_classes: int | None, key: Key | None = None) -> None:
        """None."""
        del batch, n_classes, key

    def sample(self, key: Key, indices: Array, data: Data) -> Array:
        """Labels (n,) of samples, as ``ClassLabels`` draws them."""
        return ClassLabels(sampled=self.sampled).sample(key, indices, data)

    def record(self, cond: Array) -> dict[str, Array]:
        """``labels``."""
        return {"labels": cond}


class LowResolution(Condition):
    """The image at a lower resolution, which an upsampler makes large again; with labels if ``labels`` says.

    ``{"low_res": means over squares of factor x factor pixels}`` and ``"label"``: how the upsamplers of
    Dhariwal and Nichol 2021 are trained.

    Attributes:
        factor: sides of the large image over those of the small one.
        labels: what else the network is told.
        split: whose images, in their order, samples are drawn for.
        sampled: ``samples.npz`` of a model of the low resolution, whose samples and labels take the place
            of those images; None for the images.
    """

    factor: int = static(4)
    labels: Condition = Unconditional()
    split: str = static("test")
    sampled: str | None = static(None)

    def __call__(
        self, batch: Mapping[str, Any], *, n_classes: int | None, key: Key | None = None
    ) -> dict[str, Array]:
        """The parts; InputError for what squares of this size do not divide."""
        labels = self.labels(batch, n_classes=n_classes, key=key)
        parts = {"low_res": _averaged(batch["x"], self.factor)}
        return parts if labels is None else parts | {"label": labels}

    def sample(self, key: Key, indices: Array, data: Data) -> dict[str, Array]:
        """Of the images of the split or the file, again from the first where there are fewer."""
        if self.sampled is not None:
            return self._of_file(key, np.asarray(indices), data)
        source = data.split(self.split)
        batch = source.batch(np.asarray(indices) % len(source))
        return self({**batch, "x": data.units.encode(key, batch["x"])}, n_classes=data.n_classes)

    def _of_file(self, key: Key, indices: np.ndarray, data: Data) -> dict[str, Array]:
        if not os.path.isfile(str(self.sampled)):
            expected = "samples.npz, which --mode=sample wrote"
            raise InputError("condition.sampled", self.sampled, expected, "sample the smaller model first")
        with np.load(str(self.sampled)) as file:
            names = {"x": "samples", "label": "labels"}
            batch = {name: file[there] for name, there in names.items() if there in file}
        batch = {name: values[indices % len(values)] for name, values in batch.items()}
        labels = self.labels(batch, n_classes=data.n_classes)
        parts = {"low_res": data.units.encode(key, batch["x"])}
        return parts if labels is None else parts | {"label": labels}

    def record(self, cond: dict[str, Array]) -> dict[str, Array]:
        """``low_res`` in model space, and ``labels``."""
        return {"low_res": cond["low_res"]} | self.labels.record(cond.get("label"))


def _averaged(x: Array, factor: int) -> Array:
    batch, height, width, channels = x.shape
    if height % factor or width % factor:
        expected = f"height and width that condition.factor = {factor} divides"
        raise InputError("shape of an example", x.shape[1:], expected, "change the factor")
    return x.reshape(batch, height // factor, factor, width // factor, factor, channels).mean(axis=(2, 4))


def _required(n_classes: int | None) -> int:
    if n_classes is None:
        raise _no_labels()
    return n_classes


def _no_labels() -> InputError:
    return InputError("condition", "ClassLabels", "data with labels", "use Unconditional")
