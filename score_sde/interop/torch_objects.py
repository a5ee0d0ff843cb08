"""PyTorch's tensors as its pickles describe them: storages, views into them, the names that build them."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np

from score_sde.interop.pickles import Handler, Name, record

DTYPES = {
    "float64": np.float64, "float32": np.float32, "float16": np.float16, "bfloat16": jnp.bfloat16,
    "int64": np.int64, "int32": np.int32, "int16": np.int16, "int8": np.int8, "uint8": np.uint8,
    "uint16": np.uint16, "uint32": np.uint32, "uint64": np.uint64, "bool": np.bool_,
    "complex64": np.complex64, "complex128": np.complex128,
    "float8_e4m3fn": jnp.float8_e4m3fn, "float8_e5m2": jnp.float8_e5m2,
}  # fmt: skip
STORAGES = {
    "DoubleStorage": "float64", "FloatStorage": "float32", "HalfStorage": "float16",
    "BFloat16Storage": "bfloat16", "LongStorage": "int64", "IntStorage": "int32", "ShortStorage": "int16",
    "CharStorage": "int8", "ByteStorage": "uint8", "BoolStorage": "bool", "UntypedStorage": "uint8",
    "ComplexFloatStorage": "complex64", "ComplexDoubleStorage": "complex128",
}  # fmt: skip
MAX_AXES = 32


@dataclasses.dataclass
class Storage:
    """Numbers in a row; ``data`` are their bytes, found after the pickle that refers to them was read."""

    dtype: np.dtype[Any]
    count: int
    data: Any = None

    def array(self) -> np.ndarray:
        """All numbers, without a copy."""
        if self.data is None:
            raise ValueError("the numbers of a tensor are not in the file")
        return np.frombuffer(self.data, self.dtype, self.count)


class Tensor(NamedTuple):
    """A view into a storage: ``storage[offset + sum_k i_k strides_k]``, all counted in numbers."""

    storage: Storage
    dtype: np.dtype[Any]
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]

    def array(self) -> np.ndarray:
        """The numbers, without a copy.

        Raises:
            ValueError: the view reaches beyond its storage, or is larger than it.
        """
        if math.prod(self.shape) == 0:
            return np.zeros(self.shape, self.dtype)
        flat = self.storage.array()
        flat = flat if flat.dtype == self.dtype else flat.view(self.dtype)
        reach = self.offset + sum((n - 1) * step for n, step in zip(self.shape, self.strides, strict=True))
        if reach >= flat.size or math.prod(self.shape) > flat.size:
            raise ValueError(
                f"a tensor of shape {self.shape}, strides {self.strides} at {self.offset} does not fit in its"
                f" storage of {flat.size} numbers"
            )
        strides = [step * self.dtype.itemsize for step in self.strides]
        return np.lib.stride_tricks.as_strided(flat[self.offset :], self.shape, strides, writeable=False)


def rebuild_tensor(storage: Any, offset: Any, shape: Any, strides: Any, *_: Any) -> Tensor:
    """``torch._utils._rebuild_tensor_v2``; what follows says only how gradients were treated."""
    if type(storage) is not Storage:
        raise ValueError("a tensor without a storage")
    return _tensor(storage, storage.dtype, offset, shape, strides)


def rebuild_typed_tensor(
    storage: Any, offset: Any, shape: Any, strides: Any, grad: Any, hooks: Any, dtype: Any, *_: Any
) -> Tensor:
    """``torch._utils._rebuild_tensor_v3``: the storage holds bytes, the type is said beside it."""
    if type(storage) is not Storage:
        raise ValueError("a tensor without a storage")
    return _tensor(storage, _type_named(dtype), offset, shape, strides)


def _tensor(storage: Storage, dtype: np.dtype[Any], offset: Any, shape: Any, strides: Any) -> Tensor:
    shape, strides = tuple(shape), tuple(strides)
    numbers = (offset, *shape, *strides)
    if not all(type(number) is int and 0 <= number < 2**62 for number in numbers):
        raise ValueError("a tensor whose shape, strides or offset are not counts")
    if len(shape) != len(strides) or len(shape) > MAX_AXES:
        raise ValueError(f"a tensor of {len(shape)} axes with {len(strides)} strides")
    return Tensor(storage, dtype, offset, shape, strides)


def storage_of(reference: Any, find: Callable[[str, np.dtype[Any], int], Storage]) -> Storage:
    """The storage that a persistent reference ``("storage", type, key, location, count, ...)`` means."""
    if type(reference) is not tuple or len(reference) < 5 or reference[0] != "storage":
        raise ValueError("it refers to something that is not a storage")
    _, kind, key, _, count = reference[:5]
    if type(key) is not str or type(count) is not int or not 0 <= count < 2**62:
        raise ValueError("a storage without key or size")
    return find(key, _type_named(kind), count)


def _type_named(name: Any) -> np.dtype[Any]:
    """The type of numbers that ``torch.FloatStorage`` or ``torch.float32`` means."""
    last = name.name.rpartition(".")[2] if type(name) is Name else ""
    known = STORAGES.get(last, last)
    if known not in DTYPES:
        raise ValueError("numbers of an unknown type")
    return np.dtype(DTYPES[known])


def _first(value: Any, *_: Any) -> Any:
    return value


def _encoded(text: Any, encoding: Any) -> bytes:
    """Bytes as protocol 2 writes them: text of as many letters."""
    if type(text) is not str or encoding != "latin1":
        raise ValueError("bytes in an unknown spelling")
    return text.encode("latin1")


def _nothing(*_: Any) -> dict[Any, Any]:
    """An empty dictionary: items of ordered and default dictionaries follow it."""
    return {}


_KINDS = [*(f"{room}{kind}" for room in ("", "storage.", "cuda.") for kind in STORAGES), *DTYPES]

HANDLERS: dict[str, Handler] = {
    "collections.OrderedDict": _nothing,
    "collections.defaultdict": _nothing,
    "builtins.set": _first,
    "__builtin__.set": _first,
    "builtins.dict": _nothing,
    "__builtin__.dict": _nothing,
    "_codecs.encode": _encoded,
    "argparse.Namespace": record("argparse.Namespace"),
    "torch.Size": _first,
    "torch.device": record("torch.device"),
    "torch._utils._rebuild_parameter": _first,
    "torch._utils._rebuild_tensor": rebuild_tensor,
    "torch._utils._rebuild_tensor_v2": rebuild_tensor,
    "torch._utils._rebuild_tensor_v3": rebuild_typed_tensor,
    "numpy.dtype": record("numpy.dtype"),
    "numpy.ndarray": record("numpy.ndarray"),
    "numpy.core.multiarray.scalar": record("numpy.scalar"),
    "numpy._core.multiarray.scalar": record("numpy.scalar"),
    "numpy.core.multiarray._reconstruct": record("numpy.array"),
    "numpy._core.multiarray._reconstruct": record("numpy.array"),
    **{f"torch.{kind}": record(kind) for kind in _KINDS},  # named only; see _type_named
}
