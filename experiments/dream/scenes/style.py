"""A picture made of another's texture: noise up to a time, and the reverse process of patches from there."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
from PIL import Image
from sklearn.neighbors import NearestNeighbors

from experiments.dream.models import Texture, sampler
from experiments.dream.scenes.panorama import SIGMA_MIN, tiled
from experiments.dream.stage import Stage
from score_sde.data.patches import cut
from score_sde.data.scenes import scene
from score_sde.denoisers import Covering
from score_sde.inverse import SDEdit

GUIDE = "chelsea"  # a cat
TIMES = (0.3, 0.45, 0.6)  # of T = 1
SIDE, KNOWN = 6, 20_000  # of the patches that are compared; of those of the texture


def play(stage: Stage) -> dict[str, float]:
    """For each time: how near its small patches are to the texture's, and how much of the guide is left."""
    texture, size = stage.texture, stage.size
    guide = picture_of(stage.guide or GUIDE, 2 * size.side)[None]
    x = texture.units.of_picture(jax.random.key(0), jnp.asarray(guide, jnp.float32) / 255)
    rows, numbers = [np.asarray(x)], {}
    near = Nearness(texture)
    numbers["distance to the texture, of the guide"] = near(np.asarray(x))
    for t0 in TIMES:
        edit = SDEdit(sampler=sampler(size.steps, SIGMA_MIN), t0=t0)
        key = jax.random.fold_in(stage.key("style"), round(100 * t0))
        drawn = np.asarray(edit(key, tiled(texture, Covering()), x))
        rows.append(drawn)
        numbers[f"distance to the texture, from t = {t0}"] = near(drawn)
        numbers[f"correlation with the guide, from t = {t0}"] = float(
            np.corrcoef(drawn.ravel(), rows[0].ravel())[0, 1]
        )
    stage.save_sheet("style", texture.pixels(np.concatenate(rows), 4 * size.side), len(rows))
    return numbers


def picture_of(name: str, height: int) -> np.ndarray:
    """A scene of about this height, with sides that are multiples of 8, as uint8 (height, width, 3)."""
    picture = Image.fromarray(scene(name))
    width = max(8, round(picture.width * height / picture.height / 8) * 8)
    return np.asarray(picture.resize((width, height), Image.Resampling.LANCZOS))


class Nearness:
    """Root mean square distance of a picture's patches to the nearest of the texture's training patches."""

    def __init__(self, texture: Texture) -> None:
        x = np.asarray(texture.encoded(texture.experiment.data.split("train").arrays()["x"]))
        patches = cut(x, SIDE, SIDE).reshape(-1, SIDE * SIDE * 3)
        chosen = np.random.default_rng(0).permutation(len(patches))[:KNOWN]
        self.known = NearestNeighbors(n_neighbors=1).fit(patches[chosen])

    def __call__(self, x: np.ndarray) -> float:
        """Of all patches side by side in (n, height, width, 3)."""
        distances, _ = self.known.kneighbors(cut(x, SIDE, SIDE).reshape(-1, SIDE * SIDE * 3))
        return float(np.sqrt(np.mean(np.square(distances)) / (SIDE * SIDE * 3)))
