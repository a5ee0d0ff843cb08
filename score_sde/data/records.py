"""Images that are stored one by one in random-access files: decoded as they are read, or once for all."""

from __future__ import annotations

import functools
import io
import os
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from score_sde.data.base import ArraySource, Example, Indices, Source
from score_sde.data.images import fitted, picture
from score_sde.data.streaming import StreamedBatches

LARGE = 128**2  # pixels: decoding smaller images holds the interpreter longer than it lets go of it
CHUNK = 1024  # examples decoded between two looks at the clock
SECONDS = 2.0  # between lines of progress


class Records(Source):
    """Images by number, from a data source of tensorflow-datasets; ``StreamedBatches`` reads them ahead.

    Args:
        records: examples by index: ``image`` as the bytes of an image file or as an array, and ``label``.
        size: height and width that images are given.
        channels: 1 or 3.
        labelled: whether examples have a ``label``.
        options: of ``images.fitted``: ``crop``, ``resampling``, ``where``.
        failed: the error of an example (its index, what happened) that cannot be read.
    """

    batches_type = StreamedBatches

    def __init__(
        self,
        records: Sequence[Any],
        *,
        size: tuple[int, int],
        channels: int,
        labelled: bool,
        options: dict[str, Any],
        failed: Callable[[int, Exception], Exception],
    ) -> None:
        self._records, self._size, self._channels = records, size, channels
        self._labelled, self._options, self._failed = labelled, options, failed

    def __len__(self) -> int:
        return len(self._records)

    def __getitem__(self, index: int) -> Example:
        try:
            record = self._records[int(index)]
            image = opened(record["image"])
        except Exception as error:  # the libraries below raise a dozen kinds for damaged files
            raise self._failed(int(index), error) from error
        example: Example = {"x": fitted(image, self._size, self._channels, **self._options)}
        return example | {"label": np.int32(record["label"])} if self._labelled else example

    def batch(self, indices: Indices) -> Example:
        """Large images are decoded by several threads."""
        if self._size[0] * self._size[1] < LARGE:
            return super().batch(indices)
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            examples = list(pool.map(self.__getitem__, map(int, indices)))
        return {name: np.stack([example[name] for example in examples]) for name in examples[0]}


class Held(Source):
    """Another source whose examples are all read at the first use, and kept."""

    def __init__(self, source: Source, name: str) -> None:
        self._source, self._name = source, name

    def __len__(self) -> int:
        return len(self._source)

    def __getitem__(self, index: int) -> Example:
        return self._arrays[index]

    def batch(self, indices: Indices) -> Example:
        """A gather."""
        return self._arrays.batch(indices)

    @functools.cached_property
    def _arrays(self) -> ArraySource:
        return ArraySource(**read_all(self._source, self._name))


def read_all(source: Source, name: str) -> Example:
    """All examples, stacked; says now and then how many are left."""
    began = printed = time.monotonic()
    arrays: Example = {}
    for start in range(0, len(source), CHUNK):
        stop = min(start + CHUNK, len(source))
        for key, values in source.batch(np.arange(start, stop)).items():
            arrays.setdefault(key, np.empty((len(source), *values.shape[1:]), values.dtype))[start:stop] = (
                values
            )
        now = time.monotonic()
        if now - printed > SECONDS:
            left = (now - began) / stop * (len(source) - stop)
            print(f"{name}: {stop:,} of {len(source):,} decoded, {left:.0f} s left", flush=True)
            printed = now
    return arrays


def opened(image: Any) -> Any:
    """A Pillow image from the bytes of a file, or from an array."""
    from PIL import Image

    return Image.open(io.BytesIO(image)) if isinstance(image, bytes) else picture(np.asarray(image))
