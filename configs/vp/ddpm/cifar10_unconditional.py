"""DDPM that is not told the noise, on CIFAR-10 (NCSNv2's technique 3; code of Song et al. 2021).

Command: python -m score_sde.main --mode=train --config=configs/vp/ddpm/cifar10_unconditional.py \
    --workdir=runs/vp/ddpm/cifar10_unconditional
Data: cifar10 of tensorflow-datasets, prepared once; where it is missing, the command says how.
Published: 32.3 million parameters, 1.3 million updates of 128.
Hardware: TPU v3-8, 21 updates of 128 a second in the code of Ho et al. 2020 (appendix B).
"""

from configs.default_cifar10_configs import get_default_configs
from configs.parts.networks import ddpm
from configs.parts.processes import ddpm_chain


def get_config(variant=""):
    """The run card's configuration; ``tiny`` and ``fid`` as ``configs/parts/variants.py`` says."""
    network = ddpm(variant, embedding=None)
    return get_default_configs(variant, network=network, **ddpm_chain(variant))
