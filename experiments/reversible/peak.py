"""The memory of one training step, in a process that does nothing else.

``python -m experiments.reversible.peak WAY DEPTH WIDTH HEADS SIDE BATCH`` prints one line of JSON.
"""

from __future__ import annotations

import gc
import json
import os
import pathlib
import subprocess
import sys
import time
from typing import Any

import jax

from experiments.reversible.ways import WAYS, Size, step, trainable
from score_sde.experiment.accounting import bytes_of

ROOT = pathlib.Path(__file__).parents[2]
STATUS, FORGET = pathlib.Path("/proc/self/status"), pathlib.Path("/proc/self/clear_refs")
# What is freed goes back to the system at once, so that the peak is that of the step.
MALLOC = {"MALLOC_MMAP_THRESHOLD_": "65536", "MALLOC_TRIM_THRESHOLD_": "65536"}


def measured(way: str, depth: int, size: Size) -> dict[str, Any]:
    """The same in a process of its own."""
    command = [sys.executable, "-m", "experiments.reversible.peak", way, str(depth), *map(str, size)]
    done = subprocess.run(
        command, env=os.environ | MALLOC, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True
    )
    return json.loads(done.stdout.splitlines()[-1])


def measure(way: str, depth: int, size: Size) -> dict[str, Any]:
    """Bytes by XLA's account and by the system's, and seconds of compilation.

    ``temporaries`` are all that the program allocates but its arguments and results. ``resident`` is by how
    much the process grew at most during the first step, less the gradients, which are a result.
    """
    made, began = trainable(WAYS[way], depth, size), time.perf_counter()
    compiled = step(made)
    seconds, gradients = time.perf_counter() - began, bytes_of(made.params)
    gc.collect()
    before = _kilobytes("VmRSS")
    if FORGET.exists():
        FORGET.write_text("5")  # the peak is counted from here
    loss, found = compiled(made.params, jax.random.key(1))
    jax.block_until_ready(found)
    peak = _kilobytes("VmHWM")
    return {
        "way": way,
        "depth": depth,
        "temporaries": compiled.memory_analysis().temp_size_in_bytes,
        "parameters": gradients,
        "resident": None if before is None or peak is None else 1024 * (peak - before) - gradients,
        "compile_seconds": seconds,
        "loss": float(loss),
    }


def _kilobytes(name: str) -> int | None:
    """A line of the kernel's account of this process; None where there is no such file."""
    if not (STATUS.exists() and FORGET.exists()):
        return None
    (line,) = (line for line in STATUS.read_text().splitlines() if line.startswith(f"{name}:"))
    return int(line.split()[1])


if __name__ == "__main__":
    jax.config.update("jax_enable_compilation_cache", False)
    print(json.dumps(measure(sys.argv[1], int(sys.argv[2]), Size(*map(int, sys.argv[3:])))))
