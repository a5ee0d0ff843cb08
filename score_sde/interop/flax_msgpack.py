"""Checkpoints of ``flax.training.checkpoints`` (``flax.serialization``), which are msgpack, without flax."""

from __future__ import annotations

from typing import Any

import msgpack
import numpy as np

from score_sde.interop.torch_objects import DTYPES

ARRAY, COMPLEX, SCALAR = 1, 2, 3  # flax's extension types
CHUNKED = "__msgpack_chunked_array__"
LONGEST = 1000  # of a list: flax writes lists and tuples as dictionaries, and only shapes as lists


def read_flax_msgpack(content: bytes) -> Any:
    """Nested dictionaries of arrays, numbers and text.

    Arrays are an extension of (shape, name of the type, bytes); those above 1 GiB are dictionaries of chunks.

    Raises:
        ValueError: a damaged or truncated file, or another one.
    """
    try:
        tree = msgpack.unpackb(
            content, ext_hook=_extension, raw=False, strict_map_key=False, max_array_len=LONGEST
        )
        return _unchunked(tree)
    except (msgpack.exceptions.UnpackException, ValueError, TypeError, KeyError, RecursionError) as error:
        raise ValueError(f"damaged or truncated msgpack: {error or type(error).__name__}") from error


def _extension(code: int, data: bytes) -> Any:
    if code == COMPLEX:
        return complex(*msgpack.unpackb(data, max_array_len=2))
    if code not in (ARRAY, SCALAR):
        raise ValueError(f"an extension of type {code}, which flax does not write")
    shape, kind, numbers = msgpack.unpackb(data, raw=True, max_array_len=LONGEST)
    if kind.decode() not in DTYPES:
        raise ValueError(f"numbers of an unknown type {kind!r}")
    array = np.frombuffer(numbers, np.dtype(DTYPES[kind.decode()])).reshape(shape)
    return array if code == ARRAY else array[()]


def _unchunked(tree: Any) -> Any:
    if not isinstance(tree, dict):
        return tree
    if CHUNKED not in tree:
        return {str(name): _unchunked(value) for name, value in tree.items()}
    return np.concatenate(_items(tree["chunks"])).reshape(_items(tree["shape"]))


def _items(numbered: dict[str, Any]) -> list[Any]:
    """A list or tuple as flax writes it, ``{"0": ..., "1": ...}``."""
    return [numbered[str(index)] for index in range(len(numbered))]
