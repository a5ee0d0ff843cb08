"""How many particles a device holds."""

from __future__ import annotations

import contextlib
import math
import os
import pathlib

import jax

from score_sde.errors import InputError

STATES = 8  # arrays of the particles' size that a step holds besides the model's own


def require_memory(where: str, shape: tuple[int, ...], chunk: int | None) -> None:
    """Raise where the particles alone, without the model's activations, do not fit the device."""
    free = memory()
    each = 4 * STATES * math.prod(shape[1:])
    if shape[0] * each <= free:
        return
    fitting = max(1, int(free / each))
    remedy = f"take at most {fitting}, or an image of fewer values"
    if chunk is None:
        remedy += "; chunk= bounds what the model needs besides"
    value = f"{shape[0]} draws of shape {shape[1:]}"
    expected = f"{shape[0] * each / 1e9:.1f} GB or more of memory, and there are {free / 1e9:.1f}"
    raise InputError(f"{where} for shape", value, expected, remedy)


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
