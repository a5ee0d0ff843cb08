"""What the CIFAR-10 runs of Song et al. 2021 share (``configs/default_cifar10_configs.py`` of their code)."""

from configs.parts.data import cifar10
from configs.parts.score_sde import experiment


def get_default_configs(variant, *, low=-1.0, steps=1_300_000, **parts):
    """Batches of 128 in [low, 1], 1.3 million updates; ``parts`` are the experiment's other fields."""
    data = cifar10(variant, low=low)
    return experiment(variant, name="cifar10", data=data, batch_size=128, steps=steps, **parts)
