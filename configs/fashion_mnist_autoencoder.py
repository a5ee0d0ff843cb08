"""An autoencoder of Fashion-MNIST, for a model of its latents.

Data: that of configs/fashion_mnist.py, prepared in the same way.
Command: python -m score_sde.main --mode=train --config=configs/fashion_mnist_autoencoder.py \
    --workdir=runs/fashion_mnist_autoencoder
Model: as configs/digits_autoencoder.py, with three resolutions of 16, 32 and 64 channels: latents (7, 7, 4),
    a quarter as many numbers as pixels. ``--mode=eval`` measures its loss.
Measured here: 1,000 updates in 21 minutes on two CPU cores that two other trainings shared.
Then: experiments/latents writes the latents, and configs/fashion_mnist_latent_dit.py models them.
"""

from configs import digits_autoencoder, fashion_mnist
from configs.parts import small
from score_sde.config import bind, call
from score_sde.experiment import Experiment
from score_sde.networks import AutoencoderKL
from score_sde.training import Cosine

STEPS = 1000


def get_config(variant=""):
    """``configs/fashion_mnist_autoencoder.py``, or ``:tiny`` for a run of seconds on made-up images."""
    tiny = small.is_tiny("configs/fashion_mnist_autoencoder.py", variant)
    parts = dict(digits_autoencoder.get_config("tiny" if tiny else "").items())
    del parts["target"]
    parts["data"] = fashion_mnist.data(tiny)
    if not tiny:
        parts["network"] = bind(
            AutoencoderKL, channels=16, multipliers=(1, 2, 4), blocks=1, latent=4, groups=8
        )
        parts["training"]["steps"] = STEPS
        parts["training"]["snapshot_every"] = STEPS
        parts["optimizer"]["schedule"] = call(Cosine, steps=STEPS)
    return call(Experiment, **parts)
