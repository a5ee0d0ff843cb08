"""From tensors under their original names to the parameters of a network of ours."""

from __future__ import annotations

import dataclasses
import fnmatch
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any, NamedTuple, TypeVar

import numpy as np

from score_sde.errors import InputError
from score_sde.interop.transforms import Transform, identity
from score_sde.networks.base import Params, partition

Tensors = dict[str, np.ndarray]
Network = TypeVar("Network")
SHOWN = 4  # names of each kind of mistake that are spelt out


class Source(NamedTuple):
    """Where one parameter of ours comes from.

    Attributes:
        names: original tensors, in the order in which ``transform`` takes them.
        transform: turns their arrays into ours.
    """

    names: tuple[str, ...]
    transform: Transform = identity


Sources = dict[
    str, Source
]  # by the dotted path of our parameter below the network: "down.0.block.conv0.kernel"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Layout:
    """How one original implementation names the tensors of one family of networks.

    Attributes:
        title: what the networks are called where they come from: ``"NCSN++ of score_sde_pytorch"``.
        recognises: whether tensors of these names are such a network's; looks at a few that tell.
        sources: for a network of ours, where each of its parameters comes from. Attributes that another
            kind of network lacks may be asked for: ``load_tensors`` tells the user.
        ignored: patterns (``fnmatch``) of tensors that carry nothing to load: buffers that are constants.
        hints: what is probably wrong when a tensor whose name fits the pattern is missing, left over or
            misshapen: ``{"*.attn.*": "set attention_resolutions"}``. The first that fits is told.
    """

    title: str
    recognises: Callable[[Collection[str]], bool]
    sources: Callable[[Any], Sources]
    ignored: tuple[str, ...] = ()
    hints: Mapping[str, str] = dataclasses.field(default_factory=dict)


def choose(layouts: Collection[Layout], tensors: Mapping[str, np.ndarray], where: str) -> Layout:
    """The first layout that recognises the names.

    Raises:
        InputError: none does.
    """
    found = next((layout for layout in layouts if layout.recognises(tensors.keys())), None)
    if found is None:
        known = ", ".join(layout.title for layout in layouts)
        raise InputError(where, _listed(list(tensors)), f"tensors of one of: {known}")
    return found


def load_tensors(network: Network, tensors: Mapping[str, np.ndarray], layout: Layout) -> Network:
    """The network with all its parameters taken from original tensors.

    Raises:
        InputError: the layout is of another kind of network; tensors are missing, left over or misshapen.
    """
    try:
        sources = layout.sources(network)
    except AttributeError as error:
        expected = f"a network that the file's tensors fit: {layout.title}"
        raise InputError("network", type(network).__name__, expected, f"it has {error}") from error
    return fill(network, sources, tensors, ignored=layout.ignored, hints=layout.hints)


def fill(
    network: Network,
    sources: Sources,
    tensors: Mapping[str, np.ndarray],
    *,
    ignored: Collection[str] = (),
    hints: Mapping[str, str] | None = None,
) -> Network:
    """The network with every parameter taken from ``tensors`` as ``sources`` says, in our own dtype.

    ``ignored`` and ``hints`` are those of ``Layout``.

    Raises:
        InputError: names tensors that are missing, left over or misshapen, and the likely wrong option.
        ValueError: ``sources`` does not name the parameters of this network: a defect of the layout.
    """
    params, rebuild = partition(network)
    ours = dict(flatten(params))
    _require_same_paths(type(network).__name__, ours, sources)
    wanted = list(dict.fromkeys(name for source in sources.values() for name in source.names))
    kept = [name for name in tensors if not any(fnmatch.fnmatchcase(name, pattern) for pattern in ignored)]
    mistakes = [Mistake("missing", name, "") for name in wanted if name not in tensors]
    mistakes += [Mistake("left over", name, f" {tensors[name].shape}") for name in kept if name not in wanted]
    filled: dict[str, Any] = {}
    for path, source in sources.items():
        if all(name in tensors for name in source.names):
            filled[path], found = _fitted(ours[path], path, source, tensors)
            mistakes += found
    if mistakes:
        expected = f"the {len(wanted)} of {type(network).__name__}: {_told(mistakes)}"
        remedy = _hint(mistakes, hints or {}) if set(wanted) & set(kept) else "the file is of another layout"
        raise InputError("count of tensors in the file", len(kept), expected, remedy)
    return rebuild(unflatten({path: filled[path] for path in ours}))


def flatten(params: Params, above: str = "") -> Iterator[tuple[str, Any]]:
    """Leaves of nested dictionaries with their dotted paths, in order."""
    for name, value in params.items():
        if isinstance(value, Mapping):
            yield from flatten(dict(value), f"{above}{name}.")
        else:
            yield f"{above}{name}", value


def unflatten(flat: Mapping[str, Any]) -> Params:
    """Inverse of ``flatten``."""
    params: Params = {}
    for path, value in flat.items():
        *folders, name = path.split(".")
        inner = params
        for folder in folders:
            inner = inner.setdefault(folder, {})
        inner[name] = value
    return params


def stripped(tensors: Mapping[str, np.ndarray], prefix: str) -> Tensors:
    """The tensors whose names begin with ``prefix``, without it."""
    return {name.removeprefix(prefix): a for name, a in tensors.items() if name.startswith(prefix)}


class Mistake(NamedTuple):
    """A tensor that does not fit: what is wrong, its name, and what follows the name when it is told."""

    kind: str
    name: str
    detail: str


def _fitted(
    mine: Any, path: str, source: Source, tensors: Mapping[str, np.ndarray]
) -> tuple[Any, list[Mistake]]:
    """The parameter in our shape and dtype; or None and what does not fit."""
    shape = tuple(mine.shape)
    first, *others = (f"{name} {tensors[name].shape}" for name in source.names)
    name, given = source.names[0], " ".join([first.removeprefix(source.names[0]), *others])
    try:
        array = source.transform(*(tensors[name] for name in source.names))
    except (ValueError, IndexError, TypeError) as error:
        return None, [Mistake("misshapen", name, f"{given} for {path} {shape}: {error}")]
    if array.shape != shape:
        return None, [
            Mistake("misshapen", name, f"{given}, which gives {array.shape} where {path} is {shape}")
        ]
    return np.ascontiguousarray(array, dtype=mine.dtype), []


def _require_same_paths(network: str, ours: Collection[str], sources: Collection[str]) -> None:
    lacking = [path for path in ours if path not in sources]
    strange = [path for path in sources if path not in ours]
    if lacking or strange:
        raise ValueError(
            f"sources of {network}: no source for {_listed(lacking)}; no parameter {_listed(strange)}"
        )


def _hint(mistakes: list[Mistake], hints: Mapping[str, str]) -> str:
    fitting = (hints[p] for p in hints for mistake in mistakes if fnmatch.fnmatchcase(mistake.name, p))
    return next(fitting, "the configuration is not the one that these weights were trained with")


def _told(mistakes: list[Mistake]) -> str:
    """The first few of each kind, and how many more."""
    lines = []
    for kind in dict.fromkeys(mistake.kind for mistake in mistakes):
        named = [f"{mistake.name}{mistake.detail}" for mistake in mistakes if mistake.kind == kind]
        lines.append(f"{kind} tensor {_listed(named)}")
    return "; ".join(lines)


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more if names else "none"
