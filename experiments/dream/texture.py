"""The texture of one picture, learnt from its patches: minutes on two CPU cores.

Data: 32x32 colour patches of scikit-learn's flower at half its size, 8 bits, 2 pixels apart; blocks of 64x64
    pixels are kept for validation and test. Another picture: --config.data.pictures='("mine.png",)'.
Command: python -m score_sde.main --mode=train --config=experiments/dream/texture.py \
    --workdir=runs/dream/runs/texture
Model: VP SDE, the small U-Net of configs/digits.py with one more halving, noise prediction, mirror images.
    One picture is no law of pictures: what this model knows is what it is made of.
"""

from __future__ import annotations

from typing import Any

from configs.parts import small
from score_sde.config import bind, call
from score_sde.data import Patches
from score_sde.data.patches import LEAST
from score_sde.data.scenes import scene
from score_sde.denoisers import LogSNRLabels
from score_sde.errors import InputError
from score_sde.experiment import Experiment
from score_sde.networks import UNet
from score_sde.training.augmentations import RandomFlip

STEPS = 1600
SHRINK = 2  # so many pixels of the picture a pixel of a patch, along each axis
WIDEST = 8  # times as wide as high, or as high as wide, a guide may be


def patch(tiny: bool) -> int:
    """Pixels of a patch's side."""
    return 16 if tiny else 32


def require_pictures(picture: str | None, guide: str | None, tiny: bool) -> None:
    """Raise unless the pictures can be read, the one holds enough squares and the other is no strip."""
    if picture is not None:
        height, width = scene(picture, "--picture").shape[:2]
        square = 2 * patch(tiny) * SHRINK
        if (height // square) * (width // square) < LEAST:
            given = f"{picture}, {width}x{height} pixels"
            expected = f"room for {LEAST} squares of {square}x{square} pixels"
            raise InputError(
                "--picture", given, expected, f"take a larger one, such as {5 * square}x{2 * square}"
            )
    if guide is not None:
        height, width = scene(guide, "--guide").shape[:2]
        if max(height, width) > WIDEST * min(height, width):
            given = f"{guide}, {width}x{height} pixels"
            raise InputError("--guide", given, f"at most {WIDEST} times as wide as high", "cut it")


def get_config(variant: str = "") -> Any:
    """This model, or with ``tiny`` one of seconds that only shows the way."""
    tiny = small.is_tiny("experiments/dream/texture.py", variant)
    steps = 4 if tiny else STEPS
    side = patch(tiny)
    return call(
        Experiment,
        **small.recipe(labels=call(LogSNRLabels), learning_rate=2e-3, steps=steps),
        data=call(Patches, pictures=("flower",), size=side, block=2 * side, stride=2, shrink=SHRINK),
        network=bind(
            UNet,
            channels=8 if tiny else 32,
            multipliers=(1, 2) if tiny else (1, 2, 2),
            blocks=1,
            attention_resolutions=(8,),
            dropout=0.0,
            label_scale=40.0,
        ),
        augmentation=call(RandomFlip),
        training=small.plan(
            tiny=tiny,
            steps=steps,
            batch_size=8,
            steps_per_call=10,
            checkpoint_every=200,
            snapshot_every=steps,
        ),
        sampler=small.ancestral(steps=4 if tiny else 100, sigma_min=0.004),
        n_samples=16,
        sampling_batch=16,
    )
