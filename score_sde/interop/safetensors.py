"""Networks as .safetensors: parameters by dotted name, with the configuration and a checksum beside them."""

from __future__ import annotations

import json
import pathlib
import uuid
import zlib
from collections.abc import Mapping
from typing import Any, TypeVar

import jax.numpy as jnp
import numpy as np
import safetensors
from safetensors.numpy import save_file

from score_sde.errors import InputError
from score_sde.interop.base import Source, Tensors, fill, flatten
from score_sde.networks.base import partition

Network = TypeVar("Network")
TYPES = {
    "F64": np.float64, "F32": np.float32, "F16": np.float16, "BF16": jnp.bfloat16,
    "I64": np.int64, "I32": np.int32, "I16": np.int16, "I8": np.int8,
    "U64": np.uint64, "U32": np.uint32, "U16": np.uint16, "U8": np.uint8, "BOOL": np.bool_,
    "F8_E4M3": jnp.float8_e4m3fn, "F8_E5M2": jnp.float8_e5m2,
}  # fmt: skip


def save_network(path: str | pathlib.Path, network: Any, *, config: str = "") -> pathlib.Path:
    """Write every parameter of a network (or of any model that holds one), whole or not at all.

    Args:
        path: the file; replaced if it exists.
        network: the network, or any pytree that holds flax modules.
        config: what made it, as JSON (``score_sde.config.to_json``); kept as metadata ``config``.
    """
    path = pathlib.Path(path)
    arrays = {name: np.ascontiguousarray(value) for name, value in flatten(partition(network)[0])}
    metadata = {"format": "score_sde", "checksum": str(checksum(arrays)), "config": config}
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f"{path.name}.{uuid.uuid4().hex}")
    try:
        save_file(arrays, fresh, metadata)
        fresh.replace(path)
    finally:
        fresh.unlink(missing_ok=True)
    return path


def load_network(path: str | pathlib.Path, network: Network) -> Network:
    """The network with the parameters of a file that ``save_network`` wrote, in the network's own dtype.

    Raises:
        InputError: a damaged file, or tensors missing, left over or misshapen, by name.
    """
    path = pathlib.Path(path)
    try:
        tensors, _ = read_safetensors(path.read_bytes())
    except ValueError as error:
        raise InputError("safetensors file", str(path), f"one that can be read ({error})") from error
    return fill(network, {name: Source((name,)) for name, _ in flatten(partition(network)[0])}, tensors)


def read_safetensors(content: bytes) -> tuple[Tensors, dict[str, str]]:
    """Tensors by name, and the metadata.

    Raises:
        ValueError: a damaged or truncated file, or a checksum that does not fit.
    """
    try:
        found = safetensors.deserialize(content)
        header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
        tensors = {name: _array(view) for name, view in found}
    except (safetensors.SafetensorError, KeyError) as error:
        raise ValueError(f"damaged or truncated safetensors: {error}") from error
    metadata = header.get("__metadata__", {})
    if metadata.get("checksum", str(checksum(tensors))) != str(checksum(tensors)):
        raise ValueError("its checksum does not match its content")
    return tensors, metadata


def checksum(tensors: Mapping[str, np.ndarray]) -> int:
    """CRC-32 over names and bytes in the order of names: the format itself notices no flipped bit."""
    value = 0
    for name in sorted(tensors):
        value = zlib.crc32(tensors[name].tobytes(), zlib.crc32(name.encode(), value))
    return value


def _array(view: Mapping[str, Any]) -> np.ndarray:
    return np.frombuffer(view["data"], np.dtype(TYPES[view["dtype"]])).reshape(view["shape"])
