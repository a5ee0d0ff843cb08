"""How much of everything a run does."""

from __future__ import annotations

from typing import Any, NamedTuple

from experiments.anomaly.baselines import BASELINES
from experiments.anomaly.contestants import contestants
from experiments.anomaly.tables import TABLES, UNSEEN
from score_sde.errors import InputError

PARTS = ("tables", "unseen", "images")


class Size(NamedTuple):
    """How much of everything; what numbers depend on, all of it."""

    parts: tuple[str, ...] = PARTS
    tables: tuple[str, ...] = tuple(TABLES)
    unseen: tuple[str, ...] = tuple(UNSEEN)
    ways: tuple[str, ...] = (*BASELINES, *contestants("tables"))
    seeds: int = 10
    trained: int = 4  # of the seeds, on which networks are trained too
    first: int = 200  # seed of tables; those below served to choose
    steps: int = 1000  # updates on a table
    width: int = 128
    flow_steps: int = 10  # of a likelihood on tables
    image_flow_steps: int = 5
    image_steps: int = 1200  # updates on images
    image_channels: int = 16
    multipliers: tuple[int, ...] = (1, 2)  # of channels, a resolution each
    pixels: int = 14
    images: int = 85  # of each kind, to judge by
    folds: int = 5  # parts of them, for intervals
    reference: int = 256  # training images that scores are fitted to
    made_up: bool = False  # images that need nothing on disk


FAST = Size(
    tables=("wine",),
    unseen=("iris",),
    ways=("kNN", "likelihood", "DTE-NP"),
    seeds=2,
    trained=1,
    steps=20,
    width=8,
    flow_steps=2,
    image_flow_steps=2,
    image_steps=4,
    image_channels=8,
    multipliers=(1,),
    pixels=8,
    images=20,
    folds=2,
    reference=40,
    made_up=True,
)


def amount(size: Size, part: str) -> dict[str, Any]:
    """What the numbers of one part depend on."""
    tables = ("ways", "trained", "first", "steps", "width", "flow_steps")
    unseen = ("ways", "first")
    images = (
        "steps", "width", "image_flow_steps", "image_steps", "image_channels", "multipliers", "pixels",
        "images", "folds", "reference", "made_up",
    )  # fmt: skip
    names = {"tables": tables, "unseen": unseen, "images": images}[part]
    found = {name: getattr(size, name) for name in names}
    return {name: list(value) if name in ("ways", "multipliers") else value for name, value in found.items()}


def require(size: Size) -> None:
    """InputError for a part that there is not."""
    unknown = [name for name in size.parts if name not in PARTS]
    if unknown or not size.parts:
        expected = f"some of {', '.join(PARTS)}"
        raise InputError("--parts", ",".join(unknown), expected, "separate by commas")
