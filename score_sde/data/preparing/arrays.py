"""Data sets whose authors give all pixels in a few files: MNIST's idx files and CIFAR-10's binary version."""

from __future__ import annotations

import gzip
import pathlib
import re
import tarfile
import zlib
from collections.abc import Mapping

import numpy as np

from score_sde.data.images import picture
from score_sde.data.preparing.base import Originals, Part
from score_sde.errors import InputError

IDX = re.compile(r"(train|t10k|test)[-_]images[-_.]idx3[-_.]ubyte(\.gz)?")
CIFAR = ("data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin", "data_batch_5.bin")
CIFAR_TEST = ("test_batch.bin",)
PER_FILE = 10_000  # examples
RECORD = 1 + 32 * 32 * 3  # bytes of an example: its class, then a red, a green and a blue plane


def idx_files(path: pathlib.Path) -> list[pathlib.Path]:
    """The idx files of images in a folder, under their official names, packed or not."""
    return [file for file in sorted(path.iterdir()) if IDX.fullmatch(file.name)]


def idx(path: pathlib.Path) -> Originals:
    """MNIST, Fashion-MNIST and their like: ``train-images-idx3-ubyte.gz`` and the three files beside it."""
    parts = {}
    for file in idx_files(path):
        images = read_idx(file, dimensions=3)[..., None]
        labels_file = file.with_name(file.name.replace("images", "labels").replace("idx3", "idx1"))
        labels = read_idx(labels_file, dimensions=1) if labels_file.is_file() else None
        if labels is not None and len(labels) != len(images):
            raise InputError(f"labels in {labels_file}", len(labels), f"{len(images)}, one for each image")
        parts["train" if file.name.startswith("train") else "test"] = _part(images, labels)
    return _originals(path, parts)


def read_idx(file: pathlib.Path, *, dimensions: int) -> np.ndarray:
    """Bytes in the idx format (http://yann.lecun.com/exdb/mnist): a magic number, sizes, values."""
    try:
        packed = file.read_bytes()
        content = gzip.decompress(packed) if file.suffix == ".gz" else packed
    except (OSError, EOFError, zlib.error) as error:
        raise _damaged(file, str(error)) from error
    if content[:4] != bytes([0, 0, 8, dimensions]):
        raise _damaged(file, f"it begins with {content[:4].hex()}")
    shape = np.frombuffer(content, ">u4", dimensions, 4).astype(int)
    values = np.frombuffer(content, np.uint8, offset=4 + 4 * dimensions)
    if values.size != shape.prod():
        raise _damaged(file, f"{values.size} values for {shape.prod()}")
    return values.reshape(shape)


def cifar10(path: pathlib.Path) -> Originals:
    """The binary version of CIFAR-10: a folder of ``*.bin`` files, or ``cifar-10-binary.tar.gz`` unopened."""
    files = _cifar_files(path)
    missing = [name for name in (*CIFAR, *CIFAR_TEST) if name not in files]
    if missing:
        remedy = "take cifar-10-binary.tar.gz of https://www.cs.toronto.edu/~kriz/cifar.html"
        raise InputError(
            "--from", str(path), f"the binary version of CIFAR-10 ({missing[0]} is missing)", remedy
        )
    parts = {}
    for split, names in (("train", CIFAR), ("test", CIFAR_TEST)):
        content = b"".join(files[name] for name in names)
        if len(content) != len(names) * PER_FILE * RECORD:
            raise InputError("--from", str(path), f"{PER_FILE} examples in each of {', '.join(names)}")
        records = np.frombuffer(content, np.uint8).reshape(-1, RECORD)
        images = records[:, 1:].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)
        parts[split] = _part(images, records[:, 0])
    return _originals(path, parts)


def _cifar_files(path: pathlib.Path) -> dict[str, bytes]:
    if path.is_dir():
        return {file.name: file.read_bytes() for file in path.glob("*.bin")}
    try:
        with tarfile.open(path) as opened:
            members = {pathlib.PurePosixPath(m.name).name: m for m in opened if m.name.endswith(".bin")}
            files = {name: opened.extractfile(member) for name, member in members.items() if member.isfile()}
            return {name: stream.read() for name, stream in files.items() if stream is not None}
    except (tarfile.TarError, OSError, EOFError, zlib.error) as error:
        raise InputError("--from", str(path), f"a readable tar archive ({error})") from error


def _part(images: np.ndarray, labels: np.ndarray | None) -> Part:
    names = [str(i) for i in range(len(images))]
    given = None if labels is None else labels.astype(np.int64)
    return Part(lambda i: picture(np.ascontiguousarray(images[i])), names, given)


def _originals(path: pathlib.Path, parts: Mapping[str, Part]) -> Originals:
    if "train" not in parts:
        raise InputError("--from", str(path), "training images (train-images-idx3-ubyte.gz)", "add the file")
    labels = [part.labels for part in parts.values() if part.labels is not None]
    if labels and len(labels) < len(parts):
        raise InputError("--from", str(path), "labels of every split, or of none", "add the file")
    ordered = {split: parts[split] for split in ("train", "test") if split in parts}
    return Originals(ordered, max(int(its.max()) for its in labels) + 1 if labels else None)


def _damaged(file: pathlib.Path, what: str) -> InputError:
    return InputError("--from", str(file), f"a readable idx file of bytes ({what})", "fetch it again")
