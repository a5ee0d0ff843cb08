"""DDPM++ cont. on CIFAR-10, VP SDE (Song et al. 2021).

Command: python -m score_sde.main --mode=train --config=configs/vp/cifar10_ddpmpp_continuous.py \
    --workdir=runs/vp/cifar10_ddpmpp_continuous
Data: cifar10 of tensorflow-datasets, prepared once; where it is missing, the command says how.
Published: 61.8 million parameters, 1.3 million updates of 128; FID 2.55, inception score 9.58 (table 3: the
    best of the checkpoints at every 50,000 updates); 3.16 bits/dim and FID 3.93 by the probability-flow ODE
    (table 2: the last checkpoint).
Hardware: not published.
"""

from configs.default_cifar10_configs import get_default_configs
from configs.parts.measures import likelihood
from configs.parts.networks import ddpmpp
from configs.parts.processes import vp


def get_config(variant=""):
    """The run card's configuration; ``tiny`` and ``fid`` as ``configs/parts/variants.py`` says."""
    network = ddpmpp(variant)
    return get_default_configs(variant, network=network, measures=(likelihood(variant),), **vp(variant))
