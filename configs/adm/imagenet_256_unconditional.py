"""ADM on ImageNet of 256 pixels, without classes (Dhariwal and Nichol 2021).

Command: python -m score_sde.main --mode=train --config=configs/adm/imagenet_256_unconditional.py \
    --workdir=runs/adm/imagenet_256_unconditional
Data: imagenet2012 of tensorflow-datasets, written with file_format="array_record"; the middle squares,
    reduced to 256 pixels. The loss is measured on its validation split.
Published: 552.8 million parameters. FID 26.21, precision 0.61, recall 0.63; with the classifier FID 12.00,
    precision 0.76, recall 0.44 (table 4); 250 steps. Length and batch are those of the class-conditional
    model.
Hardware: not published.
Guided: guided by configs/adm/imagenet_256_classifier.py with scale 10.0 (README of the authors' code), once
    that is trained: add :guided to the file. The classes are the classifier's; the model has none.
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
        guidance=("configs/adm/imagenet_256_classifier.py", 10.0),
    )
