"""What every scene is given: models, sizes, and where to write."""

from __future__ import annotations

import functools
import pathlib
import zlib
from dataclasses import dataclass

import jax
import numpy as np

from experiments.dream import models
from experiments.dream.models import Digits, Size, Texture
from score_sde.evaluation.movies import save_movie
from score_sde.evaluation.pictures import grid, save_png
from score_sde.integrators import FixedStep, LogSNRNodes
from score_sde.inverse import DualBridge
from score_sde.samplers import ProbabilityFlowODE
from score_sde.typing import Key

RATE = 20.0  # frames a second
T_MIN = 1e-3  # where flows end


@dataclass(frozen=True)
class Stage:
    """Models are trained when a scene first asks for them."""

    workdir: pathlib.Path
    runs: pathlib.Path
    size: Size
    picture: str | None = None  # that the texture is of
    guide: str | None = None  # that style is put on

    @functools.cached_property
    def digits(self) -> Digits:
        """The model of digits."""
        return models.digits(self.runs, self.size)

    @functools.cached_property
    def texture(self) -> Texture:
        """The model of a picture's patches."""
        return models.texture(self.runs, self.size, self.picture)

    @property
    def bridge(self) -> DualBridge:
        """Between digits and noise, by the probability flow."""
        nodes = LogSNRNodes(sde=self.digits.model.sde)
        integrator = FixedStep(n_steps=self.size.flow_steps, times=nodes)
        return DualBridge(ode=ProbabilityFlowODE(integrator=integrator, t_min=T_MIN))

    def key(self, scene: str) -> Key:
        """A scene's own randomness, whichever scenes are played."""
        return jax.random.key(zlib.crc32(scene.encode()) % 2**31)

    def save_sheet(self, name: str, pixels: np.ndarray, columns: int) -> pathlib.Path:
        """A contact sheet of pictures (n, height, width, 3)."""
        return save_png(self.workdir / f"{name}.png", grid(pixels, columns))

    def save_film(self, name: str, frames: list[np.ndarray]) -> pathlib.Path:
        """A film of frames (height, width, 3)."""
        return save_movie(self.workdir / name, frames, rate=RATE)
