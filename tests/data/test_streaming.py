"""Batches read ahead by grain's threads are those that are gathered from memory."""

import threading
import time

import numpy as np
import pytest
from PIL import Image

from score_sde.data import ArraySource, Batches, ImageFolder
from score_sde.data.base import Source
from score_sde.data.streaming import StreamedBatches
from score_sde.errors import InputError


class Slow(Source):
    """Examples that take a while, each its own while."""

    batches_type = StreamedBatches

    def __init__(self, count, bad=()):
        self.x, self.bad, self.read = np.arange(count) * 10, bad, []

    def __len__(self):
        return len(self.x)

    def __getitem__(self, index):
        if index in self.bad:
            raise InputError("example", index, "one that can be read")
        time.sleep(1e-4 * (index % 7))
        self.read.append(index)
        return {"x": self.x[[index, index]], "label": np.int32(index)}


def assert_same(a, b):
    assert a.keys() == b.keys()
    for name in a:
        np.testing.assert_array_equal(a[name], b[name])
        assert a[name].dtype == b[name].dtype


@pytest.fixture
def streamed():
    made = []

    def make(*args, **kwargs):
        made.append(StreamedBatches(*args, **kwargs))
        return made[-1]

    yield make
    for batches in made:
        batches.close()


def test_they_are_the_batches_from_memory(streamed):
    source = Slow(23)
    memory = Batches(
        ArraySource(x=np.stack([source.x] * 2, 1), label=np.arange(23, dtype=np.int32)), 6, seed=4
    )
    batches = streamed(source, 6, seed=4)
    for step in range(0, 12, 3):  # three epochs
        assert_same(batches.stack(step, 3), memory.stack(step, 3))
    assert_same(batches[12], memory[12])


def test_going_on_at_any_step_is_exact(streamed):
    """Forwards, backwards and anew: a batch does not depend on what was read before."""
    whole = streamed(Slow(23), 6, seed=1)
    expected = [whole[step] for step in range(10)]
    resumed = streamed(Slow(23), 6, seed=1)
    for step in (7, 8, 9, 2, 3, 9, 0):
        assert_same(resumed[step], expected[step])


def test_processes_read_their_share_only(streamed):
    """In an epoch each example is read once by one of them."""
    sources = [Slow(24) for _ in range(3)]
    parts = [
        streamed(source, 6, seed=2, process_index=i, process_count=3, threads=2)
        for i, source in enumerate(sources)
    ]
    whole = Batches(Slow(24), 6, seed=2)
    for step in range(4):
        for i, part in enumerate(parts):
            assert_same(part[step], {k: v[2 * i : 2 * i + 2] for k, v in whole[step].items()})
    for part in parts:
        part.close()
    first = [source.read[:] for source in sources]
    labels = np.concatenate([part[step]["label"] for part in parts for step in range(4)])
    np.testing.assert_array_equal(np.sort(labels), np.arange(24))
    assert all(len(read) <= 8 + 4 for read in first)  # eight that were asked for, and some ahead


def test_an_example_that_cannot_be_read_is_told_where_it_comes(streamed):
    order = Batches(Slow(12), 4, seed=0).indices(2)
    batches = streamed(Slow(12, bad=(int(order[1]),)), 4, seed=0)
    assert_same(batches.stack(0, 2), Batches(Slow(12), 4, seed=0).stack(0, 2))
    with pytest.raises(InputError, match=f"example = {order[1]}: expected one that can be read"):
        batches[2]


def test_closing_ends_the_threads(streamed):
    batches = streamed(Slow(23), 6)
    batches[0]
    assert any("grain" in thread.name for thread in threading.enumerate())
    batches.close()
    deadline = time.monotonic() + 5
    while any("grain" in thread.name for thread in threading.enumerate()) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not any("grain" in thread.name for thread in threading.enumerate())


def test_large_folders_are_streamed_and_small_ones_held(tmp_path):
    for i in range(10):
        Image.new("L", (4, 4), 20 * i).save(tmp_path / f"{i}.png")
    options = {"path": str(tmp_path), "size": 4, "channels": 1}
    large = ImageFolder(**options, memory=0).batches("train", 4, seed=3)
    small = ImageFolder(**options).batches("train", 4, seed=3)
    assert (type(large), type(small)) == (StreamedBatches, Batches)
    assert_same(large.stack(1, 4), small.stack(1, 4))
    large.close()


@pytest.mark.parametrize("wrong", [{"threads": 0}, {"ahead": 0}])
def test_impossible_arguments(wrong):
    with pytest.raises(InputError):
        StreamedBatches(Slow(5), 2, **wrong)
