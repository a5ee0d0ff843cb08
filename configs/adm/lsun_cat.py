"""ADM on LSUN cats of 256 pixels (Dhariwal and Nichol 2021).

Command: python -m score_sde.main --mode=train --config=configs/adm/lsun_cat.py \
    --workdir=runs/adm/lsun_cat
Data: lsun/cat of tensorflow-datasets, written with file_format="array_record"; the loss is measured on its
    validation split.
Published: 552.8 million parameters, 200,000 updates of 256 (table 11). FID 5.57, precision 0.63, recall
    0.52 (README of the authors' code); 1000 steps.
Hardware: 92 V100-days (table 10).
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
        name="cat",
        data=lsun(variant, "cat"),
        network=network,
        training=plan(variant, steps=200_000, batch_size=256),
        sampling_steps=1000,
    )
