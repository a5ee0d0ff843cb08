"""EDM on FFHQ of 64 pixels, DDPM++ (Karras et al. 2022; VP in their tables).

Command: python -m score_sde.main --mode=train --config=configs/edm/ffhq_64_vp.py \
    --workdir=runs/edm/ffhq_64_vp
Data: Flickr-Faces-HQ of 1024 pixels, prepared once:
    python -m score_sde.main --mode=prepare --from=images1024x1024 \
        --to=data/ffhq-64x64 --resolution=64
    All of them are trained on, and the loss is measured on them too.
Published: 61.8 million parameters, 200 million images in batches of 256. FID 2.39 with 79 evaluations
    (table 2, configuration F; the best of three).
Hardware: 8 V100, about 4 days (README of the authors' code).
"""

from configs.parts.data import prepared
from configs.parts.edm import augmentation, ddpmpp, experiment, heun, plan


def get_config(variant=""):
    """The run card's configuration; ``tiny`` and ``fid`` as ``configs/parts/variants.py`` says."""
    return experiment(
        variant,
        name="ffhq_64",
        data=prepared(variant, "ffhq-64x64", size=64),
        network=ddpmpp(variant, multipliers=(1, 2, 2, 2), dropout=0.05),
        learning_rate=2e-4,
        augmentation=augmentation(0.15),
        training=plan(variant, images=200e6, batch_size=256),
        sampler=heun(variant, steps=40),
    )
