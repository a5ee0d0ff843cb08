"""NCSN++ cont. on LSUN churches of 256 pixels, VE SDE (Song et al. 2021).

Command: python -m score_sde.main --mode=train --config=configs/ve/church_ncsnpp_continuous.py \
    --workdir=runs/ve/church_ncsnpp_continuous
Data: lsun/church_outdoor of tensorflow-datasets, written with file_format="array_record"; the loss is
    measured on its validation split.
Published: 65.6 million parameters, 2.4 million updates of 64.
Hardware: not published.
"""

from configs.default_lsun_configs import get_default_configs
from configs.parts.data import lsun
from configs.parts.networks import ncsnpp_high
from configs.parts.processes import ve


def get_config(variant=""):
    """The run card's configuration; ``tiny`` and ``fid`` as ``configs/parts/variants.py`` says."""
    network = ncsnpp_high(variant, channels=128, multipliers=(1, 1, 2, 2, 2, 2, 2), blocks=2)
    return get_default_configs(
        variant,
        name="church",
        data=lsun(variant, "church_outdoor", low=0.0),
        split="validation",
        network=network,
        **ve(variant, sigma_max=380.0, steps=2000, snr=0.075),
    )
