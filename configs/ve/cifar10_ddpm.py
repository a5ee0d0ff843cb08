"""DDPM's network on CIFAR-10, the VE SDE at 1000 discrete noise levels (Song et al. 2021).

Command: python -m score_sde.main --mode=train --config=configs/ve/cifar10_ddpm.py \
    --workdir=runs/ve/cifar10_ddpm
Data: cifar10 of tensorflow-datasets, prepared once; where it is missing, the command says how.
Published: 35.2 million parameters, 1.3 million updates of 128.
Hardware: not published.
"""

from configs.default_cifar10_configs import get_default_configs
from configs.parts.networks import UNIT_INTERVAL, ddpm
from configs.parts.processes import smld


def get_config(variant=""):
    """The run card's configuration; ``tiny`` and ``fid`` as ``configs/parts/variants.py`` says."""
    network = ddpm(variant, **UNIT_INTERVAL)
    return get_default_configs(variant, network=network, low=0.0, **smld(variant))
