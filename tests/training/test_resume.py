"""Killed at any moment and started again, a run ends with the bits of one that was never killed."""

import multiprocessing
import random
import time

import jax
import killable_run
import numpy as np
import pytest
from PIL import Image
from toy_problem import problem

from score_sde.data import Digits
from score_sde.data.preparing import prepare
from score_sde.training import Checkpoints

# A server process that has imported everything and touched no device forks each run: a start takes a second.
CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(["killable_run", "sklearn.datasets", "tensorflow_datasets", "grain"])


def start(workdir, run=killable_run.main, *arguments):
    process = CONTEXT.Process(target=run, args=(str(workdir), *arguments))
    process.start()
    return process


def row_count(workdir):
    file = workdir / "metrics.csv"
    return file.read_bytes().count(b"\n") if file.exists() else 0


def saving(workdir):
    """How many entries the folder of a save under way has; 0 where none is."""
    try:
        (folder,) = (workdir / "checkpoints").glob("*.orbax-checkpoint-tmp*")
        return 1 + sum(1 for _ in folder.rglob("*"))
    except (ValueError, OSError):  # none, or it was renamed meanwhile
        return 0


def kill_when(workdir, condition, *run):
    """SIGKILL a run once the condition holds; returns whether it was in the middle of saving."""
    process = start(workdir, *run)
    while process.is_alive() and not condition():
        time.sleep(0.0002)
    process.kill()
    process.join()
    assert process.exitcode == -9, "killed, and neither finished nor failed"
    return bool(saving(workdir))


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    workdir = tmp_path_factory.mktemp("whole")
    process = start(workdir)
    process.join(timeout=120)
    assert process.exitcode == 0
    return workdir


@pytest.fixture(scope="module")
def killed(tmp_path_factory):
    """Killed six times: at start-up, at random rows, and at several depths of saving a checkpoint."""
    workdir, rng, in_saves = tmp_path_factory.mktemp("killed"), random.Random(0), []
    for kind in ("saving", "rows", "start", "saving", "rows", "saving"):
        begun, rows, moment = time.monotonic(), row_count(workdir), rng.random()
        conditions = {
            "start": lambda begun=begun, moment=moment: time.monotonic() > begun + moment,
            "rows": lambda rows=rows, moment=moment: row_count(workdir) > rows + 8 * moment,
            "saving": lambda moment=moment: saving(workdir) > 12 * moment,
        }
        in_saves.append(kill_when(workdir, conditions[kind]))
    assert any(in_saves), "a kill left half a checkpoint behind"
    process = start(workdir)
    process.join(timeout=120)
    assert process.exitcode == 0
    return workdir


def test_state_is_the_same_bit_for_bit(whole, killed):
    """Parameters, average, optimizer and step, at the end and at the kept checkpoint on the way."""
    a, b = Checkpoints(whole / "checkpoints"), Checkpoints(killed / "checkpoints")
    assert a.steps() == b.steps() == [200, killable_run.STEPS - 20, killable_run.STEPS]
    for step in a.steps():
        states = [checkpoints.restore(problem()[1], step)[0] for checkpoints in (a, b)]
        jax.tree.map(lambda x, y: np.testing.assert_array_equal(x, y), *states)


def test_no_row_is_lost_doubled_or_different(whole, killed):
    content = (killed / "metrics.csv").read_bytes()
    assert content == (whole / "metrics.csv").read_bytes()
    steps = [int(line.split(b",")[0]) for line in content.splitlines()[1:]]
    assert steps == list(range(5, killable_run.STEPS + 1, 5))


def test_every_snapshot_was_made_and_nothing_is_left_over(whole, killed):
    for workdir in (whole, killed):
        assert len(list(workdir.glob("snapshot_*"))) == killable_run.STEPS // 100
        assert not list((workdir / "checkpoints").glob("*tmp*"))


def test_time_before_a_kill_counts(killed):
    _, record = Checkpoints(killed / "checkpoints").restore(problem()[1])
    _, first = Checkpoints(killed / "checkpoints").restore(problem()[1], 200)
    assert record["train_seconds"] > first["train_seconds"] > 0


@pytest.fixture(scope="module")
def digits(tmp_path_factory):
    """The training digits as PNG files in class folders, prepared as ``digits``."""
    folder, split = tmp_path_factory.mktemp("images"), Digits().split("train").arrays()
    for i, (x, label) in enumerate(zip(split["x"], split["label"], strict=True)):
        (folder / str(label)).mkdir(exist_ok=True)
        Image.fromarray(x[..., 0]).save(folder / str(label) / f"{i:04d}.png")
    data_dir = tmp_path_factory.mktemp("data")
    prepare(str(folder), str(data_dir / "digits"), 8, channels=1)
    return str(data_dir)


def test_a_killed_run_on_streamed_data_is_one_on_data_in_memory_that_was_not(digits, tmp_path):
    """Grain's threads are killed with it; where it goes on they read the same batches."""
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    process = start(whole, killable_run.from_files, digits, 2**30)
    process.join(timeout=120)
    assert process.exitcode == 0
    kill_when(killed, lambda: row_count(killed) > 9, killable_run.from_files, digits, 0)
    process = start(killed, killable_run.from_files, digits, 0)
    process.join(timeout=120)
    assert process.exitcode == 0
    assert (killed / "metrics.csv").read_bytes() == (whole / "metrics.csv").read_bytes()
    states = [Checkpoints(folder / "checkpoints").restore(problem()[1])[0] for folder in (whole, killed)]
    assert int(states[0].step) == killable_run.FEWER_STEPS
    jax.tree.map(lambda x, y: np.testing.assert_array_equal(x, y), *states)
