"""Data sets of tensorflow-datasets, and those that ``--mode=prepare`` wrote."""

from __future__ import annotations

import functools
import math
import pathlib
from typing import Any

import numpy as np

from score_sde.data.base import SPLITS, Dataset, Source, Subset
from score_sde.data.images import FILTERS
from score_sde.data.records import Held, Records
from score_sde.data.shards import damaged, prepare_command, require_whole
from score_sde.data.splits import divide
from score_sde.dequantization import UniformDequantization, Units
from score_sde.errors import InputError

BYTES = UniformDequantization(levels=256)
ORIGINALS = {  # what a data set is prepared from, and how that is had
    "cifar10": ("cifar-10-binary.tar.gz", "which is at https://www.cs.toronto.edu/~kriz/cifar.html"),
    "fashion_mnist": ("/usr/share/datasets/fashion-mnist", "after apt-get install dataset-fashion-mnist"),
}
UNKNOWN = ("train", "test")  # splits of a data set that does not say: the mock of tensorflow-datasets


class TFDS(Dataset):
    """8-bit images by the name of a data set, with its class labels where it has a feature ``label``.

    Found are ``data_dir/name``, where ``--mode=prepare --to=data_dir/name`` wrote it, and what
    tensorflow-datasets prepared below ``data_dir`` with ``file_format="array_record"``; TensorFlow is not
    needed to read either. The files are opened when a split is asked for: shape and classes of a registered
    data set (cifar10, svhn_cropped, celeb_a, lsun/..., imagenet_resized/...) are known without them.

    Splits are those of the data set; a missing validation or test split is taken out of the training part by
    ``seed`` if a fraction is given. Data of up to ``memory`` bytes are decoded once and held; larger ones
    are read and decoded by threads ahead of the training step (``StreamedBatches``).

    Args:
        name: ``cifar10``, ``lsun/church_outdoor``, or the folder below ``data_dir``.
        data_dir: where data sets are; None for tensorflow-datasets' own, ``$TFDS_DATA_DIR`` or
            ``~/tensorflow_datasets``.
        size: height and width that images are cropped and resized to; None for the data set's own.
        crop: side of the central square that is kept before resizing; None for the largest. score_sde's
            CelebA is ``name="celeb_a", crop=140, size=64, resampling="bilinear"``. Images that are stored
            at ``size`` are taken as they are.
        resampling: ``lanczos``, ``bicubic`` (score_sde's LSUN) or ``bilinear``, widened where it shrinks.
        n_classes: number of classes that is expected; for planning with data that are not there yet.
        units: how bytes become model values.
        validation: fraction taken for validation where there is no such split.
        test: fraction taken for test where there is no such split.
        seed: seed of the division.
        memory: bytes of decoded images up to which they are held.

    Raises:
        InputError: data that are not there (with the command that prepares them), are damaged, or have no
            one shape.
    """

    def __init__(
        self,
        *,
        name: str,
        data_dir: str | None = None,
        size: int | None = None,
        crop: int | None = None,
        resampling: str = "lanczos",
        n_classes: int | None = None,
        units: Units = BYTES,
        validation: float = 0.0,
        test: float = 0.0,
        seed: int = 0,
        memory: int = 2**30,
    ) -> None:
        if size is not None and size < 1:
            raise InputError("data.size", size, "a positive number of pixels")
        if resampling not in FILTERS:
            raise InputError("data.resampling", resampling, f"one of {', '.join(FILTERS)}")
        self.name, self._size, self._crop, self._resampling = name, size, crop, resampling
        self._root = pathlib.Path(data_dir).expanduser() if data_dir else _default_root()
        self._divide = functools.partial(divide, validation=validation, test=test, seed=seed)
        self._memory = memory
        shape, known = self._facts(n_classes)
        super().__init__(shape=shape, units=units, splits={}, n_classes=known)

    def split(self, name: str) -> Source:
        """The examples of one split; the files are opened at the first call, and decoded at the first use."""
        if not self._splits:
            self._splits = self._views()
        return super().split(name)

    @functools.cached_property
    def _builder(self) -> Any:
        """What tensorflow-datasets knows of the data set, on disk or in its code; None if nothing."""
        import tensorflow_datasets as tfds  # slow to import: only where it is used

        if (self._directory / "dataset_info.json").is_file():
            return tfds.builder_from_directory(self._directory)
        try:
            return tfds.builder(self.name, data_dir=self._root)
        except ValueError:  # no such name, or none that it could have
            return None

    @functools.cached_property
    def _directory(self) -> pathlib.Path:
        """Where ``--mode=prepare`` writes it."""
        return self._root / self.name

    def _facts(self, n_classes: int | None) -> tuple[tuple[int, ...], int | None]:
        """Shape of an example and number of classes."""
        if self._builder is None:
            if self._size is None:
                raise self._missing()
            return (self._size, self._size, 3), n_classes
        features = self._builder.info.features
        if "image" not in features:
            expected = "a data set of images (a feature named image)"
            raise InputError("data.name", self.name, expected, f"it has {', '.join(features)}")
        stored = features["image"].shape
        if self._size is None and None in stored:
            raise InputError(
                "data.size", None, f"a number of pixels: {self.name} has several", "give data.size"
            )
        height_width = stored[:2] if self._size is None else (self._size, self._size)
        found = getattr(features["label"], "num_classes", None) if "label" in features else None
        if n_classes not in (None, found):
            raise InputError("data.n_classes", n_classes, f"{found}, as {self.name} has", "leave it out")
        return (*height_width, stored[-1] or 3), found

    def _views(self) -> dict[str, Source]:
        if self._builder is None:
            raise self._missing()
        names = [name for name in SPLITS if name in (self._builder.info.splits or UNKNOWN)]
        parts: dict[str, Source] = {name: self._part(name) for name in names}
        if "train" not in parts:
            raise InputError("data.name", self.name, "a data set with a split named train")
        if sum(map(len, parts.values())) * math.prod(self.shape) <= self._memory:
            for name in parts:  # all is going to be read, so all is checked
                require_whole(pathlib.Path(self._builder.data_dir), name, content=True)
            parts = {name: Held(part, f"{self.name} {name}") for name, part in parts.items()}
        sizes = {name: len(part) for name, part in parts.items()}
        chosen = self._divide(sizes)
        whole = {name: part for name, part in parts.items() if name != "train"}
        if len(chosen["train"]) == sizes["train"]:
            whole["train"] = parts["train"]
        # In the order of the files, so that one pass over a split reads them from begin to end.
        return {name: whole.get(name) or Subset(parts["train"], np.sort(chosen[name])) for name in SPLITS}

    def _part(self, split: str) -> Records:
        """One split on disk."""
        import tensorflow_datasets as tfds

        directory = pathlib.Path(self._builder.data_dir)
        try:
            records = self._builder.as_data_source(split=split)
        except Exception as error:
            if not (directory / "dataset_info.json").is_file():
                raise self._missing() from error
            expected = f"array_record files in {directory} ({type(error).__name__}: {str(error)[:100]})"
            raise InputError(
                "data", self.name, expected, 'prepare it with file_format="array_record"'
            ) from error
        # Not an argument above: the mock of tensorflow-datasets would encode, for which it needs TensorFlow.
        records.decoders = {"image": tfds.decode.SkipDecoding()}
        require_whole(directory, split, content=False)
        where = f"{self.name} {split}"
        return Records(
            records,
            size=(self.shape[0], self.shape[1]),
            channels=self.shape[2],
            labelled=self.n_classes is not None,
            options={"crop": self._crop, "resampling": self._resampling, "where": where},
            failed=functools.partial(self._unreadable, directory, split),
        )

    def _unreadable(self, directory: pathlib.Path, split: str, index: int, error: Exception) -> InputError:
        """The error of an example, which names its file."""
        info = self._builder.info.splits[split]
        file = info.filenames[int(np.searchsorted(np.cumsum(info.shard_lengths), index, side="right"))]
        return damaged(directory, pathlib.Path(file).name, f"cannot be read ({str(error)[:100]})")

    def _missing(self) -> InputError:
        """The error of data that are not there, with the command that prepares them."""
        source, note = ORIGINALS.get(self.name, ("FOLDER_OR_ZIP", ""))
        shape = (None, None, 3) if self._builder is None else self._builder.info.features["image"].shape
        made_from = {
            "from": source,
            "resolution": self._size or shape[0] or "RESOLUTION",
            "channels": shape[-1] or 3,
            "crop": self._crop,
        }
        remedy = f"prepare them: {prepare_command(made_from, self._directory)}"
        if self._builder is not None and not note:
            code = f"tfds.builder({self.name!r}, data_dir={str(self._root)!r}, file_format='array_record')"
            note = f'or, where tensorflow is installed: python -c "import tensorflow_datasets as tfds; {code}'
            note += '.download_and_prepare()"'
        remedy = f"{remedy} ({note})" if note else remedy
        return InputError("data.name", self.name, f"data in {self._directory}", remedy)


def _default_root() -> pathlib.Path:
    import tensorflow_datasets as tfds

    return pathlib.Path(tfds.core.constants.DATA_DIR).expanduser()
