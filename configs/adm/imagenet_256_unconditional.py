"""ADM on ImageNet of 256 pixels, without classes (Dhariwal and Nichol 2021).

Command: python -m score_sde.main --mode=train --config=configs/adm/imagenet_256_unconditional.py \
    --workdir=runs/adm/imagenet_256_unconditional
Data: imagenet2012 of tensorflow-datasets, written with file_format="array_record"; the middle squares,
    reduced to 256 pixels. The loss is measured on its validation split.
Published: 552.8 million parameters. FID 26.21, and 12.00 with the classifier of
    configs/adm/imagenet_256_classifier.py and scale 10 (table 4); 250 steps. Length and batch are those of
    the class-conditional model.
Differs: the original computes in float16; this in bfloat16.
"""

import jax.numpy as jnp

from configs.parts.adm import diffusion, plan, unet
from configs.parts.data import imagenet


def get_config(variant=""):
    """The run card's configuration; ``tiny`` and ``fid`` as ``configs/parts/variants.py`` says."""
    network = unet(variant, multipliers=(1, 1, 2, 2, 4, 4), dtype=jnp.bfloat16)
    return diffusion(
        variant,
        name="imagenet_256",
        data=imagenet(variant, size=256),
        network=network,
        training=plan(variant, steps=1_980_000, batch_size=256),
    )
