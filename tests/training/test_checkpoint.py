import json
import shutil

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from toy_problem import problem

from score_sde.errors import InputError
from score_sde.training import Checkpoints, CheckpointWriter
from score_sde.training.identity import differences

# A failed read leaves coroutines of orbax behind, which Python reports when it collects them.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
CONFIG = {"model": {"width": 32, "kind": "mlp"}, "seed": 0}


def state_at(step):
    """A state whose values tell its step."""
    state = problem()[1]
    return jax.tree.map(lambda leaf: leaf + jnp.asarray(step, leaf.dtype), state)


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """Steps 1 to 6, of which the last two and the multiples of three are kept."""
    directory = tmp_path_factory.mktemp("run") / "checkpoints"
    with CheckpointWriter(directory, CONFIG, keep_last=2, keep_every=3) as writer:
        for step in range(1, 7):
            writer.save(state_at(step), {"train_seconds": 0.5 * step})
    return directory


@pytest.fixture
def copy(saved, tmp_path):
    shutil.copytree(saved, tmp_path / "checkpoints")
    return tmp_path / "checkpoints"


def assert_same(a, b):
    jax.tree.map(lambda x, y: np.testing.assert_array_equal(x, y), a, b)


def test_keeps_the_last_and_the_snapshots(saved):
    assert Checkpoints(saved).steps() == [3, 5, 6]


def test_restores_the_latest_or_the_step_asked_for(saved):
    checkpoints = Checkpoints(saved, CONFIG)
    state, record = checkpoints.restore(problem()[1])
    assert_same(state, state_at(6))
    assert record["train_seconds"] == 3.0
    assert [leaf.weak_type for leaf in jax.tree.leaves(state)] == [False] * len(jax.tree.leaves(state))
    assert_same(checkpoints.restore(problem()[1], step=3)[0], state_at(3))
    with pytest.raises(InputError, match=r"checkpoint step = 4: expected one of \[3, 5, 6\]"):
        checkpoints.restore(problem()[1], step=4)


def largest_file(folder):
    return max((file for file in folder.rglob("d/*") if file.is_file()), key=lambda file: file.stat().st_size)


def flip_a_bit(folder):
    """In the middle of the largest array: the storage format itself does not notice."""
    content = bytearray(largest_file(folder).read_bytes())
    content[len(content) // 2] ^= 1
    largest_file(folder).write_bytes(bytes(content))


def cut_short(folder):
    content = largest_file(folder).read_bytes()
    largest_file(folder).write_bytes(content[: len(content) // 2])


@pytest.mark.parametrize(
    "damage",
    [
        flip_a_bit,
        cut_short,
        lambda folder: shutil.rmtree(folder / "state"),
        lambda folder: shutil.rmtree(folder / "record"),
        lambda folder: (folder / "record" / "metadata").write_text('{"step": 6'),
        lambda folder: (folder / "state" / "manifest.ocdbt").write_text(""),
    ],
)
def test_a_damaged_checkpoint_is_named_with_the_last_good_one(copy, damage):
    damage(copy / "6")
    (copy / "5" / "state" / "manifest.ocdbt").write_text("")
    with pytest.raises(InputError, match=r"checkpoints/6'.*to go on from step 3, the last good") as caught:
        Checkpoints(copy).restore(problem()[1])
    assert "\n" not in str(caught.value)
    for name in ("5", "6"):
        shutil.rmtree(copy / name)
    assert_same(Checkpoints(copy).restore(problem()[1])[0], state_at(3))


def test_another_model_is_refused(saved):
    state = problem()[1]
    other = state.replace(params=state.params | {"last": jnp.zeros((3, 3))})
    with pytest.raises(InputError, match="no earlier checkpoint can be read; start again"):
        Checkpoints(saved).restore(other)


def test_another_configuration_is_refused_by_field(copy):
    other = {"model": {"width": 64, "kind": "mlp", "depth": 2}, "seed": 0}
    for make in (Checkpoints, CheckpointWriter):
        with pytest.raises(InputError) as caught:
            make(copy, other)
        message = str(caught.value)
        assert "model.depth: '(absent)' there, 2 here; model.width: 32 there, 64 here" in message
        assert "another --workdir" in message
    assert json.loads((copy / "config.json").read_text()) == CONFIG
    (copy / "config.json").unlink()
    with pytest.raises(InputError, match=r"config\.json.*readable JSON"):
        Checkpoints(copy, CONFIG)


def test_tuples_and_lists_are_the_same_configuration(tmp_path):
    with CheckpointWriter(tmp_path, {"shape": (8, 8)}) as writer:
        writer.save(state_at(1), {})
    Checkpoints(tmp_path, {"shape": [8, 8]})
    assert differences({"a": {"b": 1}}, {"a": {"b": 1}}) == []


def test_before_the_first_checkpoint_any_configuration_may_start(tmp_path):
    CheckpointWriter(tmp_path, {"a": 1}).close()
    CheckpointWriter(tmp_path, {"a": 2}).close()
    with pytest.raises(InputError, match="a saved checkpoint; train first"):
        Checkpoints(tmp_path).restore(problem()[1])


def test_left_overs_of_a_killed_save_are_no_checkpoint(copy):
    shutil.copytree(copy / "6", copy / "7.orbax-checkpoint-tmp")
    assert Checkpoints(copy).latest() == 6
    with CheckpointWriter(copy, CONFIG) as writer:
        assert writer.latest() == 6
    assert not (copy / "7.orbax-checkpoint-tmp").exists()


def test_one_writer_at_a_time(copy):
    with CheckpointWriter(copy, CONFIG):
        with pytest.raises(InputError, match="no other process trains"):
            CheckpointWriter(copy, CONFIG)
        Checkpoints(copy, CONFIG).restore(problem()[1])  # reading is free
    CheckpointWriter(copy, CONFIG).close()


def test_an_unwritable_place_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match=r"file/run.*can be written"):
        CheckpointWriter(tmp_path / "file" / "run", CONFIG)


def test_a_full_disk_costs_nothing_that_was_saved(copy, monkeypatch):
    with CheckpointWriter(copy, CONFIG) as writer:

        def full(*args, **kwargs):
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(writer._manager, "save", full)
        with pytest.raises(InputError, match=r"checkpoints/7.*No space left.*last good checkpoint: 6"):
            writer.save(state_at(7), {})
    assert_same(Checkpoints(copy).restore(problem()[1])[0], state_at(6))


@pytest.mark.parametrize("arguments", [{"keep_last": 0}, {"keep_every": 0}])
def test_impossible_counts(tmp_path, arguments):
    with pytest.raises(InputError, match=r"training\.keep"):
        CheckpointWriter(tmp_path, CONFIG, **arguments)


def test_damage_is_told_before_the_storage_library_prints(copy, capfd):
    cut_short(copy / "6")
    with pytest.raises(InputError, match=r"its file state/.* is damaged"):
        Checkpoints(copy).restore(problem()[1])
    assert capfd.readouterr().err == ""


def test_without_seals_the_checksum_of_the_content_holds(copy):
    """As a process leaves it that is killed between a save and its seals."""
    (copy / "6" / "seals.json").unlink()
    assert_same(Checkpoints(copy).restore(problem()[1])[0], state_at(6))
    record = copy / "6" / "record" / "metadata"
    record.write_text(record.read_text().replace('"checksum": ', '"checksum": 1'))
    with pytest.raises(InputError, match="checksum does not match"):
        Checkpoints(copy).restore(problem()[1])
