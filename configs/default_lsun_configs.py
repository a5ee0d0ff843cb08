"""What runs at high resolutions share (``configs/default_lsun_configs.py`` of Song et al. 2021's code)."""

from configs.parts.score_sde import experiment


def get_default_configs(variant, *, batch_size=64, steps=2_400_000, split="validation", **parts):
    """Batches of 64, 2.4 million updates; ``parts`` are the experiment's other fields."""
    return experiment(variant, batch_size=batch_size, steps=steps, split=split, **parts)
