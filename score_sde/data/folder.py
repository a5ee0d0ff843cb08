"""A folder of PNG or JPEG files."""

from __future__ import annotations

import pathlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from score_sde.data.base import SPLITS, ArraySource, Dataset, Example, Indices, Source, Subset
from score_sde.data.images import SUFFIXES, checked_channels, checked_size, read_image
from score_sde.data.splits import divide
from score_sde.data.streaming import StreamedBatches
from score_sde.dequantization import UniformDequantization
from score_sde.errors import InputError


class FolderSource(Source):
    """Images decoded when they are read, a batch at a time by several threads."""

    batches_type = StreamedBatches

    def __init__(
        self, files: Sequence[pathlib.Path], labels: np.ndarray | None, size: tuple[int, int], channels: int
    ) -> None:
        self._files, self._labels = list(files), labels
        self._size, self._channels = size, channels

    def __len__(self) -> int:
        return len(self._files)

    def __getitem__(self, index: int) -> Example:
        example: Example = {"x": read_image(self._files[index], self._size, self._channels)}
        return example if self._labels is None else example | {"label": self._labels[index]}

    def batch(self, indices: Indices) -> Example:
        """Decode in threads: Pillow lets the interpreter run on while it works."""
        with ThreadPoolExecutor() as pool:
            examples = list(pool.map(self.__getitem__, map(int, indices)))
        return {name: np.stack([example[name] for example in examples]) for name in examples[0]}


class ImageFolder(Dataset):
    """PNG and JPEG files as 8-bit images of one size, cropped to its aspect about the centre and resized.

    The folder may hold ``train`` and optionally ``validation`` and ``test`` folders; missing splits are
    taken out of the training part by ``seed``. Sub-folders below are classes, numbered alphabetically.

    Args:
        path: the folder.
        size: height and width in pixels, or one number for a square.
        channels: 1 (grey) or 3 (colour).
        validation: fraction taken for validation where there is no such folder.
        test: fraction taken for test where there is no such folder.
        seed: seed of the division.
        memory: bytes of decoded images up to which they are decoded once and held; a larger
            folder is decoded as it is read.

    Raises:
        InputError: folder missing or without images, an unreadable or more-than-8-bit image.
    """

    def __init__(
        self,
        *,
        path: str,
        size: int | Sequence[int],
        channels: int = 3,
        validation: float = 0.1,
        test: float = 0.1,
        seed: int = 0,
        memory: int = 2**30,
    ) -> None:
        height_width, channels = checked_size(size), checked_channels(channels)
        parts = _files_by_split(path)
        files, folders = zip(*(pair for part in parts.values() for pair in part), strict=True)
        labels, n_classes = _labels(path, folders)
        indices = divide(
            {name: len(part) for name, part in parts.items()}, validation=validation, test=test, seed=seed
        )
        source: Source = FolderSource(files, labels, height_width, channels)
        shape = (*height_width, channels)
        if len(files) * int(np.prod(shape)) <= memory:
            source = ArraySource(**source.arrays())
        splits = {name: Subset(source, part) for name, part in indices.items()}
        super().__init__(
            shape=shape, units=UniformDequantization(levels=256), splits=splits, n_classes=n_classes
        )


def _files_by_split(path: str) -> dict[str, list[tuple[pathlib.Path, str]]]:
    root = pathlib.Path(path)
    if not root.is_dir():
        raise InputError("data.path", path, "a folder of PNG or JPEG files", "check the spelling of the path")
    if (root / "train").is_dir():
        parts = {name: _images(root / name) for name in SPLITS if (root / name).is_dir()}
    else:
        parts = {"train": _images(root)}
    for name, files in parts.items():
        if not files:
            raise InputError("data.path", path, f"PNG or JPEG files in its {name} part", "add some")
    return parts


def _images(folder: pathlib.Path) -> list[tuple[pathlib.Path, str]]:
    """Image files in a fixed order, each with the sub-folder (class) it lies in, or an empty name."""
    files = sorted(file for file in folder.rglob("*") if file.suffix.lower() in SUFFIXES)
    return [(file, file.relative_to(folder).parts[0] if file.parent != folder else "") for file in files]


def _labels(path: str, folders: Sequence[str]) -> tuple[np.ndarray | None, int | None]:
    names = sorted(set(folders))
    if names == [""]:
        return None, None
    if "" in names:
        expected = "every image in a class folder, or none"
        raise InputError("data.path", path, expected, f"move the images beside {', '.join(names[1:])}")
    return np.searchsorted(names, folders).astype(np.int32), len(names)
