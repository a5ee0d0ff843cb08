"""Patches of one picture or a few: real colours with no download, or a user's own."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from score_sde.data.base import ArraySource, Dataset
from score_sde.data.scenes import scene
from score_sde.dequantization import UniformDequantization
from score_sde.errors import InputError

TEST, VALIDATION = 0.2, 0.1  # of the blocks
LEAST = 10  # blocks, of which one is for validation


class Patches(Dataset):
    """8-bit colour patches (size, size, 3) of pictures: of one to learn its texture, or of a few.

    The pictures are made smaller by means of ``shrink`` x ``shrink`` pixels and cut into square blocks.
    ``default_rng(seed)`` gives a fifth of all blocks to the test split and a tenth to validation, so that no
    pixel is in two splits. Those of training are cut at every ``stride`` pixels, the others side by side.

    The default is a temple in China and a flower, 427 x 640 pixels each, by danielbuechele and vultilion,
    Creative Commons Attribution 2.0 (scikit-learn's ``datasets/images/README.txt``).

    Args:
        pictures: names of photographs that come with scikit-learn or scikit-image ("flower", "grass",
            ...), or paths of image files.
        size: side of a patch in pixels.
        block: side of a block.
        stride: from one training patch to the next.
        shrink: by how much the photographs are made smaller.
        seed: seed of the division into splits.

    Raises:
        InputError: numbers that are not positive, patches larger than blocks, blocks too large for ten,
            a picture that is not there.
    """

    def __init__(
        self,
        *,
        pictures: Sequence[str] = ("china", "flower"),
        size: int = 16,
        block: int = 32,
        stride: int = 2,
        shrink: int = 2,
        seed: int = 0,
    ) -> None:
        given = {"size": size, "block": block, "stride": stride, "shrink": shrink}
        for name, value in given.items():
            if value < 1:
                raise InputError(f"data.{name}", value, "a positive number of pixels", "raise it")
        if size > block:
            raise InputError("data.block", block, f"at least data.size = {size}", "raise it")
        parts = divided([smaller(scene(name), shrink) for name in pictures], block, seed)
        strides = {"train": stride, "validation": size, "test": size}
        splits = {name: ArraySource(x=cut(part, size, strides[name])) for name, part in parts.items()}
        super().__init__(shape=(size, size, 3), units=UniformDequantization(levels=256), splits=splits)


def smaller(picture: np.ndarray, shrink: int) -> np.ndarray:
    """Rounded means of squares of pixels (height, width, channels); what is left over at the edges is cut."""
    height, width = (side // shrink for side in picture.shape[:2])
    squares = picture[: height * shrink, : width * shrink].reshape(
        height, shrink, width, shrink, picture.shape[2]
    )
    return np.round(squares.mean(axis=(1, 3))).astype(np.uint8)


def divided(pictures: Sequence[np.ndarray], block: int, seed: int) -> dict[str, np.ndarray]:
    """Blocks (count, block, block, channels) of each split, side by side in the pictures."""
    blocks = np.concatenate([cut(picture[None], block, block) for picture in pictures])
    if len(blocks) < LEAST:
        expected = f"blocks of which the pictures have {LEAST} or more, not {len(blocks)}"
        raise InputError("data.block", block, expected, "take larger pictures, or lower it or data.shrink")
    order = np.random.default_rng(seed).permutation(len(blocks))
    test, validation = (round(part * len(blocks)) for part in (TEST, VALIDATION))
    parts = np.split(order, (test, test + validation))
    return {name: blocks[part] for name, part in zip(("test", "validation", "train"), parts, strict=True)}


def cut(pictures: np.ndarray, size: int, stride: int) -> np.ndarray:
    """All patches of pictures (count, height, width, channels), picture by picture."""
    height, width, channels = pictures.shape[1:]
    corners = [
        (top, left)
        for top in range(0, height - size + 1, stride)
        for left in range(0, width - size + 1, stride)
    ]
    found = [pictures[:, top : top + size, left : left + size] for top, left in corners]
    if not found:
        return np.zeros((0, size, size, channels), pictures.dtype)
    return np.stack(found, axis=1).reshape(-1, size, size, channels)
