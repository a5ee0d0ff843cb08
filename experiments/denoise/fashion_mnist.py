"""Fashion-MNIST without noise: a model that cleans its images, minutes on two CPU cores.

Data: as configs/fashion_mnist.py, which says how they are prepared. The model is not told the class.
Command: python -m score_sde.main --mode=train --config=experiments/denoise/fashion_mnist.py \
    --workdir=runs/denoise/runs/denoise_fashion_mnist
Model: as ``photographs.py`` beside this file, on 28x28 pixels and without mirror images.
"""

from __future__ import annotations

from typing import Any

from configs.parts import small
from experiments.denoise.recipe import recipe
from score_sde.config import call
from score_sde.data import TFDS, Synthetic
from score_sde.experiment import Experiment

CLASSES = 10


def get_config(variant: str = "") -> Any:
    """This model, or with ``tiny`` one of seconds on made-up images."""
    tiny = small.is_tiny("experiments/denoise/fashion_mnist.py", variant)
    return call(
        Experiment,
        **recipe(steps=600, batch_size=8, channels=24, tiny=tiny),
        data=call(Synthetic, shape=(8, 8, 1), n_classes=CLASSES, size=160)
        if tiny
        else call(TFDS, name="fashion_mnist", n_classes=CLASSES, validation=0.1),
    )
