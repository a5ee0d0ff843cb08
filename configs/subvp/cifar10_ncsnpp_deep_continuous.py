"""NCSN++ cont. deep on CIFAR-10, sub-VP SDE (Song et al. 2021).

Command: python -m score_sde.main --mode=train --config=configs/subvp/cifar10_ncsnpp_deep_continuous.py \
    --workdir=runs/subvp/cifar10_ncsnpp_deep_continuous
Data: cifar10 of tensorflow-datasets, prepared once; where it is missing, the command says how.
Published: 107.5 million parameters, 950,000 updates of 128.
Hardware: not published.
"""

from configs.default_cifar10_configs import get_default_configs
from configs.parts.measures import likelihood
from configs.parts.networks import ncsnpp
from configs.parts.processes import subvp


def get_config(variant=""):
    """The run card's configuration; ``tiny`` and ``fid`` as ``configs/parts/variants.py`` says."""
    network = ncsnpp(variant, blocks=8)
    return get_default_configs(
        variant,
        network=network,
        steps=950_000,
        measures=(likelihood(variant),),
        **subvp(variant),
    )
