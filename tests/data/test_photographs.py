import numpy as np
import pytest
from skimage import data

from score_sde.data import Photographs
from score_sde.data.photographs import SPLITS
from score_sde.data.scenes import photograph
from score_sde.errors import InputError


def test_patches_are_of_the_photographs_of_their_split():
    """Test patches tile the two photographs side by side; of a grey one all channels are equal."""
    dataset = Photographs(size=64, stride=64)
    assert {name: len(dataset.split(name)) for name in ("validation", "test")} == {
        "validation": 6 * 9,  # of 400 x 600
        "test": 8 * 8 + 4 * 7,  # of 512 x 512 and 300 x 451
    }
    tiles = dataset.split("test").arrays()["x"]
    again = tiles[:64].reshape(8, 8, 64, 64, 3).swapaxes(1, 2).reshape(512, 512, 3)
    np.testing.assert_array_equal(again, data.astronaut()[..., :3])
    np.testing.assert_array_equal(tiles[64], data.chelsea()[:64, :64])
    assert len(dataset.split("train")) == sum(
        (height // by // 64) * (width // by // 64)
        for height, width, _ in (photograph(name).shape for name in SPLITS["train"])
        for by in (1, 2)
    )
    assert (np.ptp(photograph("camera"), axis=-1) == 0).all()
    assert len(set(sum(SPLITS.values(), ()))) == 11  # none is in two splits


@pytest.mark.parametrize(("field", "value"), [("size", 0), ("stride", -1), ("size", 400)])
def test_sizes_that_do_not_fit_are_refused(field, value):
    with pytest.raises(InputError, match=f"data.{field}"):
        Photographs(**{field: value})
