"""NCSN++ cont. deep on CIFAR-10, VE SDE (Song et al. 2021).

Command: python -m score_sde.main --mode=train --config=configs/ve/cifar10_ncsnpp_deep_continuous.py \
    --workdir=runs/ve/cifar10_ncsnpp_deep_continuous
Data: cifar10 of tensorflow-datasets, prepared once; where it is missing, the command says how.
Published: 107.6 million parameters, 950,000 updates of 128; FID 2.20, inception score 9.89 (table 3: the
    best of the checkpoints at every 50,000 updates).
Hardware: not published.
"""

from configs.default_cifar10_configs import get_default_configs
from configs.parts.networks import UNIT_INTERVAL, ncsnpp
from configs.parts.processes import ve
from score_sde.config import bind
from score_sde.networks.layers import SigmaEmbedding


def get_config(variant=""):
    """The run card's configuration; ``tiny`` and ``fid`` as ``configs/parts/variants.py`` says."""
    network = ncsnpp(variant, blocks=8, embedding=bind(SigmaEmbedding), **UNIT_INTERVAL)
    return get_default_configs(variant, network=network, low=0.0, steps=950_000, **ve(variant))
