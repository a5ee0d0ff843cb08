"""What an autoencoder made of images, kept on disk."""

from __future__ import annotations

import math
import pathlib
from collections.abc import Callable, Sequence
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax.typing import ArrayLike

from score_sde.data.base import SPLITS, ArraySource, Dataset, Source
from score_sde.dequantization import Units
from score_sde.errors import InputError
from score_sde.pytree import static
from score_sde.typing import Array, Batch, Key

STABLE_DIFFUSION = (
    0.18215  # one over the standard deviation of its autoencoder's latents (Rombach et al. 2022)
)


class LatentUnits(Units):
    """x = scale raw: latents of about unit variance. The models of DiT and SiT take the default."""

    scale: float = static(STABLE_DIFFUSION)

    def __post_init__(self) -> None:
        if not self.scale > 0:
            raise InputError("LatentUnits.scale", self.scale, "a positive number", "0.18215 is usual")

    def encode(self, key: Key, raw: Array) -> Batch:
        """Scale raw, in float32 or wider."""
        del key
        raw = jnp.asarray(raw)
        return self.scale * raw.astype(jnp.promote_types(raw.dtype, jnp.float32))

    def decode(self, x: ArrayLike) -> Array:
        """X / scale: what the autoencoder's decoder takes."""
        return jnp.asarray(x) / self.scale

    def check(self, raw: Array, where: str = "data") -> None:
        """Raise InputError unless all values are finite."""
        bad = int(np.sum(~np.isfinite(np.asarray(raw))))
        if bad:
            raise InputError(where, f"{bad} values not finite", "finite latents", "encode the images again")

    @property
    def log_scale(self) -> float:
        """Log scale."""
        return math.log(self.scale)


LATENT_UNITS = LatentUnits()


class Latents(Dataset):
    """Latents in a folder that ``write_latents`` wrote: ``train_x.npy``, ``train_label.npy`` and so on.

    The files are opened when a split is asked for, and read from as batches need them.

    Args:
        path: the folder.
        shape: of one latent, channels last: ``(32, 32, 4)`` for images of 256 pixels.
        n_classes: number of labels; None for none.
        units: how latents are scaled.

    Raises:
        InputError: no such folder; latents of another shape; labels missing.
    """

    def __init__(
        self,
        *,
        path: str,
        shape: Sequence[int],
        n_classes: int | None = None,
        units: Units = LATENT_UNITS,
    ) -> None:
        self._folder = pathlib.Path(path)
        super().__init__(shape=shape, units=units, splits={}, n_classes=n_classes)

    def split(self, name: str) -> Source:
        """The latents of one split."""
        if not self._splits:
            found = {split: self._opened(split) for split in SPLITS if self._file(split, "x").is_file()}
            if not found:
                expected = "a folder with train_x.npy, as experiments/latents writes it"
                raise InputError("data.path", str(self._folder), expected, "encode the images first")
            self._splits = dict(found)
        return super().split(name)

    def _file(self, split: str, what: str) -> pathlib.Path:
        return self._folder / f"{split}_{what}.npy"

    def _opened(self, split: str) -> ArraySource:
        x = np.load(self._file(split, "x"), mmap_mode="r")
        if x.shape[1:] != self.shape:
            remedy = "set shape, or encode images of the right size"
            raise InputError(
                f"shape of latents in {self._file(split, 'x')}", x.shape[1:], str(self.shape), remedy
            )
        if self.n_classes is None:
            return ArraySource(x=x)
        if not self._file(split, "label").is_file():
            raise InputError(
                "data.path", str(self._folder), f"also {split}_label.npy", "or set n_classes=None"
            )
        return ArraySource(x=x, label=np.load(self._file(split, "label")))


def write_latents(
    folder: str | pathlib.Path,
    data: Dataset,
    encode: Callable[[int, Any], Any],
    *,
    batch: int = 16,
    dtype: Any = np.float16,
    report: Callable[[str], None] = lambda line: None,
) -> pathlib.Path:
    """Write ``encode(i, x)`` of all splits that ``data`` has, of the raw images (B, ...) from the i-th on.

    ``report`` is told how far it is. An existing file is replaced once its successor is whole.
    """
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    for split in SPLITS:
        try:
            source = data.split(split)
        except InputError:
            continue
        _write_split(folder, split, source, encode, batch, dtype, report)
    return folder


def _write_split(
    folder: pathlib.Path,
    split: str,
    source: Source,
    encode: Callable[[int, Any], Any],
    batch: int,
    dtype: Any,
    report: Callable[[str], None],
) -> None:
    total, out, labels = len(source), None, []
    fresh = folder / f"{split}_x.part.npy"
    for first in range(0, total, batch):
        taken = (
            np.arange(first, first + batch) % total
        )  # the last batch is as large, so that nothing compiles anew
        examples = source.batch(taken)
        z, kept = np.asarray(encode(first, examples["x"])), min(batch, total - first)
        if out is None:
            out = np.lib.format.open_memmap(fresh, mode="w+", dtype=dtype, shape=(total, *z.shape[1:]))
        out[first : first + kept] = z[:kept]
        labels.append(np.asarray(examples.get("label", ()))[:kept])
        report(f"{split}: {first + kept} of {total}")
    assert out is not None
    out.flush()
    fresh.replace(folder / f"{split}_x.npy")
    if len(labels[0]):
        np.save(folder / f"{split}_label.npy", np.concatenate(labels).astype(np.int32))
