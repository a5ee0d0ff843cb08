"""Windows of trajectories: every one of them, none across a split, standardised by what trains."""

import numpy as np
import pytest

from score_sde.data import Standardized, Windows
from score_sde.errors import InputError


def numbered(count, steps):
    """States that say which trajectory and step they are."""
    which, step = np.meshgrid(np.arange(count), np.arange(steps), indexing="ij")
    return np.stack([100.0 * which, step], axis=-1)


def windows_of(data, name):
    return data.split(name).arrays()["x"]


def test_every_window_of_every_trajectory_once():
    data = Windows(trajectories=numbered(10, 7), length=3, validation=0.2, test=0.1)
    found = {name: windows_of(data, name) for name in ("train", "validation", "test")}
    assert {name: len(x) for name, x in found.items()} == {"train": 35, "validation": 10, "test": 5}
    every = np.concatenate(list(found.values()))
    np.testing.assert_array_equal(np.diff(every[..., 1], axis=1), 1)
    np.testing.assert_array_equal(np.diff(every[..., 0], axis=1), 0)
    firsts = {tuple(row) for row in every[:, 0].astype(int)}
    assert firsts == {(100 * which, step) for which in range(10) for step in range(5)}
    owners = [set(x[:, 0, 0]) for x in found.values()]
    assert not owners[0] & owners[1] | owners[0] & owners[2] | owners[1] & owners[2]


def test_one_trajectory_is_divided_in_time():
    x = numbered(1, 100)
    x[..., 0] = x[..., 1] % 7  # a state that never changes is refused
    data = Windows(trajectories=x, length=4, stride=2, validation=0.2, test=0.1)
    steps = {name: windows_of(data, name)[..., 1] for name in ("train", "validation", "test")}
    assert steps["train"].max() == 69
    assert (steps["validation"].min(), steps["validation"].max()) == (70, 89)
    assert steps["test"].min() == 90
    assert set(np.diff(steps["train"][:, 0])) == {2}


def test_units_are_those_of_the_training_states():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(20, 50, 6, 1)) * 3 + 5
    data = Windows(trajectories=x, length=3, alike=(0,), validation=0.0, test=0.5)
    assert data.units.mean.shape == (1, 1)
    train = np.asarray(data.units.encode(None, windows_of(data, "train")))
    assert abs(train.mean()) < 0.01
    assert train.std() == pytest.approx(1, abs=0.01)
    own = Windows(trajectories=x, length=3).units
    assert own.mean.shape == (6, 1)
    np.testing.assert_allclose(own.decode(own.encode(None, x)), x, atol=1e-5)
    assert Standardized(std=np.array([2.0, 8.0])).log_scale == pytest.approx(-np.log(4))


def test_a_batch_is_read_by_number(tmp_path):
    np.save(tmp_path / "x.npy", numbered(4, 9))
    source = Windows(trajectories=tmp_path / "x.npy", length=2, validation=0.0, test=0.0).split("train")
    np.testing.assert_array_equal(source.batch([3, 0])["x"][1], source[0]["x"])


@pytest.mark.parametrize(
    ("x", "options", "told"),
    [
        (np.zeros((4, 5)), {}, r"trajectories.shape = \(4, 5\)"),
        (np.zeros((4, 5, 2)), {"length": 6}, "steps of trajectories = 5: expected at least 6"),
        (np.zeros((4, 5, 2)), {"length": 0}, "Windows.length = 0"),
        (np.zeros((4, 5, 2)), {}, "Standardized.std"),
        (np.where(numbered(4, 5) == 300, np.nan, 1.0), {}, "trajectory 3, step 0 = nan"),
        (numbered(4, 5), {"alike": (1,)}, "Windows.alike"),
        ("nowhere.npy", {}, "data.path = 'nowhere.npy'"),
    ],
)
def test_mistakes_are_told(x, options, told):
    with pytest.raises(InputError, match=told):
        Windows(**{"trajectories": x, "length": 3, **options})
