"""NCSN++ cont. on CIFAR-10, VP SDE (Song et al. 2021).

Command: python -m score_sde.main --mode=train --config=configs/vp/cifar10_ncsnpp_continuous.py \
    --workdir=runs/vp/cifar10_ncsnpp_continuous
Data: cifar10 of tensorflow-datasets, prepared once; where it is missing, the command says how.
Published: 62.7 million parameters, 1.3 million updates of 128.
Hardware: not published.
"""

from configs.default_cifar10_configs import get_default_configs
from configs.parts.measures import likelihood
from configs.parts.networks import ncsnpp
from configs.parts.processes import vp


def get_config(variant=""):
    """The run card's configuration; ``tiny`` and ``fid`` as ``configs/parts/variants.py`` says."""
    network = ncsnpp(variant)
    return get_default_configs(variant, network=network, measures=(likelihood(variant),), **vp(variant))
