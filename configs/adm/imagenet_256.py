"""ADM on ImageNet of 256 pixels, class-conditional (Dhariwal and Nichol 2021).

Command: python -m score_sde.main --mode=train --config=configs/adm/imagenet_256.py \
    --workdir=runs/adm/imagenet_256
Data: imagenet2012 of tensorflow-datasets, written with file_format="array_record"; the middle squares,
    reduced to 256 pixels. The loss is measured on its validation split.
Published: 553.8 million parameters, 1.98 million updates of 256 (table 11). FID 10.94 (table 5); with its
    classifier FID 4.59, precision 0.82, recall 0.52 (README of the authors' code); 250 steps.
Hardware: 916 V100-days (table 10).
Guided: guided by configs/adm/imagenet_256_classifier.py with scale 1.0, once that is trained: add :guided
    to the file.
Differs: the original computes in float16; this in bfloat16.
"""

import jax.numpy as jnp

from configs.parts.adm import diffusion, plan, unet
from configs.parts.data import imagenet
from score_sde.training import ClassLabels


def get_config(variant=""):
    """The run card's configuration; ``tiny`` and ``fid`` as ``configs/parts/variants.py`` says."""
    network = unet(variant, multipliers=(1, 1, 2, 2, 4, 4), n_classes=1000, dtype=jnp.bfloat16)
    return diffusion(
        variant,
        name="imagenet_256",
        data=imagenet(variant, size=256),
        network=network,
        condition=ClassLabels,
        learning_rate=1e-4,
        training=plan(variant, steps=1_980_000, batch_size=256),
        guidance=("configs/adm/imagenet_256_classifier.py", 1.0),
        sampling_batch=16,
    )
