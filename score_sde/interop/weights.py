"""Files of weights, recognised by content: tensors as trained, their averages, what is said of them."""

from __future__ import annotations

import mmap
import pathlib
from collections.abc import Callable, Mapping
from typing import Any, BinaryIO, NamedTuple

import numpy as np

from score_sde.errors import InputError
from score_sde.interop.base import Tensors
from score_sde.interop.edm_pickle import EDM_HANDLERS, is_module, module_facts, module_tensors
from score_sde.interop.flax_msgpack import read_flax_msgpack
from score_sde.interop.moments import Moments, flax_moments, torch_moments
from score_sde.interop.pickles import read_pickle
from score_sde.interop.safetensors import read_safetensors
from score_sde.interop.torch_objects import Tensor
from score_sde.interop.torch_zip import LEGACY, read_torch_legacy, read_torch_zip
from score_sde.interop.values import array, require_bounded

_MSGPACK_MAPS = {*range(0x81, 0x90), 0xDE, 0xDF}
SIGMAS = "sigmas"  # the only buffer of score_sde_pytorch's networks
FORMATS = "a checkpoint of PyTorch, an EDM pickle, a Flax msgpack or safetensors"


class Weights(NamedTuple):
    """What a file of weights holds.

    Attributes:
        tensors: the parameters by their original names, as training left them.
        averages: their moving averages under the same names; the parameters themselves where there are none.
        step: updates made, where the file says so, else 0.
        facts: what else the file says of the network, such as the options of an EDM network.
        moments: Adam's, if the file has them.
    """

    tensors: Tensors
    averages: Tensors
    step: int = 0
    facts: Mapping[str, Any] = {}
    moments: Moments | None = None


def read_weights(path: str | pathlib.Path) -> Weights:
    """The weights in a file, whatever its name; nothing that the file says is executed.

    Raises:
        InputError: no such file; an unknown, damaged or truncated one; one that holds more than data.
    """
    path = pathlib.Path(path)
    if not path.is_file():
        raise InputError("file of weights", str(path), "a file that exists", "check the path")
    try:
        with path.open("rb") as file:
            return _weights(file)
    except Exception as error:  # whatever a hostile file brings about is a fault of the file
        reason = " ".join(str(error).split())[:300] or type(error).__name__
        raise InputError("file of weights", str(path), FORMATS, reason) from error


def _weights(file: BinaryIO) -> Weights:
    """By how the file begins; 0x80 is an empty map in msgpack, and the beginning of pickles."""
    head = file.read(16)
    if head.startswith(b"PK"):
        return understood(read_torch_zip(file, EDM_HANDLERS))
    if not head:
        raise ValueError("the file is empty")
    mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    if head[8:9] == b"{" and int.from_bytes(head[:8], "little") < len(mapped):
        tensors, metadata = read_safetensors(mapped[:])
        return Weights(tensors, tensors, facts=metadata)
    if head.startswith(LEGACY):
        return understood(read_torch_legacy(mapped, EDM_HANDLERS))
    if head[0] == 0x80:
        return understood(read_pickle(mapped, EDM_HANDLERS))
    if head[0] in _MSGPACK_MAPS:
        return understood(read_flax_msgpack(mapped[:]))
    raise ValueError(f"it begins with {head!r}, as none of these do")


def understood(content: Any) -> Weights:
    """The weights in what was read, by how it is put together.

    Raises:
        ValueError: in no way that is known.
    """
    if not isinstance(content, dict):
        raise ValueError(f"it holds a {type(content).__name__}")
    require_bounded(content)
    for holds, take in _KINDS:
        if holds(content):
            return _with_tensors(take(content))
    held = ", ".join(str(name)[:40] for name in list(content)[:6])
    raise ValueError(f"it holds {held or 'nothing'}, and no tensors where they are known to be")


def _with_tensors(weights: Weights) -> Weights:
    if not weights.tensors:
        raise ValueError("it holds no tensors")
    return weights


def _of_edm(content: dict[str, Any]) -> Weights:
    """``ema`` of a published pickle, or ``net`` of a training state, which has no averages."""
    module = content["ema" if is_module(content.get("ema")) else "net"]
    tensors = module_tensors(module)
    return Weights(tensors, tensors, facts=module_facts(module))


def _of_score_sde(content: dict[str, Any]) -> Weights:
    """``{"model": state_dict, "ema": {"shadow_params": [...], ...}, "step": ...}`` of score_sde_pytorch."""
    tensors = _state_dict(content["model"])
    shadows = [array(value) for value in content["ema"]["shadow_params"]]
    trained = [name for name, value in tensors.items() if not _untrained(name, value)]
    if [value.shape for value in shadows] != [tensors[name].shape for name in trained]:
        raise ValueError(
            f"its {len(shadows)} moving averages are not of its {len(trained)} trained tensors in their order"
        )
    averages = tensors | dict(zip(trained, shadows, strict=True))
    moments = torch_moments(content.get("optimizer"), tensors, [name for name in tensors if name != SIGMAS])
    return Weights(tensors, averages, step=_count(content.get("step", 0)), moments=moments)


def _untrained(name: str, value: np.ndarray) -> bool:
    """Buffers and frozen parameters of score_sde_pytorch: noise levels, frequencies of Fourier features."""
    return name == SIGMAS or (name.endswith(".W") and value.ndim == 1)


def _of_flax(content: dict[str, Any]) -> Weights:
    """score_sde's ``State``: ``optimizer.target`` (or ``params``), ``params_ema`` and ``step``."""
    optimizer, averages = content.get("optimizer"), content["params_ema"]
    params = optimizer["target"] if isinstance(optimizer, dict) else content.get("params", averages)
    tensors = _named(params)
    moments = flax_moments(optimizer, tensors)
    return Weights(tensors, _named(averages), step=_count(content.get("step", 0)), moments=moments)


def _of_flax_variables(content: dict[str, Any]) -> Weights:
    tensors = _named(content)
    return Weights(tensors, tensors)


def _of_two(content: dict[str, Any]) -> Weights:
    """``{"model": state_dict, "ema": state_dict, ...}``, as DiT and others save it."""
    tensors, averages = _state_dict(content["model"]), _state_dict(content["ema"])
    return Weights(tensors, tensors | averages)


def _of_state_dict(content: dict[str, Any]) -> Weights:
    tensors = _state_dict(content)
    return Weights(tensors, tensors)


def _state_dict(found: Any) -> Tensors:
    """Tensors by name, without the ``module.`` that data-parallel training puts before all of them."""
    tensors = {str(name): array(value) for name, value in found.items()}
    prefix = "module." if all(name.startswith("module.") for name in tensors) else ""
    return {name.removeprefix(prefix): value for name, value in tensors.items()}


def _named(params: Any) -> Tensors:
    """Arrays of nested dictionaries by dotted name, without an outermost ``params``."""
    inner = params["params"] if set(params) == {"params"} else params
    return {name: np.asarray(value) for name, value in _leaves(inner, "")}


def _leaves(tree: dict[str, Any], above: str) -> list[tuple[str, Any]]:
    found = []
    for name, value in tree.items():
        path = f"{above}{name}"
        found += _leaves(value, f"{path}.") if isinstance(value, dict) else [(path, value)]
    return found


def _count(value: Any) -> int:
    count = int(array(value)) if isinstance(value, Tensor) else int(value)
    return max(count, 0)


def _is_states(value: Any) -> bool:
    """Whether it is a dictionary of tensors and nothing else."""
    return (
        isinstance(value, dict) and bool(value) and all(type(tensor) is Tensor for tensor in value.values())
    )


def _is_params(value: Any) -> bool:
    """Whether it is nested dictionaries of arrays and nothing else."""
    if isinstance(value, dict):
        return bool(value) and all(_is_params(inner) for inner in value.values())
    return isinstance(value, np.ndarray)


_Kind = tuple[Callable[[dict[str, Any]], bool], Callable[[dict[str, Any]], Weights]]
_KINDS: tuple[_Kind, ...] = (
    (lambda c: is_module(c.get("ema")) or is_module(c.get("net")), _of_edm),
    (
        lambda c: isinstance(c.get("ema"), dict) and "shadow_params" in c["ema"] and "model" in c,
        _of_score_sde,
    ),
    (lambda c: _is_params(c.get("params_ema")), _of_flax),
    (lambda c: _is_states(c.get("model")) and _is_states(c.get("ema")), _of_two),
    (_is_states, _of_state_dict),
    (_is_params, _of_flax_variables),
)
