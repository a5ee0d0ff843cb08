"""The classifier of noisy ImageNet of 512 pixels that guides ADM (Dhariwal and Nichol 2021).

Command: python -m score_sde.main --mode=train --config=configs/adm/imagenet_512_classifier.py \
    --workdir=runs/adm/imagenet_512_classifier
Data: imagenet2012 of tensorflow-datasets, written with file_format="array_record"; the middle squares,
    reduced to 512 pixels. The accuracy is measured on its validation split.
Published: 54.4 million parameters, 500,000 updates of 256 at a rate that falls to 0 (table 12).
Hardware: not published.
Differs: the original also crops at random, to between 0.8 and 1 of the shorter side; this takes the middle
    square.
"""

from configs.parts.adm import classifier, encoder, plan
from configs.parts.data import imagenet


def get_config(variant=""):
    """The run card's configuration; ``tiny`` and ``fid`` as ``configs/parts/variants.py`` says."""
    steps = 500_000
    return classifier(
        variant,
        data=imagenet(variant, size=512),
        network=encoder(variant, multipliers=(0.5, 1, 1, 2, 2, 4, 4)),
        steps=steps,
        learning_rate=3e-4,
        weight_decay=0.05,
        training=plan(variant, steps=steps, batch_size=256),
    )
