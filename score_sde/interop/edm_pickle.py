"""Pickles of EDM and other code with its ``torch_utils.persistence``, without torch or the code inside."""

from __future__ import annotations

import io
from typing import Any

from score_sde.interop.pickles import Handlers, Record, record
from score_sde.interop.torch_objects import HANDLERS, Storage
from score_sde.interop.torch_zip import read_torch_legacy
from score_sde.interop.values import Walk, array, plain

MODULES = (
    "container.ModuleDict", "container.ModuleList", "container.Sequential", "linear.Linear",
    "linear.Identity", "activation.SiLU", "activation.GELU", "dropout.Dropout", "normalization.GroupNorm",
    "normalization.LayerNorm", "conv.Conv1d", "conv.Conv2d", "sparse.Embedding",
)  # fmt: skip


def is_module(value: Any) -> bool:
    """Whether a value of a pickle was a network: its state has parameters, buffers and modules."""
    return type(value) is Record and type(value.state) is dict and "_parameters" in value.state


def module_tensors(module: Any) -> dict[str, Any]:
    """Parameters and buffers of a network by dotted name, as ``state_dict`` of torch would name them.

    Raises:
        ValueError: it is no network, or contains itself.
    """
    return {name: array(value) for name, value in _named(module, "", 0, Walk())}


def module_facts(module: Any) -> dict[str, Any]:
    """The class of a network, and what it was made with: ``{"class": ..., "args": ..., **init_kwargs}``."""
    made = module.state.get("_init_kwargs") or {}
    return {"class": module.name, "args": plain(module.state.get("_init_args")), **plain(made)}


def _named(module: Any, above: str, depth: int, walk: Walk) -> list[tuple[str, Any]]:
    walk.visit(depth)
    if not is_module(module):
        raise ValueError(f"{above or 'it'} is not a network")
    state, passing = module.state, module.state.get("_non_persistent_buffers_set") or ()
    own = {**state["_parameters"], **_dict(state.get("_buffers"))}
    found = [(f"{above}{name}", value) for name, value in own.items() if value is not None]
    found = [(name, value) for name, value in found if name.removeprefix(above) not in passing]
    for name, inner in _dict(state.get("_modules")).items():
        found += _named(inner, f"{above}{name}.", depth + 1, walk) if inner is not None else []
    return found


def _dict(value: Any) -> dict[Any, Any]:
    return value if type(value) is dict else {}


def _persistent(meta: Any) -> Record:
    """``_reconstruct_persistent_obj``: the class's name and state; its source code is not looked at."""
    if type(meta) is not dict or type(meta.get("class_name")) is not str:
        raise ValueError("an object of torch_utils.persistence without a class")
    return Record(meta["class_name"], (), meta.get("state"))


def _storage_from_bytes(content: Any) -> Storage:
    """``torch.storage._load_from_bytes``: a storage, saved by torch inside the pickle."""
    if type(content) is not bytes:
        raise ValueError("a storage that is not bytes")
    storage = read_torch_legacy(io.BytesIO(content), HANDLERS)  # which has no storages in bytes again
    if type(storage) is not Storage:
        raise ValueError(f"a {type(storage).__name__} where the numbers of a tensor were expected")
    return storage


def _empty(*_: Any) -> dict[Any, Any]:
    return {}


EDM_HANDLERS: Handlers = {
    **HANDLERS,
    "torch_utils.persistence._reconstruct_persistent_obj": _persistent,
    "torch.storage._load_from_bytes": _storage_from_bytes,
    "dnnlib.util.EasyDict": _empty,
    **{f"torch.nn.modules.{name}": record(name.rpartition(".")[2]) for name in MODULES},
}
