"""What all runs of Song et al. 2021 have in common: Adam, lengths, intervals, flips."""

from configs.parts.measures import fid, loss
from configs.parts.variants import is_tiny, pick, require_variant
from score_sde.config import call
from score_sde.experiment import Experiment
from score_sde.training import Plan, adam
from score_sde.training.augmentations import RandomFlip


def experiment(variant, *, name, data, training, split="test", sampling_batch=64, measures=(), **parts):
    """The run: ``name`` is the data set's in paths, ``split`` the one measured, ``parts`` more fields."""
    require_variant(variant)
    fields, distance = fid(variant, name)
    defaults = {
        "data": data,
        "optimizer": adam_of_song(),
        "augmentation": call(RandomFlip),
        "training": training,
        "measures": (loss(variant, data, split=split), *measures, *distance),
        "n_samples": pick(variant, 64, 4),
        "sampling_batch": pick(variant, sampling_batch, 4),
        "seed": 42,
    }
    return call(Experiment, **defaults | fields | parts)


def adam_of_song(*, learning_rate=2e-4, warmup_steps=5000, clip_norm=1.0):
    """Adam as Song et al. 2021, appendix G."""
    return call(adam, learning_rate=learning_rate, warmup_steps=warmup_steps, clip_norm=clip_norm)


def plan(variant, *, steps, batch_size, steps_per_call=5, checkpoint_every=10_000):
    """Snapshots, and checkpoints that are kept, every 50,000 updates: the published best are among such."""
    if is_tiny(variant):
        return call(Plan, steps=2, batch_size=4, log_every=1, checkpoint_every=2, snapshot_every=2)
    return call(
        Plan,
        steps=steps,
        batch_size=batch_size,
        steps_per_call=steps_per_call,
        log_every=50,
        checkpoint_every=checkpoint_every,
        snapshot_every=50_000,
        keep_every=50_000,
    )
