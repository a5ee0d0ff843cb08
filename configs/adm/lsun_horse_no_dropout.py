"""ADM on LSUN horses of 256 pixels, without dropout (code of Dhariwal and Nichol 2021).

Command: python -m score_sde.main --mode=train --config=configs/adm/lsun_horse_no_dropout.py \
    --workdir=runs/adm/lsun_horse_no_dropout
Data: lsun/horse of tensorflow-datasets, written with file_format="array_record"; the loss is measured on
    its validation split.
Published: 552.8 million parameters, 250,000 updates. FID 2.95, precision 0.69, recall 0.55 (table 10); 1000
    steps. The batch is that of the model with dropout.
Hardware: 116 V100-days (table 10).
Differs: the original computes in float16; this in bfloat16.
"""

import jax.numpy as jnp

from configs.parts.adm import diffusion, plan, unet
from configs.parts.data import lsun


def get_config(variant=""):
    """The run card's configuration; ``tiny`` and ``fid`` as ``configs/parts/variants.py`` says."""
    network = unet(variant, multipliers=(1, 1, 2, 2, 4, 4), dropout=0.0, dtype=jnp.bfloat16)
    return diffusion(
        variant,
        name="horse",
        data=lsun(variant, "horse"),
        network=network,
        training=plan(variant, steps=250_000, batch_size=256),
        sampling_steps=1000,
    )
