"""How many particles a device holds."""

from __future__ import annotations

import contextlib
import math
import os
import pathlib
from collections.abc import Callable
from typing import Any

import jax

from score_sde.errors import InputError

STATES = 8  # arrays of the particles' size that a step holds besides the model's own
ACTIVATIONS = 2048  # more than these per array of the particles' size no usual model holds


def require_memory(where: str, shape: tuple[int, ...], chunk: int | None, lowered: Callable[[], Any]) -> None:
    """Raise where the particles, with the model's activations, do not fit the device.

    Where they may not, the compiler is asked: ``lowered`` gives the filter lowered for these shapes.
    """
    free, values = memory(), math.prod(shape)
    needed = 4.0 * STATES * values
    if needed <= free < 4.0 * ACTIVATIONS * values:
        needed = _compiled(lowered().compile().memory_analysis())
    if needed <= free:
        return
    remedy = f"take fewer than {max(2, int(shape[0] * free / needed))}, or an image of fewer values"
    if chunk is None or chunk > 1:
        fewer = f"of fewer than {chunk}" if chunk else "where the method has one"
        remedy += f"; a chunk, {fewer}, bounds what the model needs besides them"
    value = f"{shape[0]} draws of shape {shape[1:]}"
    expected = f"{needed / 1e9:.3g} GB or more of memory, and there are {free / 1e9:.3g}"
    raise InputError(f"{where} for shape", value, expected, remedy)


def _compiled(stats: Any) -> float:
    """Bytes that a compiled function takes; 0 where the backend does not tell."""
    names = ("argument_size_in_bytes", "output_size_in_bytes", "temp_size_in_bytes")
    return float(sum(getattr(stats, name, 0) for name in names))


def memory() -> float:
    """Bytes of the device, or what is free on the machine where the device does not say."""
    stats = jax.local_devices()[0].memory_stats() or {}
    if "bytes_limit" in stats:
        return float(stats["bytes_limit"])
    return min(_free(), _granted())


def _free() -> float:
    """What Linux says is available, or elsewhere all that is built in."""
    with contextlib.suppress(OSError, ValueError, StopIteration):
        lines = pathlib.Path("/proc/meminfo").read_text().splitlines()
        return 1024 * float(next(line.split()[1] for line in lines if line.startswith("MemAvailable:")))
    try:
        return float(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    except (ValueError, OSError, AttributeError):
        return math.inf


def _granted() -> float:
    """What a container may take."""
    try:
        return float(pathlib.Path("/sys/fs/cgroup/memory.max").read_text())
    except (OSError, ValueError):  # no container, or "max"
        return math.inf
