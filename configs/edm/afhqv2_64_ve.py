"""EDM on AFHQv2 of 64 pixels, NCSN++ (Karras et al. 2022; VE in their tables).

Command: python -m score_sde.main --mode=train --config=configs/edm/afhqv2_64_ve.py \
    --workdir=runs/edm/afhqv2_64_ve
Data: AFHQv2, all of its animals, prepared once:
    python -m score_sde.main --mode=prepare --from=afhqv2 \
        --to=data/afhqv2-64x64 --resolution=64
    All of them are trained on, and the loss is measured on them too.
Published: 62.8 million parameters, 200 million images in batches of 256. FID 2.16 with 79 evaluations
    (table 2, configuration F; the best of three).
Hardware: 8 V100, about 4 days (README of the authors' code).
"""

from configs.parts.data import prepared
from configs.parts.edm import augmentation, experiment, heun, ncsnpp, plan


def get_config(variant=""):
    """The run card's configuration; ``tiny`` and ``fid`` as ``configs/parts/variants.py`` says."""
    return experiment(
        variant,
        name="afhqv2_64",
        data=prepared(variant, "afhqv2-64x64", size=64),
        network=ncsnpp(variant, multipliers=(1, 2, 2, 2), dropout=0.25),
        learning_rate=2e-4,
        augmentation=augmentation(0.15),
        training=plan(variant, images=200e6, batch_size=256),
        sampler=heun(variant, steps=40),
    )
