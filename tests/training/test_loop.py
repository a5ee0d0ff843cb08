import csv
import io

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from toy_problem import BATCH, Denoise, problem

from score_sde.errors import InputError
from score_sde.training import Checkpoints, CheckpointWriter, DivergenceError, Plan, fit, make_mesh
from score_sde.training.prefetch import prefetched
from score_sde.training.progress import Lines

MESH = make_mesh(BATCH, jax.devices()[:1])


def train(workdir, plan, parts=None, **others):
    step, state, batches = parts or problem()
    with CheckpointWriter(workdir / "checkpoints", {}, keep_last=100) as checkpoints:
        return fit(
            key=jax.random.key(1),
            state=state,
            step=step,
            batches=batches,
            mesh=MESH,
            plan=plan,
            checkpoints=checkpoints,
            workdir=workdir,
            progress=lambda total, initial: Lines(total, initial, io.StringIO()),
            **others,
        )


def rows(workdir):
    with open(workdir / "metrics.csv") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """40 updates; one row per 4, a checkpoint per 8, samples per 10."""
    workdir, seen = tmp_path_factory.mktemp("run"), []
    plan = Plan(steps=40, steps_per_call=2, log_every=4, checkpoint_every=8, snapshot_every=10)
    result = train(
        workdir, plan, on_snapshot=lambda step, state: seen.append((step, int(state.step), rows(workdir)))
    )
    return workdir, result, seen


def test_everything_happens_at_its_step(run):
    workdir, result, seen = run
    assert [int(row["step"]) for row in rows(workdir)] == list(range(4, 41, 4))
    assert Checkpoints(workdir / "checkpoints").steps() == [8, 16, 24, 32, 40]
    assert [(step, count) for step, count, _ in seen] == [(s, s) for s in (10, 20, 30, 40)]
    assert int(result.state.step) == 40


def test_rows_that_are_due_are_written_before_the_snapshot(run):
    assert [int(seen[-1]["step"]) for _, _, seen in run[2]] == [8, 20, 28, 40]


def test_a_row_is_the_mean_since_the_row_before(run, tmp_path):
    train(tmp_path, Plan(steps=8, log_every=1, checkpoint_every=8, snapshot_every=8))
    single = [float(row["loss"]) for row in rows(tmp_path)]
    means = [float(row["loss"]) for row in rows(run[0])[:2]]
    np.testing.assert_allclose(means, [np.mean(single[:4]), np.mean(single[4:])], rtol=1e-6)


def test_the_result_does_not_depend_on_updates_per_call(run, tmp_path):
    plan = Plan(steps=40, steps_per_call=1, log_every=4, checkpoint_every=40, snapshot_every=40)
    result = train(tmp_path, plan)
    jax.tree.map(lambda a, b: np.testing.assert_array_equal(a, b), result.state, run[1].state)
    assert rows(tmp_path) == rows(run[0])


def test_more_steps_go_on_from_the_end(run, tmp_path):
    plan = Plan(steps=16, steps_per_call=2, log_every=4, checkpoint_every=8, snapshot_every=10)
    first = train(tmp_path, plan)
    second = train(tmp_path, plan.replace(steps=40))
    jax.tree.map(lambda a, b: np.testing.assert_array_equal(a, b), second.state, run[1].state)
    assert rows(tmp_path) == rows(run[0])
    assert second.train_seconds > first.train_seconds


def test_a_finished_run_is_left_as_it_is(run, tmp_path):
    plan = Plan(steps=8, log_every=4, checkpoint_every=8, snapshot_every=8)
    first = train(tmp_path, plan)
    before = rows(tmp_path)
    again = train(tmp_path, plan)
    jax.tree.map(lambda a, b: np.testing.assert_array_equal(a, b), first.state, again.state)
    assert rows(tmp_path) == before


class Exploding(Denoise):
    """Not finite when the batch of the eleventh update comes (told by a label that is out of range)."""

    def __call__(self, key, model, x0, cond=None):
        return jnp.where(jnp.any(cond < 0), jnp.nan, super().__call__(key, model, x0, jnp.abs(cond)))


class Marked:
    """Batches whose labels are negative from a step on."""

    def __init__(self, batches, bad):
        self.batches, self.bad = batches, bad

    def stack(self, step, count):
        batch = self.batches.stack(step, count)
        late = (step + np.arange(count) >= self.bad)[:, None]
        return batch | {"label": np.where(late, -1, batch["label"]).astype(np.int32)}


def test_a_loss_that_is_not_finite_stops_the_run_at_its_step(tmp_path):
    step, state, batches = problem(Exploding())
    plan = Plan(steps=40, steps_per_call=2, log_every=4, checkpoint_every=4, snapshot_every=4)
    seen = []
    with pytest.raises(DivergenceError) as caught:
        train(
            tmp_path, plan, (step, state, Marked(batches, 10)), on_snapshot=lambda at, state: seen.append(at)
        )
    message = str(caught.value)
    assert message.startswith("loss at step 11 = nan: expected a finite loss")
    assert "the last good checkpoint is step 8" in message
    assert seen == [4, 8]
    restored, _ = Checkpoints(tmp_path / "checkpoints").restore(state)
    assert int(restored.step) == 8
    assert all(np.all(np.isfinite(leaf)) for leaf in jax.tree.leaves(restored))
    assert rows(tmp_path)[-1]["step"] == "8"


def test_an_error_while_reading_data_reaches_the_user(tmp_path):
    class Broken:
        def stack(self, step, count):
            raise InputError("image", "a.png", "a readable image")

    step, state, _ = problem()
    with pytest.raises(InputError, match=r"a\.png"):
        train(tmp_path, Plan(steps=4, log_every=1, checkpoint_every=4), (step, state, Broken()))


def test_prefetching_keeps_order_and_stays_ahead():
    loaded = []
    items = prefetched(lambda i: loaded.append(i) or 10 * i, range(5), ahead=2)
    assert next(items) == 0
    assert list(items) == [10, 20, 30, 40]
    assert loaded == [0, 1, 2, 3, 4]
    assert list(prefetched(lambda i: i, range(1), ahead=2)) == [0]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"steps": 0}, "training.steps = 0: expected a positive"),
        ({"steps": -5}, "training.steps = -5"),
        ({"steps": 10, "steps_per_call": 4}, "take 12, or change steps_per_call"),
        ({"steps": 10, "log_every": 0}, "training.log_every = 0"),
        ({"steps": 12, "steps_per_call": 4, "log_every": 6}, "training.log_every = 6: expected a multiple"),
        ({"steps": 100, "log_every": 50, "checkpoint_every": 75}, "a multiple of training.log_every = 50"),
        (
            {"steps": 12, "steps_per_call": 4, "log_every": 4, "checkpoint_every": 4, "snapshot_every": 6},
            "snapshot",
        ),
    ],
)
def test_counts_that_do_not_divide_are_refused(arguments, said):
    with pytest.raises(InputError) as caught:
        Plan(**arguments)
    assert said in str(caught.value)
