"""Large images and long signals block by block: memory is bounded, and one compiled program serves all."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from score_sde.denoisers.tiles import tile_starts, tile_window

Tell = Callable[[int, int], None]  # of a block's number, and how many there are
Risky = Callable[[np.ndarray], tuple[np.ndarray, float]]  # an estimate, and its estimated squared error
UNIT = 32  # sizes of what is one block are filled up to multiples of this, so that few programs are compiled


def silent(number: int, count: int) -> None:
    """Nothing."""


def by_blocks(
    estimate: Risky, y: np.ndarray, side: int, overlap: int, tell: Tell = silent
) -> tuple[np.ndarray, float]:
    """The estimate of (*sizes, channels) from those of blocks, blended where two overlap; their mean risk.

    Args:
        estimate: of a block, at most ``side`` along each axis but channels.
        y: noisy values; where there are fewer than a block's, they are mirrored up to a multiple of ``UNIT``.
        side: of a block.
        overlap: of neighbouring blocks; more than an estimate looks around.
        tell: told after each block.
    """
    sizes = y.shape[:-1]
    blocks = tuple(min(side, math.ceil(size / UNIT) * UNIT) for size in sizes)
    missing = [(0, max(block - size, 0)) for block, size in zip(blocks, sizes, strict=True)]
    padded = np.pad(y, [*missing, (0, 0)], mode="symmetric")
    steps = tuple(block - overlap if block == side else block for block in blocks)
    starts = tile_starts(padded.shape[:-1], blocks, steps)
    window = tile_window(blocks, steps)[..., None]
    total, weight, risks = np.zeros(padded.shape), np.zeros((*padded.shape[:-1], 1)), []
    for number, start in enumerate(starts):
        place = tuple(slice(first, first + block) for first, block in zip(start, blocks, strict=True))
        found, risk = estimate(padded[place])
        total[place] += window * found
        weight[place] += window
        risks.append(risk)
        tell(number + 1, len(starts))
    return (total / weight)[tuple(slice(0, size) for size in sizes)], float(np.mean(risks))
