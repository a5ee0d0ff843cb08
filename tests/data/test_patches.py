import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_sample_images

from score_sde.data import Patches
from score_sde.data.patches import cut, divided, smaller
from score_sde.data.scenes import scene
from score_sde.errors import InputError


def test_no_pixel_is_in_two_splits():
    """Pictures whose every pixel has a number of its own."""
    numbers = np.arange(2 * 40 * 60).reshape(2, 40, 60, 1)
    parts = divided(list(numbers), 10, seed=3)
    pixels = {name: set(cut(part, 4, 1).ravel().tolist()) for name, part in parts.items()}
    assert {name: len(part) for name, part in parts.items()} == {"test": 10, "validation": 5, "train": 33}
    assert sum(map(len, pixels.values())) == numbers.size == len(set.union(*pixels.values()))


def test_patches_are_means_of_squares_of_the_photographs():
    data = Patches()
    assert {name: len(data.split(name)) for name in ("train", "validation", "test")} == {
        "train": 84 * 81,  # of 120 blocks of 32 x 32: nine places of a patch along each side
        "validation": 12 * 4,
        "test": 24 * 4,
    }
    assert data.shape == (16, 16, 3)
    patch = data.split("test")[5]["x"].astype(float)
    distances = []
    for photograph in load_sample_images().images:
        means = photograph[:426].astype(float).reshape(213, 2, 320, 2, 3).mean(axis=(1, 3))
        corners = means[: 213 // 16 * 16].reshape(13, 16, 20, 16, 3).swapaxes(1, 2)
        distances.append(np.abs(corners - patch).max(axis=(2, 3, 4)).min())
    assert min(distances) <= 0.5


def test_a_picture_of_one_colour_stays_so():
    assert (smaller(np.full((7, 9, 3), 200, np.uint8), 2) == 200).all()
    assert smaller(np.zeros((7, 9, 3), np.uint8), 2).shape == (3, 4, 3)


@pytest.mark.parametrize(
    ("field", "value"), [("size", 0), ("block", 8), ("block", 200), ("stride", -1), ("shrink", 0)]
)
def test_sizes_that_do_not_fit_are_refused(field, value):
    with pytest.raises(InputError, match=f"data.{field}"):
        Patches(**{field: value})


def test_patches_of_a_picture_of_ones_own(tmp_path):
    """A file of 40 x 64 pixels, each with a colour of its own: every patch is where its first pixel says."""
    rows, columns = np.mgrid[:40, :64]
    pixels = np.stack([rows, columns, 255 - rows], axis=-1).astype(np.uint8)
    Image.fromarray(pixels).save(tmp_path / "mine.png")
    data = Patches(pictures=(str(tmp_path / "mine.png"),), size=4, block=8, shrink=1)
    for split in ("train", "validation", "test"):
        for patch in data.split(split).arrays()["x"]:
            top, left = patch[0, 0, :2]
            np.testing.assert_array_equal(patch, pixels[top : top + 4, left : left + 4])


def test_a_picture_that_is_not_there_is_told(tmp_path):
    with pytest.raises(InputError, match=r"picture = 'flour'.*flower"):
        scene("flour")
    (tmp_path / "text.png").write_text("no image")
    with pytest.raises(InputError, match=r"text\.png"):
        scene(str(tmp_path / "text.png"))
