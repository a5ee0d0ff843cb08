"""DDPM++ on CIFAR-10, the VE SDE at 1000 discrete noise levels.

Command: python -m score_sde.main --mode=train --config=configs/ve/cifar10_ddpmpp.py \
    --workdir=runs/ve/cifar10_ddpmpp
Data: cifar10 of tensorflow-datasets, prepared once; where it is missing, the command says how.
Added: the authors have no file for it. Everything but the network is that of ve/cifar10_ncsnpp.py,
    everything of the network that of DDPM++. 61.8 million parameters, 1.3 million updates of 128.
Hardware: not published.
"""

from configs.default_cifar10_configs import get_default_configs
from configs.parts.networks import UNIT_INTERVAL, ddpmpp
from configs.parts.processes import smld


def get_config(variant=""):
    """The run card's configuration; ``tiny`` and ``fid`` as ``configs/parts/variants.py`` says."""
    network = ddpmpp(variant, **UNIT_INTERVAL)
    return get_default_configs(variant, network=network, low=0.0, **smld(variant))
