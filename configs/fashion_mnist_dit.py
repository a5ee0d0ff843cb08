"""Fashion-MNIST with a class-conditional diffusion transformer as large as the U-Net of fashion_mnist.py.

Data: that of configs/fashion_mnist.py, prepared in the same way.
Command: python -m score_sde.main --mode=train --config=configs/fashion_mnist_dit.py \
    --workdir=runs/fashion_mnist_dit
Model: as configs/fashion_mnist.py, with the transformer of Peebles and Xie 2023 in the U-Net's place: four
    blocks of 96 channels over the 196 patches of 2x2 pixels.
Options: :modern and :reversible, as configs/digits_dit.py has them.
Beside the U-Net, for equal minutes of training: experiments/backbones.
"""

from configs import digits_dit, fashion_mnist
from score_sde.config import bind, call
from score_sde.errors import InputError
from score_sde.experiment import Experiment
from score_sde.networks import DiT


def get_config(variant=""):
    """``configs/fashion_mnist_dit.py``, its variants, or ``:tiny`` for a run of seconds on made-up images."""
    known = ("tiny", *digits_dit.VARIANTS)
    if variant not in ("", *known):
        raise InputError("variant of configs/fashion_mnist_dit.py", variant, f"{', '.join(known)}, or none")
    tiny = variant == "tiny"
    parts = dict(fashion_mnist.get_config("tiny" if tiny else "").items())
    del parts["target"]
    parts["optimizer"]["learning_rate"] = 1e-3
    parts["network"] = bind(
        DiT,
        patch=2,
        width=16 if tiny else 96,
        depth=2 if tiny else 4,
        heads=4,
        n_classes=fashion_mnist.CLASSES,
        outputs=1,
        **digits_dit.options(variant),
    )
    return call(Experiment, **parts)
