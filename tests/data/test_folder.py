import numpy as np
import pytest
from PIL import Image

from score_sde.data import ImageFolder
from score_sde.errors import InputError


def write(folder, name, value, size=(6, 4), mode="RGB", suffix="png"):
    folder.mkdir(parents=True, exist_ok=True)
    colour = (value,) * len(mode) if mode in ("RGB", "RGBA") else value
    Image.new(mode, size, colour).save(folder / f"{name}.{suffix}")


@pytest.mark.parametrize("memory", [2**30, 0])
def test_classes_are_sub_folders_and_images_are_read_exactly(tmp_path, memory):
    for i in range(10):
        write(tmp_path / ("cat" if i < 5 else "dog"), str(i), 10 * i)
    data = ImageFolder(path=str(tmp_path), size=(4, 6), validation=0.2, test=0.1, memory=memory)
    parts = [data.split(name).arrays() for name in ("train", "validation", "test")]
    assert [len(part["x"]) for part in parts] == [7, 2, 1]
    assert data.shape == parts[0]["x"].shape[1:] == (4, 6, 3)
    assert data.n_classes == 2
    for part in parts:
        value = part["x"][:, 0, 0, 0]
        np.testing.assert_array_equal(part["x"], np.broadcast_to(value[:, None, None, None], part["x"].shape))
        np.testing.assert_array_equal(part["label"], (value >= 50).astype(int))
    assert sorted(np.concatenate([part["x"][:, 0, 0, 0] for part in parts])) == [10 * i for i in range(10)]


def test_split_folders_jpeg_grey_and_resizing(tmp_path):
    write(tmp_path / "train", "a", 200, size=(40, 20), suffix="jpg")
    write(tmp_path / "train", "b", 200, mode="L")
    write(tmp_path / "test", "c", 90)
    data = ImageFolder(path=str(tmp_path), size=8, channels=1, validation=0.5)
    assert data.n_classes is None
    assert [len(data.split(name)) for name in ("train", "validation", "test")] == [1, 1, 1]
    assert data.split("train")[0]["x"].shape == (8, 8, 1)
    assert np.all(np.abs(data.split("train")[0]["x"].astype(int) - 200) <= 1)
    assert set(data.split("test")[0]) == {"x"}


def test_mistakes_name_the_file(tmp_path):
    with pytest.raises(InputError, match=r"nowhere.*a folder of PNG or JPEG"):
        ImageFolder(path=str(tmp_path / "nowhere"), size=8)
    with pytest.raises(InputError, match="PNG or JPEG files in its train part"):
        ImageFolder(path=str(tmp_path), size=8)
    with pytest.raises(InputError, match=r"data\.size = 0"):
        ImageFolder(path=str(tmp_path), size=0)
    with pytest.raises(InputError, match=r"data\.channels = 4"):
        ImageFolder(path=str(tmp_path), size=8, channels=4)
    write(tmp_path / "cat", "a", 1)
    write(tmp_path, "loose", 1)
    with pytest.raises(InputError, match=r"every image in a class folder, or none; .* cat"):
        ImageFolder(path=str(tmp_path), size=8)
    (tmp_path / "loose.png").write_bytes((tmp_path / "cat" / "a.png").read_bytes()[:40])
    (tmp_path / "cat" / "a.png").unlink()
    with pytest.raises(InputError, match=r"loose\.png.*remove or replace"):
        ImageFolder(path=str(tmp_path), size=8)


def test_sixteen_bit_images_are_refused_rather_than_clipped(tmp_path):
    Image.fromarray(np.full((4, 4), 40000, np.uint16)).save(tmp_path / "deep.png")
    with pytest.raises(InputError, match=r"deep\.png.*8 bits"):
        ImageFolder(path=str(tmp_path), size=4)
