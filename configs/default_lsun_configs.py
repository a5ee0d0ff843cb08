"""What runs at high resolutions share (``configs/default_lsun_configs.py`` of Song et al. 2021's code)."""

from configs.parts.score_sde import experiment, plan


def get_default_configs(variant, *, batch_size=64, steps_per_call=5, sampling_batch=16, **parts):
    """Batches of 64, 2.4 million updates; ``parts`` are the experiment's other fields."""
    training = plan(
        variant,
        steps=2_400_000,
        batch_size=batch_size,
        steps_per_call=steps_per_call,
        checkpoint_every=5_000,
    )
    return experiment(variant, training=training, sampling_batch=sampling_batch, **parts)
