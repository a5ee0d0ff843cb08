"""Fashion-MNIST by a transformer on latents: the path of DiT in small.

Data: latents of Fashion-MNIST, (7, 7, 4), as the autoencoder of configs/fashion_mnist_autoencoder.py makes
    them, once that is trained:
    python -m experiments.latents.run --task=encode --config=configs/fashion_mnist_autoencoder.py \
        --trained=runs/fashion_mnist_autoencoder --to=runs/fashion_mnist_latents
Command: python -m score_sde.main --mode=train --config=configs/fashion_mnist_latent_dit.py \
    --workdir=runs/fashion_mnist_latent_dit
Model: that of configs/digits_latent_dit.py, a token for each of the 49 places of a latent. Its samples are
    latents, which become images by
    python -m experiments.latents.run --task=decode --config=configs/fashion_mnist_autoencoder.py \
        --trained=runs/fashion_mnist_autoencoder --from=runs/fashion_mnist_latent_dit/sample/samples.npz \
        --to=runs/fashion_mnist_latent_dit/sample
Measured here: 3,000 updates in 30 minutes on two CPU cores that two other trainings shared; decoded samples
    in experiments/latents/README.md. For another autoencoder, set --config.data.units.scale to what encoding
    prints.
"""

from configs import digits_latent_dit
from configs.parts import small
from score_sde.config import call
from score_sde.data import Latents, LatentUnits
from score_sde.experiment import Experiment

SCALE = 1.01  # one over the standard deviation of the latents, as encoding printed here


def get_config(variant=""):
    """``configs/fashion_mnist_latent_dit.py``, or ``:tiny`` for a run of seconds on made-up latents."""
    tiny = small.is_tiny("configs/fashion_mnist_latent_dit.py", variant)
    parts = dict(digits_latent_dit.get_config("tiny" if tiny else "").items())
    del parts["target"]
    if not tiny:
        units = call(LatentUnits, scale=SCALE)
        parts["data"] = call(
            Latents, path="runs/fashion_mnist_latents", shape=(7, 7, 4), n_classes=10, units=units
        )
    return call(Experiment, **parts)
