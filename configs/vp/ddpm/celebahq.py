"""DDPM on CelebA-HQ of 256 pixels (Ho et al. 2020) in the code of Song et al. 2021.

Command: python -m score_sde.main --mode=train --config=configs/vp/ddpm/celebahq.py \
    --workdir=runs/vp/ddpm/celebahq
Data: CelebA-HQ as files in a folder, prepared once:
    python -m score_sde.main --mode=prepare --from=celeba_hq --to=data/celebahq-256x256 --resolution=256
    All of them are trained on, and the loss is measured on them too.
Published: 111.6 million parameters, 2.4 million updates of 64.
Hardware: TPU v3-8, 2.2 updates of 64 a second in the code of Ho et al. 2020 (appendix B).
Mended: the original names 256 pixels but reads the file of 1024, which its loader does not reduce.
"""

from configs.default_lsun_configs import get_default_configs
from configs.parts.data import prepared
from configs.parts.networks import ddpm
from configs.parts.processes import ddpm_chain
from configs.parts.score_sde import adam_of_song


def get_config(variant=""):
    """The run card's configuration; ``tiny`` and ``fid`` as ``configs/parts/variants.py`` says."""
    network = ddpm(variant, multipliers=(1, 1, 2, 2, 4, 4), dropout=0.0)
    return get_default_configs(
        variant,
        name="celebahq_256",
        data=prepared(variant, "celebahq-256x256", size=256),
        split="train",
        network=network,
        optimizer=adam_of_song(learning_rate=2e-5),
        **ddpm_chain(variant),
    )
