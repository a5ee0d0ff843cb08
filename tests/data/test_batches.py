import numpy as np
import pytest

from score_sde.data import ArraySource, Batches, in_order
from score_sde.errors import InputError


def source(count):
    return ArraySource(x=np.arange(count) * 10, label=np.arange(count))


def test_every_epoch_is_a_fresh_permutation():
    batches = Batches(source(23), 5, seed=4)
    order = np.concatenate([batches.indices(step) for step in range(23)])  # five epochs of 23
    epochs = order.reshape(5, 23)
    np.testing.assert_array_equal(np.sort(epochs, axis=1), np.tile(np.arange(23), (5, 1)))
    assert len({tuple(epoch) for epoch in epochs}) == 5


def test_a_batch_depends_on_seed_and_step_only():
    forwards = [Batches(source(23), 5, seed=4)[step]["x"] for step in range(12)]
    again = Batches(source(23), 5, seed=4)
    for step in reversed(range(12)):
        np.testing.assert_array_equal(again[step]["x"], forwards[step])
    assert not np.array_equal(Batches(source(23), 5, seed=5)[0]["x"], forwards[0])
    # neighbouring seeds share no epoch either: epoch 1 of seed 4 is not epoch 0 of seed 5
    order = np.concatenate([again.indices(step) for step in range(12)])
    assert not np.array_equal(order[23:28], Batches(source(23), 5, seed=5).indices(0))


def test_a_batch_larger_than_the_data_runs_on_into_the_next_epoch():
    counts = np.bincount(Batches(source(3), 7, seed=0)[0]["label"])
    np.testing.assert_array_equal(np.sort(counts), [2, 2, 3])


def test_stack_is_several_steps():
    batches = Batches(source(23), 6, seed=0)
    stacked = batches.stack(2, 3)
    assert stacked["x"].shape == (3, 6)
    for i in range(3):
        np.testing.assert_array_equal(stacked["x"][i], batches[2 + i]["x"])


def test_processes_share_a_batch():
    whole = Batches(source(23), 6, seed=0)[4]["x"]
    parts = [Batches(source(23), 6, seed=0, process_index=i, process_count=3)[4]["x"] for i in range(3)]
    np.testing.assert_array_equal(np.concatenate(parts), whole)
    with pytest.raises(InputError, match=r"batch_size = 7: expected a positive multiple .* 3"):
        Batches(source(23), 7, process_count=3)


def test_in_order_ends_with_a_short_batch():
    parts = [batch["label"] for batch in in_order(source(10), 4)]
    assert [len(part) for part in parts] == [4, 4, 2]
    np.testing.assert_array_equal(np.concatenate(parts), np.arange(10))


@pytest.mark.parametrize(("count", "size", "seed"), [(5, 0, 0), (5, -3, 0), (0, 2, 0), (5, 2, -1)])
def test_impossible_arguments(count, size, seed):
    with pytest.raises(InputError):
        Batches(source(count), size, seed=seed)


def test_the_first_examples():
    np.testing.assert_array_equal(source(10).first(4).arrays()["label"], np.arange(4))
    assert all(len(source(10).first(count)) == 10 for count in (None, 10, 99))
