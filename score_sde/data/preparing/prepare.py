"""``--mode=prepare``: pictures become array_record files, which are read by index."""

from __future__ import annotations

import contextlib
import fcntl
import io
import os
import pathlib
import re
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from score_sde.data.images import checked_channels, fitted, picture
from score_sde.data.preparing.arrays import cifar10, idx, idx_files
from score_sde.data.preparing.base import Originals, Part
from score_sde.data.preparing.files import archive, folder
from score_sde.data.shards import Shard, fault, read_journal, seal, write_journal
from score_sde.errors import InputError

SHARD_BYTES = 2**28  # of pixels in a shard
SHARD_EXAMPLES = 4096  # at most: what a killed run does again
SECONDS = 2.0  # between lines of progress


def prepare(
    source: str,
    to: str,
    resolution: int,
    *,
    channels: int = 3,
    crop: int | None = None,
    shard_bytes: int = SHARD_BYTES,
) -> pathlib.Path:
    """Write the data set at ``to``, for ``score_sde.data.TFDS``, from the pictures at ``source``.

    ``source``: a folder or zip of PNG and JPEG files (``preparing.files``; class folders or EDM's
    ``dataset.json`` give labels), a folder of MNIST's idx files, or CIFAR-10's binary version. Pictures are
    cropped (first to the central square of side ``crop``, if given, then to a square) and resized to
    ``resolution`` by Lanczos' filter where they have another size, and stored as PNG without further loss.

    A shard appears under its name when it is complete, with its checksum in ``shards.json``. The same
    command again goes on after a kill, and makes again what is missing or damaged.

    Returns the directory, which ``tfds.builder_from_directory`` reads too.

    Raises:
        InputError: pictures that cannot be read; a directory that is in use or holds another data set.
    """
    if resolution < 1:
        raise InputError("--resolution", resolution, "a positive number of pixels")
    checked_channels(channels)
    directory, originals = pathlib.Path(to).expanduser(), open_originals(source)
    directory.mkdir(parents=True, exist_ok=True)
    with _locked(directory):
        made_from = {
            "from": source,
            "name": re.sub(r"\W", "_", directory.absolute().name),
            "resolution": resolution,
            "channels": channels,
            "crop": crop,
            "fingerprint": originals.fingerprint(),
            "examples_per_shard": max(1, min(SHARD_EXAMPLES, shard_bytes // (resolution**2 * channels))),
        }
        journal = _journal(directory, made_from)
        _write_shards(directory, originals, plan(originals, journal["made_from"]), journal)
        write_metadata(directory, originals, journal)
    print(f"prepared {_counts(originals)} of {resolution}x{resolution}x{channels} in {directory}")
    return directory


def open_originals(source: str) -> Originals:
    """Whatever is at a path; InputError where that is nothing of use."""
    path = pathlib.Path(source).expanduser()
    if path.is_dir():
        if idx_files(path):
            return idx(path)
        return cifar10(path) if (path / "data_batch_1.bin").is_file() else folder(path)
    if path.is_file() and path.suffix.lower() == ".zip":
        return archive(path)
    if path.is_file() and path.name.lower().endswith((".tar.gz", ".tgz", ".tar")):
        return cifar10(path)
    expected = "a folder or zip of images, a folder of idx files, or cifar-10-binary.tar.gz"
    raise InputError("--from", source, expected, "check the spelling of the path")


def plan(originals: Originals, made_from: Mapping[str, Any]) -> list[Shard]:
    """The shards of a data set, under the names that tensorflow-datasets knows."""
    prefix, per_shard = made_from["name"], made_from["examples_per_shard"]
    shards = []
    for split, part in originals.parts.items():
        count = -(-len(part.names) // per_shard)
        for i in range(count):
            file = f"{prefix}-{split}.array_record-{i:05d}-of-{count:05d}"
            stop = min((i + 1) * per_shard, len(part.names))
            shards.append(Shard(split, file, i * per_shard, stop))
    return shards


def _journal(directory: pathlib.Path, made_from: Mapping[str, Any]) -> dict[str, Any]:
    """The journal of this data set, new or of a run before; InputError where another set is here."""
    journal = read_journal(directory)
    known = journal.get("made_from")
    same = [name for name in made_from if name not in ("from", "name")]  # these may have been moved
    if known is not None and any(known.get(name) != made_from[name] for name in same):
        expected = f"a directory without another data set (it holds that of {known.get('from')})"
        raise InputError("--to", str(directory), expected, "choose another, or remove it")
    if known is None and (directory / "dataset_info.json").is_file():
        raise InputError("--to", str(directory), "a directory without another data set", "choose another")
    name = (known or made_from)["name"]
    return {"made_from": {**made_from, "name": name}, "shards": journal.get("shards", {})}


def _write_shards(
    directory: pathlib.Path, originals: Originals, shards: list[Shard], journal: dict[str, Any]
) -> None:
    missing, here = [], journal["shards"]
    for shard in shards:
        wrong = (
            fault(directory / shard.file, here[shard.file], content=True) if shard.file in here else "is new"
        )
        if wrong:
            missing.append(shard)
            if shard.file in here:
                print(f"{shard.file} {wrong}: it is made again", flush=True)
    if here and missing:
        print(f"prepare: {len(shards) - len(missing)} of {len(shards)} shards are there", flush=True)
    progress = _Progress(sum(shard.stop - shard.start for shard in missing))
    features = _features(originals, journal["made_from"])
    with ThreadPoolExecutor() as pool:
        for shard in missing:
            records = _records(shard, originals.parts[shard.split], journal["made_from"], features, pool)
            write_shard(directory / shard.file, progress.counted(records))
            here[shard.file] = {"split": shard.split} | seal(directory / shard.file, shard.stop - shard.start)
            write_journal(directory, journal)


def _records(
    shard: Shard, part: Part, made_from: Mapping[str, Any], features: Any, pool: ThreadPoolExecutor
) -> Iterator[bytes]:
    """Serialised examples of a shard, in their order; Pillow lets the threads work at once."""
    size = (made_from["resolution"],) * 2

    def example(index: int) -> bytes:
        with part.open(index) as opened:
            pixels = fitted(
                opened, size, made_from["channels"], crop=made_from["crop"], where=part.names[index]
            )
        content: dict[str, Any] = {"image": as_png(pixels)}
        if part.labels is not None:
            content["label"] = int(part.labels[index])
        return features.serialize_example(content)

    return pool.map(example, range(shard.start, shard.stop))


def as_png(pixels: Any) -> bytes:
    """A PNG file of uint8 (height, width, channels)."""
    content = io.BytesIO()
    picture(pixels).save(content, "PNG")
    return content.getvalue()


def write_shard(file: pathlib.Path, records: Iterator[bytes]) -> None:
    """An array_record file, which gets its name when it is complete and on the disk."""
    from array_record.python.array_record_module import ArrayRecordWriter

    unfinished = file.with_name(f".{file.name}")
    writer = ArrayRecordWriter(str(unfinished), "group_size:1")
    try:
        for record in records:
            writer.write(record)
    finally:
        writer.close()
    with open(unfinished, "rb") as written:
        os.fsync(written.fileno())
    os.replace(unfinished, file)


def _features(originals: Originals, made_from: Mapping[str, Any]) -> Any:
    import tensorflow_datasets as tfds

    shape = (made_from["resolution"], made_from["resolution"], made_from["channels"])
    features: dict[str, Any] = {"image": tfds.features.Image(shape=shape, encoding_format="png")}
    if originals.classes is not None:
        features["label"] = tfds.features.ClassLabel(names=list(originals.classes))
    elif originals.n_classes is not None:
        features["label"] = tfds.features.ClassLabel(num_classes=originals.n_classes)
    return tfds.features.FeaturesDict(features)


def write_metadata(directory: pathlib.Path, originals: Originals, journal: Mapping[str, Any]) -> None:
    """``dataset_info.json`` and ``features.json``, as tensorflow-datasets wants them."""
    import tensorflow_datasets as tfds

    splits = []
    for split in originals.parts:
        entries = [entry for _, entry in sorted(journal["shards"].items()) if entry["split"] == split]
        lengths = [entry["examples"] for entry in entries]
        bytes_ = sum(entry["bytes"] for entry in entries)
        splits.append(tfds.core.SplitInfo(name=split, shard_lengths=lengths, num_bytes=bytes_))
    tfds.folder_dataset.write_metadata(
        data_dir=str(directory),
        features=_features(originals, journal["made_from"]),
        split_infos=splits,
        version="1.0.0",
        check_data=False,
    )


class _Progress:
    """A line now and then: images done, and the time that is left."""

    def __init__(self, total: int) -> None:
        self._total, self._done = total, 0
        self._began = self._printed = time.monotonic()

    def counted(self, records: Iterator[bytes]) -> Iterator[bytes]:
        """The same records, each of which counts."""
        for record in records:
            self._done += 1
            now = time.monotonic()
            if now - self._printed > SECONDS or (self._done == self._total and self._printed > self._began):
                speed = self._done / (now - self._began)
                left = (self._total - self._done) / speed
                print(
                    f"prepare: {self._done:,} of {self._total:,} images, {speed:,.0f}/s, {left:.0f} s left",
                    flush=True,
                )
                self._printed = now
            yield record


@contextlib.contextmanager
def _locked(directory: pathlib.Path) -> Iterator[None]:
    """The directory is this process's; the lock is the kernel's and goes with the process."""
    with open(directory / ".lock", "a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            expected = "a directory that no other process prepares"
            raise InputError("--to", str(directory), expected, "wait for it or end it") from error
        yield


def _counts(originals: Originals) -> str:
    return ", ".join(f"{len(part.names):,} {split}" for split, part in originals.parts.items()) + " images"
