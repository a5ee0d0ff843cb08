"""NCSN++ on CelebA of 64 pixels, the VE SDE at 1000 discrete noise levels (code of Song et al. 2021).

Command: python -m score_sde.main --mode=train --config=configs/ve/celeba_ncsnpp.py \
    --workdir=runs/ve/celeba_ncsnpp
Data: celeb_a of tensorflow-datasets, written with file_format="array_record": the middle 140 pixels,
    reduced to 64.
Published: 62.7 million parameters, 1.3 million updates of 128.
Hardware: not published.
"""

from configs.default_celeba_configs import get_default_configs
from configs.parts.networks import UNIT_INTERVAL, ncsnpp
from configs.parts.processes import smld


def get_config(variant=""):
    """The run card's configuration; ``tiny`` and ``fid`` as ``configs/parts/variants.py`` says."""
    network = ncsnpp(variant, **UNIT_INTERVAL)
    return get_default_configs(variant, network=network, low=0.0, **smld(variant, sigma_max=90.0, snr=0.17))
