"""ADM on ImageNet of 64 pixels, class-conditional (Dhariwal and Nichol 2021).

Command: python -m score_sde.main --mode=train --config=configs/adm/imagenet_64.py \
    --workdir=runs/adm/imagenet_64
Data: imagenet2012 of tensorflow-datasets, written with file_format="array_record"; the middle squares,
    reduced to 64 pixels. The loss is measured on its validation split.
Published: 295.9 million parameters, 540,000 updates of 2048 (table 11). FID 2.61 (table 5); with its
    classifier FID 2.07, precision 0.74, recall 0.63 (README of the authors' code); 250 steps.
Hardware: not published.
Guided: guided by configs/adm/imagenet_64_classifier.py with scale 1.0, once that is trained: add :guided to
    the file.
Differs: the original computes in float16; this in bfloat16.
"""

import jax.numpy as jnp

from configs.parts.adm import diffusion, plan, unet
from configs.parts.data import imagenet
from score_sde.sdes import CosineBetas
from score_sde.training import ClassLabels


def get_config(variant=""):
    """The run card's configuration; ``tiny`` and ``fid`` as ``configs/parts/variants.py`` says."""
    network = unet(
        variant,
        multipliers=(1, 2, 3, 4),
        channels=192,
        blocks=3,
        dropout=0.1,
        attention_order="new",
        n_classes=1000,
        dtype=jnp.bfloat16,
    )
    return diffusion(
        variant,
        name="imagenet_64",
        data=imagenet(variant, size=64),
        network=network,
        condition=ClassLabels,
        betas=CosineBetas,
        learning_rate=3e-4,
        training=plan(variant, steps=540_000, batch_size=2048),
        guidance=("configs/adm/imagenet_64_classifier.py", 1.0),
        sampling_batch=64,
    )
