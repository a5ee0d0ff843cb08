"""Colour patches of two photographs, a small model to colour grey ones with: minutes on two CPU cores.

Data: 16x16 patches of scikit-learn's two photographs at half their size, 8 bits: 6,804 that overlap for
    training, 48 for validation and 96 for test, of other parts of the photographs.
Command: python -m score_sde.main --mode=train --config=configs/patches.py --workdir=runs/patches
Model: VP SDE (Song et al. 2021), the small U-Net of configs/digits.py with one more halving, noise
    prediction, training times and optimiser as there, mirror images. Two photographs are no law of
    photographs: what this model knows is their colours.
Used by: experiments/restoration.
"""

from configs.parts import small
from score_sde.config import bind, call
from score_sde.data import Patches
from score_sde.denoisers import LogSNRLabels
from score_sde.experiment import Experiment
from score_sde.experiment.measures import Loss, Memorized
from score_sde.networks import UNet
from score_sde.training.augmentations import RandomFlip


def get_config(variant=""):
    """``configs/patches.py``, or ``configs/patches.py:tiny`` for a run of seconds that only shows the way."""
    tiny = small.is_tiny("configs/patches.py", variant)
    steps, drawn = (4, 16) if tiny else (2400, 64)
    return call(
        Experiment,
        **small.recipe(labels=call(LogSNRLabels), learning_rate=2e-3, steps=steps),
        data=call(Patches),
        network=bind(
            UNet,
            channels=8 if tiny else 32,
            multipliers=(1, 2) if tiny else (1, 2, 2),
            blocks=1,
            attention_resolutions=(8,) if tiny else (4,),
            dropout=0.1,
            label_scale=40.0,
        ),
        augmentation=call(RandomFlip),
        training=small.plan(
            tiny=tiny,
            steps=steps,
            batch_size=8 if tiny else 32,
            steps_per_call=10,
            checkpoint_every=200,
            snapshot_every=1200,
        ),
        sampler=small.ancestral(steps=4 if tiny else 100, sigma_min=0.004),
        measures=(call(Loss, draws=1 if tiny else 2), call(Memorized, n_samples=drawn)),
        n_samples=drawn,
        sampling_batch=drawn,
    )
