"""DDPM on LSUN bedrooms of 256 pixels (Ho et al. 2020) in the code of Song et al. 2021.

Command: python -m score_sde.main --mode=train --config=configs/vp/ddpm/bedroom.py \
    --workdir=runs/vp/ddpm/bedroom
Data: lsun/bedroom of tensorflow-datasets, written with file_format="array_record"; the loss is measured on
    its validation split.
Published: 111.6 million parameters, 2.4 million updates of 64. By Ho et al. 2020 itself: FID 6.36 (their
    table 3).
Hardware: TPU v3-8, 2.2 updates of 64 a second in the code of Ho et al. 2020 (appendix B).
"""

from configs.default_lsun_configs import get_default_configs
from configs.parts.data import lsun
from configs.parts.networks import ddpm
from configs.parts.processes import ddpm_chain
from configs.parts.score_sde import adam_of_song


def get_config(variant=""):
    """The run card's configuration; ``tiny`` and ``fid`` as ``configs/parts/variants.py`` says."""
    network = ddpm(variant, multipliers=(1, 1, 2, 2, 4, 4), dropout=0.0)
    return get_default_configs(
        variant,
        name="bedroom",
        data=lsun(variant, "bedroom"),
        split="validation",
        network=network,
        optimizer=adam_of_song(learning_rate=2e-5),
        **ddpm_chain(variant),
    )
