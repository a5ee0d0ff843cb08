"""An autoencoder of handwritten digits, for a model of its latents: a minute or two on two CPU cores.

Data: scikit-learn's 1,797 real 8x8 images, 17 levels (1,300 train, 200 validation, 297 test).
Command: python -m score_sde.main --mode=train --config=configs/digits_autoencoder.py \
    --workdir=runs/digits_autoencoder
Model: the AutoencoderKL of Rombach et al. 2022 with two resolutions of 32 and 64 channels: latents (4, 4, 4).
    Squared error and a divergence from N(0, I) of weight 0.01. ``--mode=eval`` measures its loss.
Then: experiments/latents writes the latents, and configs/digits_latent_dit.py models them.
"""

from configs.parts import small
from score_sde.config import bind, call
from score_sde.data import Digits
from score_sde.denoisers import Autoencoder
from score_sde.experiment import Experiment
from score_sde.experiment.measures import Loss
from score_sde.networks import AutoencoderKL
from score_sde.objectives import Autoencoding
from score_sde.sdes import VP
from score_sde.training import Cosine, WarmupEMA, adam


def get_config(variant=""):
    """``configs/digits_autoencoder.py``, or ``:tiny`` for a run of seconds that only shows the way."""
    tiny = small.is_tiny("configs/digits_autoencoder.py", variant)
    steps = 4 if tiny else 1500
    return call(
        Experiment,
        data=call(Digits),
        sde=call(VP),
        network=bind(
            AutoencoderKL,
            channels=4 if tiny else 32,
            multipliers=(1, 2),
            blocks=1,
            latent=4,
            groups=2 if tiny else 8,
        ),
        model=bind(Autoencoder),
        objective=call(Autoencoding, kl_weight=0.01),
        optimizer=call(
            adam, learning_rate=2e-3, warmup_steps=100, clip_norm=1.0, schedule=call(Cosine, steps=steps)
        ),
        ema=call(WarmupEMA, decay=0.999),
        sampler=None,
        measures=(call(Loss),),
        training=small.plan(
            tiny=tiny,
            steps=steps,
            batch_size=8 if tiny else 64,
            steps_per_call=20,
            checkpoint_every=500,
            snapshot_every=1500,
        ),
    )
