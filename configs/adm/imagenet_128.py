"""ADM on ImageNet of 128 pixels, class-conditional (Dhariwal and Nichol 2021).

Command: python -m score_sde.main --mode=train --config=configs/adm/imagenet_128.py \
    --workdir=runs/adm/imagenet_128
Data: imagenet2012 of tensorflow-datasets, written with file_format="array_record"; the middle squares,
    reduced to 128 pixels. The loss is measured on its validation split.
Published: 421.5 million parameters, 4.36 million updates of 256 (table 11). FID 5.91 (table 5); with its
    classifier FID 2.97, precision 0.78, recall 0.59 (README of the authors' code); 250 steps.
Hardware: 521 V100-days (table 10).
Guided: guided by configs/adm/imagenet_128_classifier.py with scale 0.5, once that is trained: add :guided
    to the file.
Differs: the original computes in float16; this in bfloat16.
"""

import jax.numpy as jnp

from configs.parts.adm import diffusion, plan, unet
from configs.parts.data import imagenet
from score_sde.config import call
from score_sde.networks.layers import ConstantHeads
from score_sde.training import ClassLabels


def get_config(variant=""):
    """The run card's configuration; ``tiny`` and ``fid`` as ``configs/parts/variants.py`` says."""
    network = unet(
        variant,
        multipliers=(1, 1, 2, 3, 4),
        heads=call(ConstantHeads, heads=4),
        n_classes=1000,
        dtype=jnp.bfloat16,
    )
    return diffusion(
        variant,
        name="imagenet_128",
        data=imagenet(variant, size=128),
        network=network,
        condition=ClassLabels,
        learning_rate=1e-4,
        training=plan(variant, steps=4_360_000, batch_size=256),
        guidance=("configs/adm/imagenet_128_classifier.py", 0.5),
        sampling_batch=32,
    )
