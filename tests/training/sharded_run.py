"""Train the toy problem on all devices of this run and write the state: started by test_sharding.py.

Usage: sharded_run.py OUT LOCAL_DEVICES PROCESSES INDEX COORDINATOR WORKDIR
"""

import io
import sys

import jax
import numpy as np
from toy_problem import BATCH, problem

from score_sde.data import Batches
from score_sde.training import CheckpointWriter, Plan, fit, initialize_distributed, make_mesh
from score_sde.training.progress import Lines

out, local, processes, index, coordinator, workdir = sys.argv[1:]
jax.config.update("jax_num_cpu_devices", int(local))
initialize_distributed(coordinator, int(processes), int(index))

step, state, batches = problem()
shared = Batches(
    batches.source, BATCH, seed=7, process_index=jax.process_index(), process_count=jax.process_count()
)
with CheckpointWriter(f"{workdir}/checkpoints", {}) as checkpoints:
    for steps in (8, 12):  # the second call goes on from the first's checkpoint
        result = fit(
            key=jax.random.key(1),
            state=state,
            step=step,
            batches=shared,
            mesh=make_mesh(BATCH),
            plan=Plan(steps=steps, steps_per_call=2, log_every=4, checkpoint_every=4),
            checkpoints=checkpoints,
            workdir=workdir,
            progress=lambda total, initial: Lines(total, initial, io.StringIO()),
        )
if jax.process_index() == 0:
    leaves = jax.tree.leaves(result.state)
    np.savez(out, *[np.asarray(leaf) for leaf in leaves], devices=jax.device_count())
