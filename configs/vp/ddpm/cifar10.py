"""DDPM on CIFAR-10 (Ho et al. 2020) as Song et al. 2021 trained it again.

Command: python -m score_sde.main --mode=train --config=configs/vp/ddpm/cifar10.py \
    --workdir=runs/vp/ddpm/cifar10
Data: cifar10 of tensorflow-datasets, prepared once; where it is missing, the command says how.
Published: 35.2 million parameters, 1.3 million updates of 128; FID 3.24; 3.28 bits/dim and FID 3.37 by the
    probability-flow ODE (README of the authors' code, table 2). CIFAR-10 by Ho et al. 2020 itself: FID
    3.17, inception score 9.46, at most 3.75 bits/dim (their table 1).
Hardware: TPU v3-8, 21 updates of 128 a second in the code of Ho et al. 2020 (appendix B).
"""

from configs.default_cifar10_configs import get_default_configs
from configs.parts.measures import likelihood
from configs.parts.networks import ddpm
from configs.parts.processes import ddpm_chain


def get_config(variant=""):
    """The run card's configuration; ``tiny`` and ``fid`` as ``configs/parts/variants.py`` says."""
    network = ddpm(variant)
    return get_default_configs(
        variant,
        network=network,
        measures=(likelihood(variant),),
        **ddpm_chain(variant),
    )
