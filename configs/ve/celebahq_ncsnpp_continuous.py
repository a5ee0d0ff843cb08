"""NCSN++ cont. on CelebA-HQ of 1024 pixels, VE SDE (Song et al. 2021).

Command: python -m score_sde.main --mode=train --config=configs/ve/celebahq_ncsnpp_continuous.py \
    --workdir=runs/ve/celebahq_ncsnpp_continuous
Data: CelebA-HQ as files in a folder, prepared once:
    python -m score_sde.main --mode=prepare --from=celeba_hq --to=data/celebahq-1024x1024 --resolution=1024
    All of them are trained on, and the loss is measured on them too.
Published: 105.8 million parameters (of which 16 frozen frequencies), 2.4 million updates of 8.
Hardware: not published.
Mended: the original imports torch and lacks fields that its JAX code reads (n_jitted_steps,
    eval.enable_loss), so that it could not run.
"""

from configs.default_lsun_configs import get_default_configs
from configs.parts.data import prepared
from configs.parts.networks import ncsnpp_high
from configs.parts.processes import ve


def get_config(variant=""):
    """The run card's configuration; ``tiny`` and ``fid`` as ``configs/parts/variants.py`` says."""
    network = ncsnpp_high(variant, channels=16, multipliers=(1, 2, 4, 8, 16, 32, 32, 32), blocks=1)
    return get_default_configs(
        variant,
        name="celebahq",
        data=prepared(variant, "celebahq-1024x1024", low=0.0, size=1024),
        split="train",
        batch_size=8,
        steps_per_call=1,
        sampling_batch=4,
        network=network,
        **ve(variant, sigma_max=1348.0, steps=2000, snr=0.15, decay=0.9999),
    )
