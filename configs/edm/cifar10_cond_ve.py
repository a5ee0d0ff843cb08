"""EDM on CIFAR-10, with classes, NCSN++ (Karras et al. 2022; VE in their tables).

Command: python -m score_sde.main --mode=train --config=configs/edm/cifar10_cond_ve.py \
    --workdir=runs/edm/cifar10_cond_ve
Data: cifar10 of tensorflow-datasets, prepared once; where it is missing, the command says how.
Published: 56.4 million parameters, 200 million images in batches of 512. FID 1.79 with 35 evaluations
    (table 2, configuration F; the best of three).
Hardware: 8 V100, about 2 days (README of the authors' code).
"""

from configs.parts.data import cifar10
from configs.parts.edm import augmentation, experiment, heun, ncsnpp, plan


def get_config(variant=""):
    """The run card's configuration; ``tiny`` and ``fid`` as ``configs/parts/variants.py`` says."""
    return experiment(
        variant,
        name="cifar10",
        data=cifar10(variant),
        split="test",
        network=ncsnpp(variant, multipliers=(2, 2, 2), dropout=0.13, n_classes=10),
        learning_rate=1e-3,
        n_classes=10,
        augmentation=augmentation(0.12),
        training=plan(variant, images=200e6, batch_size=512),
        sampler=heun(variant, steps=18),
    )
