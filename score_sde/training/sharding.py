"""Data parallelism: the batch is divided over the devices, the state is on all of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import AxisType, Mesh, NamedSharding, PartitionSpec

from score_sde.errors import InputError

AXIS = "data"
Tree = TypeVar("Tree")


def make_mesh(batch_size: int, devices: Sequence[jax.Device] | None = None) -> Mesh:
    """A mesh with one axis, ``data``, over the given devices (None: all, over all processes).

    Raises:
        InputError: the devices do not divide the batch.
    """
    chosen = jax.devices() if devices is None else list(devices)
    if batch_size % len(chosen):
        expected = f"a multiple of the {len(chosen)} devices"
        remedy = f"take {-(-batch_size // len(chosen)) * len(chosen)}"
        raise InputError("training.batch_size", batch_size, expected, remedy)
    return jax.make_mesh((len(chosen),), (AXIS,), axis_types=(AxisType.Auto,), devices=chosen)


def replicated(mesh: Mesh) -> NamedSharding:
    """The same on every device."""
    return NamedSharding(mesh, PartitionSpec())


def batch_sharding(mesh: Mesh) -> NamedSharding:
    """Leaves of shape (steps, batch, ...): the second axis divided over the devices."""
    return NamedSharding(mesh, PartitionSpec(None, AXIS))


def replicate(mesh: Mesh, tree: Tree) -> Tree:
    """A copy of a pytree on every device of the mesh; every process gives the same values."""
    sharding = replicated(mesh)

    def put(leaf: Any) -> jax.Array:
        if jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key):
            return jax.random.wrap_key_data(put(jax.random.key_data(leaf)), impl=jax.random.key_impl(leaf))
        return jax.make_array_from_process_local_data(sharding, np.array(leaf))

    return jax.tree.map(put, tree)


def place_batches(mesh: Mesh, batches: dict[str, Any]) -> dict[str, jax.Array]:
    """Put this process's share of stacked batches (steps, batch / processes, ...) on its devices."""
    sharding = batch_sharding(mesh)
    return {name: jax.make_array_from_process_local_data(sharding, array) for name, array in batches.items()}


def initialize_distributed(coordinator: str | None, processes: int = 1, index: int = 0) -> None:
    """Join the other processes of a multi-host run before the first use of a device; one process: nothing.

    ``coordinator`` is ``host:port`` of process 0. After this, ``jax.devices()`` are those of all processes.
    """
    if processes < 1:
        raise InputError("--processes", processes, "a positive count")
    if not 0 <= index < processes:
        raise InputError("--process_index", index, f"a number in [0, {processes})")
    if processes == 1:
        return
    if not coordinator or not coordinator.rpartition(":")[2].isdigit():
        raise InputError("--coordinator", coordinator, "host:port of process 0", "e.g. 10.0.0.1:1234")
    jax.distributed.initialize(coordinator, processes, index)
