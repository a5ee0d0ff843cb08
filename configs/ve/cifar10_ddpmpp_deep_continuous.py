"""DDPM++ cont. deep on CIFAR-10, VE SDE.

Command: python -m score_sde.main --mode=train --config=configs/ve/cifar10_ddpmpp_deep_continuous.py \
    --workdir=runs/ve/cifar10_ddpmpp_deep_continuous
Data: cifar10 of tensorflow-datasets, prepared once; where it is missing, the command says how.
Added: the authors have no file for it. Everything but the network is that of
    ve/cifar10_ncsnpp_deep_continuous.py, everything of the network that of DDPM++. It is told log sigma by
    random Fourier features, as all continuous VE models are. 106.7 million parameters, 950,000 updates of
    128.
Hardware: not published.
"""

from configs.default_cifar10_configs import get_default_configs
from configs.parts.networks import UNIT_INTERVAL, ddpmpp
from configs.parts.processes import ve
from score_sde.config import bind
from score_sde.networks.layers import SigmaEmbedding


def get_config(variant=""):
    """The run card's configuration; ``tiny`` and ``fid`` as ``configs/parts/variants.py`` says."""
    network = ddpmpp(variant, blocks=8, embedding=bind(SigmaEmbedding), **UNIT_INTERVAL)
    return get_default_configs(variant, network=network, low=0.0, steps=950_000, **ve(variant))
