"""DDPM's network on CIFAR-10, sub-VP SDE (Song et al. 2021).

Command: python -m score_sde.main --mode=train --config=configs/subvp/cifar10_ddpm_continuous.py \
    --workdir=runs/subvp/cifar10_ddpm_continuous
Data: cifar10 of tensorflow-datasets, prepared once; where it is missing, the command says how.
Published: 35.2 million parameters, 1.3 million updates of 128; 3.05 bits/dim and FID 3.56 by the
    probability-flow ODE (table 2: the last checkpoint).
Hardware: not published.
"""

from configs.default_cifar10_configs import get_default_configs
from configs.parts.measures import likelihood
from configs.parts.networks import ddpm
from configs.parts.processes import subvp


def get_config(variant=""):
    """The run card's configuration; ``tiny`` and ``fid`` as ``configs/parts/variants.py`` says."""
    network = ddpm(variant)
    return get_default_configs(variant, network=network, measures=(likelihood(variant),), **subvp(variant))
