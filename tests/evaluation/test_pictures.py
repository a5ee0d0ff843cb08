"""Pictures hold the data: every pixel can be read back from the file."""

import numpy as np
import pytest
from PIL import Image

from score_sde.errors import InputError
from score_sde.evaluation import save_animation, save_comparison, save_grid, save_strip
from score_sde.evaluation.pictures import MARGIN, SEPARATOR

RNG = np.random.default_rng(0)
DIGITS = RNG.integers(0, 17, (7, 8, 8, 1))


def read(path):
    return np.asarray(Image.open(path).convert("RGB"))


def tiles(picture, columns, size, step):
    """The tiles of a grid, one value for each enlarged pixel."""
    height, width = size * step + MARGIN, size * step + MARGIN
    rows = (picture.shape[0] - MARGIN) // height
    return [
        picture[r * height + MARGIN :, c * width + MARGIN :][: size * step : step, : size * step : step]
        for r in range(rows)
        for c in range(columns)
    ]


def test_a_grid_holds_the_images(tmp_path):
    picture = read(save_grid(tmp_path / "new" / "grid.png", DIGITS, low=0, high=16, columns=4, tile=24))
    assert picture.shape == (2 * (24 + MARGIN) + MARGIN, 4 * (24 + MARGIN) + MARGIN, 3)
    for image, tile in zip(DIGITS, tiles(picture, 4, 8, 3), strict=False):
        np.testing.assert_array_equal(tile, np.repeat(np.round(image / 16 * 255), 3, axis=-1))
    assert (tiles(picture, 4, 8, 3)[7] == SEPARATOR).all()  # the open place
    assert (picture[:MARGIN] == SEPARATOR).all()


def test_colour_and_large_images_are_kept(tmp_path):
    images = RNG.integers(0, 256, (2, 70, 70, 3))
    picture = read(save_grid(tmp_path / "grid.png", images, low=0, high=255, columns=2))
    np.testing.assert_array_equal(tiles(picture, 2, 70, 1)[1], images[1])


def test_values_beyond_the_range_are_cut_and_nan_is_seen(tmp_path):
    image = np.array([[[-9.0, 9.0], [0.0, np.nan]]])
    picture = read(save_grid(tmp_path / "grid.png", image, low=-1, high=1, tile=2))
    expected = [[[0] * 3, [255] * 3], [[128] * 3, [255, 0, 255]]]
    np.testing.assert_array_equal(tiles(picture, 1, 2, 1)[0], expected)


def test_a_comparison_puts_each_sample_above_its_neighbor(tmp_path):
    picture = read(save_comparison(tmp_path / "c.png", DIGITS[:2], 16 - DIGITS[:2], low=0, high=16))
    block = picture[:, -(2 * (64 + MARGIN) + MARGIN) :]  # right of the labels
    upper, _, lower, _ = tiles(block, 2, 8, 8)
    np.testing.assert_allclose(upper.astype(int) + lower, 255, atol=1)
    assert len(np.unique(picture[:, : -block.shape[1]])) > 1  # the labels are written


def test_a_strip_begins_with_noise_and_ends_with_the_sample(tmp_path):
    trajectory = np.linspace(0, 1, 31)[:, None, None, None, None] * DIGITS[None]
    times = np.linspace(1, 0, 31)
    path = save_strip(tmp_path / "s.png", trajectory, low=0, high=16, times=times, columns=4, rows=3)
    picture = read(path)
    body = picture[-(3 * (64 + MARGIN) + MARGIN) :]
    assert body.shape[1] == 4 * (64 + MARGIN) + MARGIN
    assert body.shape[0] < picture.shape[0]  # a row of times above
    strip = tiles(body, 4, 8, 8)
    for row in range(3):
        assert not strip[4 * row].any()
        np.testing.assert_array_equal(strip[4 * row + 3][..., 0], np.round(DIGITS[row, ..., 0] / 16 * 255))


def test_an_animation_runs_from_first_to_last_and_rests_there(tmp_path):
    trajectory = np.linspace(0, 1, 100)[:, None, None, None, None] * DIGITS[None]
    path = save_animation(tmp_path / "a.gif", trajectory, low=0, high=16, frames=10, seconds=1.0)
    with Image.open(path) as movie:
        assert (movie.n_frames, movie.info["loop"]) == (10, 0)
        assert movie.info["duration"] == 100
        first = np.asarray(movie.convert("RGB"))
        movie.seek(9)
        assert movie.info["duration"] == 2000
        last = np.asarray(movie.convert("RGB"))
    assert np.abs(last.astype(int) - first).max() > 200
    shown = tiles(last, 3, 8, 6)[0][..., 0].astype(int)
    assert np.abs(shown - DIGITS[0, ..., 0] / 16 * 255).max() < 12  # a palette of 64 colours


@pytest.mark.parametrize(
    "call",
    [
        lambda path: save_grid(path, DIGITS[:0], low=0, high=16),
        lambda path: save_grid(path, DIGITS.reshape(7, 64), low=0, high=16),
        lambda path: save_grid(path, np.zeros((2, 8, 8, 2)), low=0, high=16),
        lambda path: save_grid(path, DIGITS, low=1, high=1),
        lambda path: save_grid(path, DIGITS, low=0, high=16, columns=-1),
        lambda path: save_comparison(path, DIGITS, DIGITS[:3], low=0, high=16),
        lambda path: save_comparison(path, DIGITS, DIGITS[:, :4], low=0, high=16),
        lambda path: save_strip(path, DIGITS[0], low=0, high=16),
        lambda path: save_strip(path, DIGITS[None], low=0, high=16, times=[1.0, 2.0]),
        lambda path: save_animation(path, DIGITS[0], low=0, high=16),
    ],
)
def test_bad_input_is_refused_and_leaves_no_file(call, tmp_path):
    with pytest.raises(InputError):
        call(tmp_path / "x.png")
    assert not list(tmp_path.iterdir())
