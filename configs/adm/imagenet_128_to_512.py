"""ADM's upsampler on ImageNet, 128 to 512 pixels, class-conditional (Dhariwal and Nichol 2021).

Command: python -m score_sde.main --mode=train --config=configs/adm/imagenet_128_to_512.py \
    --workdir=runs/adm/imagenet_128_to_512
Data: imagenet2012 of tensorflow-datasets, written with file_format="array_record"; the middle squares,
    reduced to 512 pixels. The loss is measured on its validation split.
Published: 308.8 million parameters, 1.05 million updates of 256 (table 13). FID 9.96 on samples of ADM of
    128 pixels (table 5), 3.85 on guided ones (README of the authors' code); 250 steps.
Hardware: 1878 V100-days together with the model of 128 pixels (table 10).
Samples: enlarges validation images, or with
    --config.condition.sampled=runs/adm/imagenet_128/sample/samples.npz the samples of the smaller model.
Differs: the original computes in float16; this in bfloat16.
"""

import jax.numpy as jnp

from configs.parts.adm import diffusion, plan, unet
from configs.parts.data import imagenet
from score_sde.config import call
from score_sde.networks import ADMSuperResolution
from score_sde.training import ClassLabels, LowResolution


def get_config(variant=""):
    """The run card's configuration; ``tiny`` and ``fid`` as ``configs/parts/variants.py`` says."""
    network = unet(
        variant,
        kind=ADMSuperResolution,
        channels=192,
        multipliers=(1, 1, 2, 2, 4, 4),
        attention=(32, 16),
        n_classes=1000,
        dtype=jnp.bfloat16,
    )
    condition = call(LowResolution, factor=4, labels=call(ClassLabels), split="validation")
    return diffusion(
        variant,
        name="imagenet_512",
        data=imagenet(variant, size=512, tiny=16),
        network=network,
        condition=condition,
        training=plan(variant, steps=1_050_000, batch_size=256),
        sampling_batch=4,
    )
