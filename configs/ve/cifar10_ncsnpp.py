"""NCSN++ on CIFAR-10, the VE SDE at 1000 discrete noise levels (Song et al. 2021).

Command: python -m score_sde.main --mode=train --config=configs/ve/cifar10_ncsnpp.py \
    --workdir=runs/ve/cifar10_ncsnpp
Data: cifar10 of tensorflow-datasets, prepared once; where it is missing, the command says how.
Published: 62.7 million parameters, 1.3 million updates of 128; FID 2.45, inception score 9.73 (table 3: the
    best of the checkpoints at every 50,000 updates).
Hardware: not published.
"""

from configs.default_cifar10_configs import get_default_configs
from configs.parts.networks import UNIT_INTERVAL, ncsnpp
from configs.parts.processes import smld


def get_config(variant=""):
    """The run card's configuration; ``tiny`` and ``fid`` as ``configs/parts/variants.py`` says."""
    network = ncsnpp(variant, **UNIT_INTERVAL)
    return get_default_configs(variant, network=network, low=0.0, **smld(variant))
