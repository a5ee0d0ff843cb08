import numpy as np
import pytest

from score_sde.data import Arrays
from score_sde.errors import InputError

IMAGES = np.random.default_rng(0).integers(0, 5, size=(40, 3, 2))


def save(tmp_path, **arrays):
    path = tmp_path / "data.npz"
    np.savez(path, **arrays)
    return str(path)


def test_splits_divide_the_examples_without_loss(tmp_path):
    path = save(tmp_path, images=np.arange(40).reshape(40, 1), labels=np.arange(40) % 4)
    data = Arrays(path=path, levels=40, validation=0.2, test=0.1, seed=1)
    parts = {name: data.split(name).arrays() for name in ("train", "validation", "test")}
    assert [len(part["x"]) for part in parts.values()] == [28, 8, 4]
    everything = np.concatenate([part["x"] for part in parts.values()]).ravel()
    np.testing.assert_array_equal(np.sort(everything), np.arange(40))
    for part in parts.values():
        np.testing.assert_array_equal(part["x"].ravel() % 4, part["label"])
    assert data.n_classes == 4
    assert parts["train"]["x"].dtype == np.uint8


def test_splits_of_the_file_are_kept_and_missing_ones_are_taken_from_train(tmp_path):
    path = save(tmp_path, train=np.arange(20.0)[:, None], test=np.arange(100.0, 103.0)[:, None])
    data = Arrays(path=path, validation=0.25)
    np.testing.assert_array_equal(data.split("test").arrays()["x"].ravel(), [100, 101, 102])
    inside = [data.split(name).arrays()["x"].ravel() for name in ("train", "validation")]
    assert [len(part) for part in inside] == [15, 5]
    np.testing.assert_array_equal(np.sort(np.concatenate(inside)), np.arange(20))


def test_npy_is_one_array_and_shape_adds_the_channel_axis(tmp_path):
    np.save(tmp_path / "x.npy", IMAGES)
    data = Arrays(path=str(tmp_path / "x.npy"), levels=5, shape=(3, 2, 1))
    assert data.shape == data.split("train")[0]["x"].shape == (3, 2, 1)


@pytest.mark.parametrize(
    ("arrays", "arguments", "said"),
    [
        ({"x": np.array([[0.0], [np.nan], [1.0]])}, {}, "1 not finite"),
        ({"x": IMAGES}, {"levels": 4}, "= 4: expected integers from 0 to 3"),
        ({"x": IMAGES + 0.5}, {"levels": 9}, "expected integers from 0 to 8"),
        ({"x": IMAGES}, {"low": 0.0, "high": 3.0}, "= 4: expected values from 0.0 to 3.0"),
        ({"x": np.zeros(5)}, {}, "expected (examples, ...)"),
        ({"x": np.zeros((0, 2))}, {}, "one example or more"),
        ({"x": IMAGES.astype(complex)}, {}, "real numbers"),
        ({"pictures": IMAGES}, {}, "named x, images or train"),
        ({"x": IMAGES}, {"shape": (5, 5)}, "data.shape = (5, 5): expected 6 values"),
        ({"x": IMAGES, "labels": np.zeros(3, int)}, {}, "of shape (40,)"),
        ({"x": IMAGES, "labels": np.zeros(40)}, {}, "labels"),
        ({"train": IMAGES, "test": IMAGES[:, :2]}, {}, "the same shape in every split"),
        ({"train": IMAGES, "test": IMAGES, "train_labels": np.zeros(40, int)}, {}, "also test_labels"),
        ({"x": IMAGES}, {"validation": 1.5}, "data.validation = 1.5"),
        ({"x": IMAGES}, {"validation": 0.6, "test": 0.4}, "train split = 0"),
    ],
)
def test_mistakes_name_file_value_and_expectation(tmp_path, arrays, arguments, said):
    path = save(tmp_path, **arrays)
    with pytest.raises(InputError) as caught:
        Arrays(path=path, **arguments)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_missing_and_damaged_files(tmp_path):
    with pytest.raises(InputError, match=r"nowhere\.npz.*check the spelling"):
        Arrays(path=str(tmp_path / "nowhere.npz"))
    path = save(tmp_path, x=IMAGES)
    content = (tmp_path / "data.npz").read_bytes()
    for damaged in (content[: len(content) // 2], b"", b"hello"):
        (tmp_path / "data.npz").write_bytes(damaged)
        with pytest.raises(InputError, match="readable"):
            Arrays(path=path)


def test_unknown_and_empty_splits(tmp_path):
    data = Arrays(path=save(tmp_path, x=IMAGES), levels=5, test=0.0)
    with pytest.raises(InputError, match="'valid': expected one of train, validation, test"):
        data.split("valid")
    with pytest.raises(InputError, match="at least one example in it; give a larger test fraction"):
        data.split("test")
