"""ADM on LSUN bedrooms of 256 pixels (Dhariwal and Nichol 2021).

Command: python -m score_sde.main --mode=train --config=configs/adm/lsun_bedroom.py \
    --workdir=runs/adm/lsun_bedroom
Data: lsun/bedroom of tensorflow-datasets, written with file_format="array_record"; the loss is measured on
    its validation split.
Published: 552.8 million parameters, 500,000 updates of 256 (table 11). FID 1.90, precision 0.66, recall
    0.51 (README of the authors' code); 1000 steps.
Hardware: not published.
Differs: the original computes in float16; this in bfloat16.
"""

import jax.numpy as jnp

from configs.parts.adm import diffusion, plan, unet
from configs.parts.data import lsun


def get_config(variant=""):
    """The run card's configuration; ``tiny`` and ``fid`` as ``configs/parts/variants.py`` says."""
    network = unet(variant, multipliers=(1, 1, 2, 2, 4, 4), dropout=0.1, dtype=jnp.bfloat16)
    return diffusion(
        variant,
        name="bedroom",
        data=lsun(variant, "bedroom"),
        network=network,
        training=plan(variant, steps=500_000, batch_size=256),
        sampling_steps=1000,
    )
