"""Photographs without noise: the model that cleans pictures, minutes on two CPU cores.

Data: 32x32 colour patches of eight photographs that come with scikit-learn and scikit-image, four of them
    grey, at full and at half size, 8 bits; the photographs of validation and test are others.
Command: python -m score_sde.main --mode=train --config=experiments/denoise/photographs.py \
    --workdir=runs/denoise/runs/denoise_photographs
Model: VP SDE, the small U-Net of configs/digits.py with one more halving and without attention, noise
    prediction, trained about the noise that pictures have (``recipe.py``); mirror images.
"""

from __future__ import annotations

from typing import Any

from configs.parts import small
from experiments.denoise.recipe import recipe
from score_sde.config import call
from score_sde.data import Photographs
from score_sde.experiment import Experiment
from score_sde.training.augmentations import RandomFlip


def get_config(variant: str = "") -> Any:
    """This model, or with ``tiny`` one of seconds that only shows the way."""
    tiny = small.is_tiny("experiments/denoise/photographs.py", variant)
    return call(
        Experiment,
        **recipe(steps=1000, batch_size=8, channels=24, tiny=tiny),
        data=call(Photographs, size=16 if tiny else 32),
        augmentation=call(RandomFlip),
    )
