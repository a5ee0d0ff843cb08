"""NCSN with techniques 1, 2, 4 and 5 of NCSNv2, on CelebA of 64 pixels (code of Song et al. 2021).

Command: python -m score_sde.main --mode=train --config=configs/ve/ncsn/celeba_1245.py \
    --workdir=runs/ve/ncsn/celeba_1245
Data: celeb_a of tensorflow-datasets, written with file_format="array_record": the middle 140 pixels,
    reduced to 64.
Published: 1.3 million updates of 128.
Hardware: not published.
Differs: the JAX code widens the third refinement block to 256 channels, where the papers and the authors'
    PyTorch code have 128, as here; --config.network.refined="(2, 2, 2, 1)" gives the former.
"""

from configs.default_celeba_configs import get_default_configs
from configs.parts.networks import ncsn
from configs.parts.processes import annealed_langevin
from configs.parts.score_sde import adam_of_song


def get_config(variant=""):
    """The run card's configuration; ``tiny`` and ``fid`` as ``configs/parts/variants.py`` says."""
    process = annealed_langevin(
        variant,
        sigma_max=90.0,
        levels=500,
        each=5,
        snr=0.128,
        decay=0.999,
        divided=False,
    )
    return get_default_configs(
        variant,
        low=0.0,
        network=ncsn(variant, levels=500),
        optimizer=adam_of_song(learning_rate=1e-3, warmup_steps=0, clip_norm=None),
        **process,
    )
