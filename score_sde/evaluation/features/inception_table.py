"""The layers of Inception-v3 (Szegedy et al. 2016, table 1, figures 5 to 7), by their published names."""

from __future__ import annotations

import enum
from typing import NamedTuple

CHANNELS = 3  # of the input


class Pool(enum.Enum):
    """What a branch does first, with a window of 3 x 3."""

    NONE = enum.auto()
    AVERAGE = enum.auto()  # of the same size; the padding does not count
    LARGEST = enum.auto()  # of the same size
    HALVED = enum.auto()  # the largest, at every second place, unpadded


class Conv(NamedTuple):
    """A convolution without bias, batch normalisation, and a rectifier."""

    name: str
    n_out: int
    kernel: tuple[int, int] = (1, 1)
    stride: int = 1
    padded: bool = True


class Branch(NamedTuple):
    """One way through a block: a pool, and convolutions after it."""

    convs: tuple[Conv, ...] = ()
    pool: Pool = Pool.NONE


class Block(NamedTuple):
    """Branches whose outputs are concatenated; a layer that two branches name is the same layer."""

    name: str
    branches: tuple[Branch, ...]

    def path(self, conv: Conv) -> str:
        """The name of one of its layers in the file of weights."""
        return f"{self.name}.{conv.name}" if self.name else conv.name


def _branch(*convs: Conv) -> Branch:
    return Branch(convs)


def _pooled(n_out: int, pool: Pool = Pool.AVERAGE) -> Branch:
    return Branch((Conv("branch_pool", n_out),), pool)


HALVED = Branch(pool=Pool.HALVED)


def _stem(name: str, n_out: int, field: int = 1, stride: int = 1, padded: bool = False) -> Block:
    return Block("", (_branch(Conv(name, n_out, (field, field), stride, padded)),))


def _a(name: str, pooled: int) -> Block:
    """35 x 35."""
    return Block(
        name,
        (
            _branch(Conv("branch1x1", 64)),
            _branch(Conv("branch5x5_1", 48), Conv("branch5x5_2", 64, (5, 5))),
            _branch(
                Conv("branch3x3dbl_1", 64),
                Conv("branch3x3dbl_2", 96, (3, 3)),
                Conv("branch3x3dbl_3", 96, (3, 3)),
            ),
            _pooled(pooled),
        ),
    )


def _b(name: str) -> Block:
    """35 x 35 to 17 x 17."""
    return Block(
        name,
        (
            _branch(Conv("branch3x3", 384, (3, 3), 2, False)),
            _branch(
                Conv("branch3x3dbl_1", 64),
                Conv("branch3x3dbl_2", 96, (3, 3)),
                Conv("branch3x3dbl_3", 96, (3, 3), 2, False),
            ),
            HALVED,
        ),
    )


def _c(name: str, width: int) -> Block:
    """17 x 17, with kernels of 7 factored into rows and columns."""
    return Block(
        name,
        (
            _branch(Conv("branch1x1", 192)),
            _branch(
                Conv("branch7x7_1", width),
                Conv("branch7x7_2", width, (1, 7)),
                Conv("branch7x7_3", 192, (7, 1)),
            ),
            _branch(
                Conv("branch7x7dbl_1", width),
                Conv("branch7x7dbl_2", width, (7, 1)),
                Conv("branch7x7dbl_3", width, (1, 7)),
                Conv("branch7x7dbl_4", width, (7, 1)),
                Conv("branch7x7dbl_5", 192, (1, 7)),
            ),
            _pooled(192),
        ),
    )


def _d(name: str) -> Block:
    """17 x 17 to 8 x 8."""
    return Block(
        name,
        (
            _branch(Conv("branch3x3_1", 192), Conv("branch3x3_2", 320, (3, 3), 2, False)),
            _branch(
                Conv("branch7x7x3_1", 192),
                Conv("branch7x7x3_2", 192, (1, 7)),
                Conv("branch7x7x3_3", 192, (7, 1)),
                Conv("branch7x7x3_4", 192, (3, 3), 2, False),
            ),
            HALVED,
        ),
    )


def _e(name: str, pool: Pool) -> Block:
    """8 x 8, each of two branches ending in a row beside a column."""
    three, double = (
        Conv("branch3x3_1", 384),
        (Conv("branch3x3dbl_1", 448), Conv("branch3x3dbl_2", 384, (3, 3))),
    )
    return Block(
        name,
        (
            _branch(Conv("branch1x1", 320)),
            _branch(three, Conv("branch3x3_2a", 384, (1, 3))),
            _branch(three, Conv("branch3x3_2b", 384, (3, 1))),
            _branch(*double, Conv("branch3x3dbl_3a", 384, (1, 3))),
            _branch(*double, Conv("branch3x3dbl_3b", 384, (3, 1))),
            _pooled(192, pool),
        ),
    )


BLOCKS = (
    _stem("Conv2d_1a_3x3", 32, 3, stride=2),
    _stem("Conv2d_2a_3x3", 32, 3),
    _stem("Conv2d_2b_3x3", 64, 3, padded=True),
    Block("", (HALVED,)),
    _stem("Conv2d_3b_1x1", 80),
    _stem("Conv2d_4a_3x3", 192, 3),
    Block("", (HALVED,)),
    _a("Mixed_5b", 32),
    _a("Mixed_5c", 64),
    _a("Mixed_5d", 64),
    _b("Mixed_6a"),
    _c("Mixed_6b", 128),
    _c("Mixed_6c", 160),
    _c("Mixed_6d", 160),
    _c("Mixed_6e", 192),
    _d("Mixed_7a"),
    _e("Mixed_7b", Pool.AVERAGE),
    _e("Mixed_7c", Pool.LARGEST),
)
