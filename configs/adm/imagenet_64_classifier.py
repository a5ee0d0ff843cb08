"""The classifier of noisy ImageNet of 64 pixels that guides ADM (Dhariwal and Nichol 2021).

Command: python -m score_sde.main --mode=train --config=configs/adm/imagenet_64_classifier.py \
    --workdir=runs/adm/imagenet_64_classifier
Data: imagenet2012 of tensorflow-datasets, written with file_format="array_record"; the middle squares,
    reduced to 64 pixels. The accuracy is measured on its validation split.
Published: 65.4 million parameters, 300,000 updates of 1024 at a rate that falls to 0 (table 12).
Hardware: not published.
Differs: the original also crops at random, to between 0.8 and 1 of the shorter side; this takes the middle
    square.
"""

from configs.parts.adm import classifier, encoder, plan
from configs.parts.data import imagenet
from score_sde.sdes import CosineBetas


def get_config(variant=""):
    """The run card's configuration; ``tiny`` and ``fid`` as ``configs/parts/variants.py`` says."""
    steps = 300_000
    return classifier(
        variant,
        data=imagenet(variant, size=64),
        network=encoder(variant, multipliers=(1, 2, 3, 4), blocks=4),
        betas=CosineBetas,
        steps=steps,
        learning_rate=6e-4,
        weight_decay=0.2,
        training=plan(variant, steps=steps, batch_size=1024),
    )
