"""A folder or a zip archive of PNG and JPEG files."""

from __future__ import annotations

import io
import json
import os
import pathlib
import re
import zipfile
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from score_sde.data.base import SPLITS
from score_sde.data.images import SUFFIXES, readable
from score_sde.data.preparing.base import Originals, Part
from score_sde.errors import InputError

Read = Callable[[str], bytes]
SPLIT_FOLDERS = {**{name: name for name in SPLITS}, "valid": "validation", "val": "validation"}
LABELS = "dataset.json"
NUMBERED = re.compile(r"\d{5}")  # folders that hold a thousand images each (FFHQ, EDM's archives): no classes


def folder(path: pathlib.Path) -> Originals:
    """The images below a folder; see ``originals_of``."""
    names = [str(file.relative_to(path).as_posix()) for file in path.rglob("*") if file.is_file()]
    return originals_of(str(path), names, lambda name: (path / name).read_bytes())


def archive(path: pathlib.Path) -> Originals:
    """The images in a zip archive, as EDM's dataset_tool.py writes it, or any other; see ``originals_of``."""
    try:
        opened = zipfile.ZipFile(path)
        names = opened.namelist()
    except (zipfile.BadZipFile, OSError) as error:
        raise InputError("--from", str(path), f"a readable zip archive ({error})") from error

    def read(name: str) -> bytes:
        try:
            return opened.read(name)
        except (zipfile.BadZipFile, RuntimeError, NotImplementedError, EOFError) as error:
            place = f"{path}:{name}"
            raise InputError("image", place, f"a readable member of the archive ({error})") from error

    return originals_of(str(path), names, read)


def originals_of(where: str, names: Sequence[str], read: Read) -> Originals:
    """Image files by their relative names, in sorted order.

    Folders ``train``, ``validation`` and ``test`` at the top are splits. Labels are those of ``dataset.json``
    (``{"labels": [[name, class], ...]}``, as EDM's archives have it) where there is one; else folders below
    are classes in alphabetical order, if there are several and their names are not numbers of five digits.
    """
    images = sorted(name for name in names if _is_image(name))
    if not images:
        raise InputError("--from", where, "PNG or JPEG files in it", "check the path")
    given = _given_labels(where, names, read)
    short = _without_common(images)
    splits = [_split(name) for name in short]
    if "train" not in splits or "" in splits:
        splits = ["train"] * len(images)
    else:
        short = [name.partition("/")[2] for name in short]
    if given is None:
        labels, classes = _folder_labels(where, short)
        n_classes = None if classes is None else len(classes)
    else:
        labels, classes = _looked_up(where, images, given), None
        n_classes = int(labels.max()) + 1
    parts = {}
    for split in (name for name in SPLITS if name in splits):
        chosen = [i for i, its in enumerate(splits) if its == split]
        its_labels = None if labels is None else labels[chosen]
        parts[split] = _part(where, [images[i] for i in chosen], read, its_labels)
    return Originals(parts, n_classes, classes)


def _is_image(name: str) -> bool:
    hidden = any(part.startswith((".", "__MACOSX")) for part in pathlib.PurePosixPath(name).parts)
    return name.lower().endswith(SUFFIXES) and not hidden


def _without_common(names: Sequence[str]) -> list[str]:
    """Names relative to the deepest folder that holds them all."""
    common = os.path.commonpath([os.path.dirname(name) for name in names]) if len(names) else ""
    return [os.path.relpath(name, common or ".") for name in names]


def _split(name: str) -> str:
    return SPLIT_FOLDERS.get(name.partition("/")[0].lower(), "") if "/" in name else ""


def _part(where: str, names: list[str], read: Read, labels: np.ndarray | None) -> Part:
    from PIL import Image

    def opened(index: int) -> Any:
        place = f"{where}/{names[index]}"
        content = io.BytesIO(read(names[index]))
        with readable(place):
            return Image.open(content)

    return Part(opened, names, labels)


def _folder_labels(where: str, names: Sequence[str]) -> tuple[np.ndarray | None, list[str] | None]:
    tops = [name.partition("/")[0] if "/" in name else "" for name in names]
    classes = sorted(set(tops))
    if len(classes) == 1 or all(NUMBERED.fullmatch(name) for name in classes):
        return None, None
    if "" in classes:
        expected = "every image in a class folder, or none"
        raise InputError("--from", where, expected, f"move the images beside {', '.join(classes[1:4])}")
    return np.searchsorted(classes, tops).astype(np.int64), classes


def _given_labels(where: str, names: Sequence[str], read: Read) -> Mapping[str, Any] | None:
    """The labels of ``dataset.json``, by file name; None where there is none, or it has none."""
    if LABELS not in names:
        return None
    try:
        labels = json.loads(read(LABELS))["labels"]
        return None if labels is None else dict(labels)
    except (ValueError, KeyError, TypeError) as error:
        expected = f'{{"labels": [[file name, class], ...]}} ({type(error).__name__}: {error})'
        raise InputError(f"{LABELS} in {where}", LABELS, expected) from error


def _looked_up(where: str, images: Sequence[str], given: Mapping[str, Any]) -> np.ndarray:
    labels = [given.get(name) for name in images]
    for name, label in zip(images, labels, strict=True):
        if not isinstance(label, int) or isinstance(label, bool) or label < 0:
            raise InputError(f"label of {name} in {where}", label, "a class, an integer from 0")
    return np.array(labels, np.int64)
