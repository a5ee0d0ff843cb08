"""ADM on ImageNet of 512 pixels, class-conditional (Dhariwal and Nichol 2021).

Command: python -m score_sde.main --mode=train --config=configs/adm/imagenet_512.py \
    --workdir=runs/adm/imagenet_512
Data: imagenet2012 of tensorflow-datasets, written with file_format="array_record"; the middle squares,
    reduced to 512 pixels. The loss is measured on its validation split.
Published: 559.0 million parameters, 1.94 million updates of 256 (table 11). FID 23.24 (table 5); with its
    classifier FID 7.72, precision 0.87, recall 0.42 (README of the authors' code); 250 steps.
Hardware: not published; the 1914 V100-days of table 10 are of the model of 128 pixels and its upsampler.
Guided: guided by configs/adm/imagenet_512_classifier.py with scale 4.0, once that is trained: add :guided
    to the file.
"""

from configs.parts.adm import diffusion, plan, unet
from configs.parts.data import imagenet
from score_sde.training import ClassLabels


def get_config(variant=""):
    """The run card's configuration; ``tiny`` and ``fid`` as ``configs/parts/variants.py`` says."""
    network = unet(variant, multipliers=(0.5, 1, 1, 2, 2, 4, 4), n_classes=1000)
    return diffusion(
        variant,
        name="imagenet_512",
        data=imagenet(variant, size=512),
        network=network,
        condition=ClassLabels,
        learning_rate=1e-4,
        training=plan(variant, steps=1_940_000, batch_size=256),
        guidance=("configs/adm/imagenet_512_classifier.py", 4.0),
        sampling_batch=4,
    )
