"""EDM on ImageNet of 64 pixels, ADM's network (Karras et al. 2022).

Command: python -m score_sde.main --mode=train --config=configs/edm/imagenet_64.py \
    --workdir=runs/edm/imagenet_64
Data: ILSVRC 2012, the middle squares, prepared once:
    python -m score_sde.main --mode=prepare --from=ILSVRC/Data/CLS-LOC/train \
        --to=data/imagenet-64x64 --resolution=64
    All of them are trained on, and the loss is measured on them too.
Published: 295.9 million parameters, 2.5 billion images in batches of 4096. FID 1.36 with 511 evaluations,
    stochastic (their abstract; the best of three).
Hardware: 32 A100, about 13 days (README of the authors' code).
Differs: the original computes in float16 with its loss times 100; this in bfloat16, which needs no such
    factor.
"""

import jax.numpy as jnp

from configs.parts.data import prepared
from configs.parts.edm import experiment, heun, plan
from configs.parts.variants import pick
from score_sde.config import bind
from score_sde.networks import DhariwalUNet


def get_config(variant=""):
    """The run card's configuration; ``tiny`` and ``fid`` as ``configs/parts/variants.py`` says."""
    network = bind(
        DhariwalUNet,
        channels=pick(variant, 192, 32),
        multipliers=pick(variant, (1, 2, 3, 4), (1, 2)),
        blocks=pick(variant, 3, 1),
        attention_resolutions=pick(variant, (32, 16, 8), (4,)),
        dropout=0.10,
        n_classes=1000,
        dtype=jnp.bfloat16,
    )
    return experiment(
        variant,
        name="imagenet_64",
        data=prepared(variant, "imagenet-64x64", size=64, n_classes=1000),
        network=network,
        learning_rate=1e-4,
        images_of_half_life=50e6,
        n_classes=1000,
        training=plan(
            variant, images=2500e6, batch_size=4096, steps_per_call=1, log_every=50, checkpoint_every=2_500
        ),
        sampler=heun(variant, steps=256, churn=40.0, s_min=0.05, s_max=50.0, s_noise=1.003),
    )
