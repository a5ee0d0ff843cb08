"""NCSNv2 on LSUN bedrooms of 128 pixels (Song and Ermon 2020) in the code of Song et al. 2021.

Command: python -m score_sde.main --mode=train --config=configs/ve/ncsnv2/bedroom.py \
    --workdir=runs/ve/ncsnv2/bedroom
Data: lsun/bedroom of tensorflow-datasets, written with file_format="array_record"; the loss is measured on
    its validation split.
Published: 2.4 million updates of 128.
Hardware: not published.
Mended: the original misspells training.continuous and so would train in continuous time a network that
    looks up its noise levels by number.
"""

from configs.default_lsun_configs import get_default_configs
from configs.parts.data import lsun
from configs.parts.networks import ncsnv2_128
from configs.parts.processes import annealed_langevin
from configs.parts.score_sde import adam_of_song


def get_config(variant=""):
    """The run card's configuration; ``tiny`` and ``fid`` as ``configs/parts/variants.py`` says."""
    process = annealed_langevin(
        variant, sigma_max=190.0, levels=1086, each=3, snr=0.095, decay=0.9999, divided=True
    )
    return get_default_configs(
        variant,
        name="bedroom_128",
        data=lsun(variant, "bedroom", low=0.0, size=128),
        split="validation",
        batch_size=128,
        network=ncsnv2_128(variant),
        optimizer=adam_of_song(learning_rate=1e-4, warmup_steps=0, clip_norm=None),
        **process,
    )
