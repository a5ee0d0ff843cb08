"""NCSN++ cont. on FFHQ of 256 pixels, VE SDE (code of Song et al. 2021).

Command: python -m score_sde.main --mode=train --config=configs/ve/ffhq_256_ncsnpp_continuous.py \
    --workdir=runs/ve/ffhq_256_ncsnpp_continuous
Data: Flickr-Faces-HQ as files in a folder, prepared once:
    python -m score_sde.main --mode=prepare --from=images1024x1024 --to=data/ffhq-256x256 --resolution=256
    All of them are trained on, and the loss is measured on them too. The original's files are StyleGAN's,
    reduced by averages of 2 x 2 pixels; these by Lanczos.
Published: 65.6 million parameters, 2.4 million updates of 64.
Hardware: not published.
"""

from configs.default_lsun_configs import get_default_configs
from configs.parts.data import prepared
from configs.parts.networks import ncsnpp_high
from configs.parts.processes import ve


def get_config(variant=""):
    """The run card's configuration; ``tiny`` and ``fid`` as ``configs/parts/variants.py`` says."""
    network = ncsnpp_high(variant, channels=128, multipliers=(1, 1, 2, 2, 2, 2, 2), blocks=2)
    return get_default_configs(
        variant,
        name="ffhq_256",
        data=prepared(variant, "ffhq-256x256", low=0.0, size=256),
        split="train",
        network=network,
        **ve(variant, sigma_max=348.0, steps=2000, snr=0.075),
    )
