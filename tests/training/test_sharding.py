import os
import pathlib
import socket
import subprocess
import sys

import jax
import numpy as np
import pytest
from toy_problem import BATCH, problem

from score_sde.errors import InputError
from score_sde.training import initialize_distributed, make_mesh, make_multi_step
from score_sde.training.sharding import place_batches, replicate

HERE = pathlib.Path(__file__).parent


@pytest.fixture(scope="module")
def one_device():
    step, state, batches = problem()
    mesh = make_mesh(BATCH, jax.devices()[:1])
    advance, state = make_multi_step(step, mesh), replicate(mesh, state)
    for at in range(12):
        state, _ = advance(jax.random.key(1), state, place_batches(mesh, batches.stack(at, 1)))
    return [np.asarray(leaf) for leaf in jax.tree.leaves(state)]


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.mark.parametrize(("processes", "local"), [(1, 8), (2, 4)])
def test_eight_devices_give_what_one_gives(one_device, tmp_path, processes, local):
    """Eight devices of one process, and of two that talk over the loopback; both also save and go on."""
    out, coordinator = tmp_path / "state.npz", f"127.0.0.1:{free_port()}"
    path = os.pathsep.join([str(HERE.parent), os.environ.get("PYTHONPATH", "")])
    runs = [
        subprocess.Popen(
            [sys.executable, HERE / "sharded_run.py", out]
            + [str(word) for word in (local, processes, index, coordinator, tmp_path)],
            env=os.environ | {"PYTHONPATH": path, "JAX_PLATFORMS": "cpu"},
            stderr=subprocess.PIPE,
            text=True,
        )
        for index in range(processes)
    ]
    try:
        errors = [run.communicate(timeout=120)[1] for run in runs]
    finally:
        for run in runs:
            run.kill()
    assert [run.returncode for run in runs] == [0] * processes, errors
    saved = np.load(out)
    assert saved["devices"] == 8
    for i, leaf in enumerate(one_device):
        np.testing.assert_allclose(saved[f"arr_{i}"], leaf, rtol=0, atol=1e-5)
    steps = [line.split(",")[0] for line in (tmp_path / "metrics.csv").read_text().splitlines()]
    assert steps == ["step", "4", "8", "12"]


def test_a_batch_that_the_devices_do_not_divide_is_refused():
    with pytest.raises(
        InputError, match=r"training\.batch_size = 13: expected a multiple of the 8 devices; take 16"
    ):
        make_mesh(13, jax.devices()[:1] * 8)


@pytest.mark.parametrize(
    ("arguments", "field"),
    [((None, 2, 0), "coordinator"), (("host", 2, 0), "coordinator"), (("h:1", 2, 2), "process_index")],
)
def test_impossible_process_flags(arguments, field):
    with pytest.raises(InputError, match=field):
        initialize_distributed(*arguments)


def test_one_process_needs_no_coordinator():
    initialize_distributed(None)
    assert jax.process_count() == 1
