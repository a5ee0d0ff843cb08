"""Files of ``torch.save``, without torch: zip archives (since 1.6) and the sequence of pickles before."""

from __future__ import annotations

import zipfile
from typing import Any, BinaryIO

import numpy as np

from score_sde.interop.pickles import Handlers, read_pickle
from score_sde.interop.torch_objects import HANDLERS, Storage, storage_of

MAGIC = 0x1950A86A20F9469CFC6C  # the first pickle of a file in the older format
LEGACY = b"\x80\x02\x8a\x0a" + MAGIC.to_bytes(10, "little")  # how such a file begins
PROTOCOL = 1001


def read_torch_zip(file: BinaryIO, handlers: Handlers = HANDLERS) -> Any:
    """The object in a zip archive: ``NAME/data.pkl`` and the numbers of each storage in ``NAME/data/KEY``.

    Tensors are ``Tensor``. Members must be as torch writes them, uncompressed and side by side, so that no
    member can be larger than the file.

    Raises:
        ValueError: another archive, a damaged one, or what ``read_pickle`` refuses.
    """
    try:
        with zipfile.ZipFile(file) as archive:
            return _read_archive(archive, handlers, file.seek(0, 2))
    except (zipfile.BadZipFile, NotImplementedError, EOFError, OSError, RuntimeError) as error:
        raise ValueError(f"damaged or truncated archive: {error}") from error


def _read_archive(archive: zipfile.ZipFile, handlers: Handlers, size: int) -> Any:
    members = {info.filename: info for info in archive.infolist()}
    roots = [name.removesuffix("data.pkl") for name in members if name.count("/") == 1]
    root = next((root for root in roots if f"{root}data.pkl" in members), None)
    if root is None:
        raise ValueError("a zip archive without data.pkl: not of torch.save")
    if any(info.compress_type != zipfile.ZIP_STORED for info in members.values()):
        raise ValueError("its members are compressed, which torch.save does not")
    if sum(info.file_size for info in members.values()) > size:
        raise ValueError("its members are larger than the file")
    if f"{root}byteorder" in members and archive.read(f"{root}byteorder") != b"little":
        raise ValueError("its numbers are big-endian")
    storages: dict[str, Storage] = {}

    def find(key: str, dtype: np.dtype[Any], count: int) -> Storage:
        if key not in storages:
            if f"{root}data/{key}" not in members:
                raise ValueError(f"member data/{key[:80]} is missing")
            storages[key] = Storage(dtype, count, archive.read(f"{root}data/{key}"))
        return _same(storages[key], key, dtype, count)

    return read_pickle(archive.read(f"{root}data.pkl"), handlers, lambda ref: storage_of(ref, find))


def read_torch_legacy(file: Any, handlers: Handlers = HANDLERS) -> Any:
    """The object in a file of torch before 1.6, or of ``_use_new_zipfile_serialization=False``.

    Pickles of a magic number, a version, the writer's system, the object and the keys of its storages; then
    for each storage a count (8 bytes) and its numbers. ``file`` is a memory map or ``io.BytesIO``.

    Raises:
        ValueError: another file, a damaged one, or what ``read_pickle`` refuses.
    """
    if read_pickle(file, {}) != MAGIC or read_pickle(file, {}) != PROTOCOL:
        raise ValueError("not a file of torch.save")
    system = read_pickle(file, {})
    if type(system) is not dict or system.get("little_endian") is not True:
        raise ValueError("its numbers are big-endian")
    storages: dict[str, Storage] = {}

    def find(key: str, dtype: np.dtype[Any], count: int) -> Storage:
        return _same(storages.setdefault(key, Storage(dtype, count)), key, dtype, count)

    def referred(reference: Any) -> Any:
        if type(reference) is tuple and len(reference) == 6 and reference[5] is not None:
            raise ValueError("views of storages, which torch wrote before 0.4")
        return storage_of(reference, find)

    read = read_pickle(file, handlers, referred)
    for key in read_pickle(file, {}):
        if key not in storages:
            raise ValueError(f"numbers of an unknown storage {key!r}")
        _fill(storages[key], file)
    return read


def _fill(storage: Storage, file: Any) -> None:
    """Read the numbers of one storage, which begin with their count."""
    count = int.from_bytes(file.read(8), "little", signed=True)
    if count != storage.count:
        raise ValueError(f"a storage of {count} numbers where {storage.count} were announced")
    storage.data = file.read(count * storage.dtype.itemsize)
    if len(storage.data) < count * storage.dtype.itemsize:
        raise ValueError("the file ends inside the numbers of a tensor: it is truncated")


def _same(storage: Storage, key: str, dtype: np.dtype[Any], count: int) -> Storage:
    """The storage, which everyone must agree on and which must be as large as they say."""
    if storage.dtype != dtype or storage.count != count:
        raise ValueError(f"storage {key[:80]} is referred to as two different things")
    if storage.data is not None and len(storage.data) != count * dtype.itemsize:
        raise ValueError(f"storage {key[:80]} has {len(storage.data)} bytes, not {count * dtype.itemsize}")
    return storage
