"""Pictures larger than those of training: a texture whose copies join, and a panorama to walk along."""

from __future__ import annotations

import numpy as np

from experiments.dream.models import Texture, sampler
from experiments.dream.stage import Stage
from score_sde.denoisers import Covering, Layout, Tiled, Wrapping

SIGMA_MIN = 0.02  # where steps end: a network sees less noise poorly
STRIDES = 2  # tiles over each place, along each axis


def tiled(texture: Texture, layout: Layout) -> Tiled:
    """The model of patches on a larger picture."""
    return Tiled.of(texture.model, texture.tile, texture.tile[0] // STRIDES, layout=layout)


def play(stage: Stage) -> dict[str, float]:
    """How much neighbours differ where copies meet, over how much they differ elsewhere: 1 is no seam."""
    texture, size = stage.texture, stage.size
    draw = sampler(stage.size.steps, SIGMA_MIN)
    square, wide = (1, size.side, size.side, 3), (1, size.side, size.width, 3)
    found = {
        name: np.asarray(draw(stage.key("panorama"), tiled(texture, layout), shape))
        for name, layout, shape in (
            ("seamless", Wrapping(), square),
            ("from end to end", Covering(), square),
            ("panorama", Wrapping(), wide),
        )
    }
    for name in ("seamless", "from end to end"):
        stage.save_sheet(
            f"texture_{name.replace(' ', '_')}", texture.pixels(np.tile(found[name], (1, 3, 3, 1)), 1), 1
        )
    stage.save_sheet("panorama", texture.pixels(found["panorama"], size.width), 1)
    step = max(1, size.width // (4 * size.frames))
    rolled = [np.roll(found["panorama"], -i, axis=2) for i in range(0, size.width, step)]
    stage.save_film(
        "panorama", [texture.pixels(each[:, :, : 2 * size.side], 4 * size.side)[0] for each in rolled]
    )
    return {f"seam, {name}": seam(x[0]) for name, x in found.items()}


def seam(x: np.ndarray) -> float:
    """Mean difference of first and last rows and columns, over that of neighbours, of (height, width, C)."""
    ratios = []
    for axis in (0, 1):
        across = np.abs(x.take(0, axis) - x.take(-1, axis)).mean()
        ratios.append(across / np.abs(np.diff(x, axis=axis)).mean())
    return float(np.mean(ratios))
