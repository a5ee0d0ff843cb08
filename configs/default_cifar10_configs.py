"""What the CIFAR-10 runs of Song et al. 2021 share (``configs/default_cifar10_configs.py`` of their code)."""

from configs.parts.data import cifar10
from configs.parts.score_sde import experiment, plan


def get_default_configs(variant, *, low=-1.0, steps=1_300_000, **parts):
    """Batches of 128 in [low, 1], 1.3 million updates; ``parts`` are the experiment's other fields."""
    training = plan(variant, steps=steps, batch_size=128)
    return experiment(variant, name="cifar10", data=cifar10(variant, low=low), training=training, **parts)
