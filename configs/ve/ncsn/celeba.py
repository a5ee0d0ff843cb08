"""NCSN on CelebA of 64 pixels (Song and Ermon 2019) in the code of Song et al. 2021.

Command: python -m score_sde.main --mode=train --config=configs/ve/ncsn/celeba.py \
    --workdir=runs/ve/ncsn/celeba
Data: celeb_a of tensorflow-datasets, written with file_format="array_record": the middle 140 pixels,
    reduced to 64.
Published: 1.3 million updates of 128.
Hardware: not published.
Mended: the original sets training.loss where training.sde is read, so that it could not run.
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
        sigma_max=1.0,
        levels=10,
        each=100,
        snr=0.316,
        decay=0.0,
        divided=False,
    )
    return get_default_configs(
        variant,
        low=0.0,
        network=ncsn(variant, levels=10),
        optimizer=adam_of_song(learning_rate=1e-3, warmup_steps=0, clip_norm=None),
        **process,
    )
