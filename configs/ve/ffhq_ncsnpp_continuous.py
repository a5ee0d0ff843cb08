"""NCSN++ cont. on FFHQ of 1024 pixels, VE SDE (code of Song et al. 2021).

Command: python -m score_sde.main --mode=train --config=configs/ve/ffhq_ncsnpp_continuous.py \
    --workdir=runs/ve/ffhq_ncsnpp_continuous
Data: Flickr-Faces-HQ as files in a folder, prepared once:
    python -m score_sde.main --mode=prepare --from=images1024x1024 --to=data/ffhq-1024x1024 --resolution=1024
    All of them are trained on, and the loss is measured on them too.
Published: 105.8 million parameters (of which 16 frozen frequencies), 2.4 million updates of 8. Unlike the
    other VE models its loss is a mean over dimensions, not half the sum.
Hardware: not published.
Mended: the original imports torch and lacks fields that its JAX code reads (n_jitted_steps,
    eval.enable_loss), so that it could not run.
"""

from configs.default_lsun_configs import get_default_configs
from configs.parts.data import prepared
from configs.parts.networks import ncsnpp_high
from configs.parts.processes import ve
from score_sde.arrays import mean_per_example


def get_config(variant=""):
    """The run card's configuration; ``tiny`` and ``fid`` as ``configs/parts/variants.py`` says."""
    network = ncsnpp_high(variant, channels=16, multipliers=(1, 2, 4, 8, 16, 32, 32, 32), blocks=1)
    return get_default_configs(
        variant,
        name="ffhq",
        data=prepared(variant, "ffhq-1024x1024", low=0.0, size=1024),
        split="train",
        batch_size=8,
        steps_per_call=1,
        sampling_batch=4,
        network=network,
        **ve(variant, sigma_max=1348.0, steps=2000, snr=0.15, decay=0.9999, reduction=mean_per_example),
    )
