"""Colour patches of two photographs, a small model to colour grey ones with: minutes on two CPU cores.

Data: 16x16 patches of scikit-learn's two photographs at half their size, 8 bits: 6,804 that overlap for
    training, 48 for validation and 96 for test, of other parts of the photographs.
Command: python -m score_sde.main --mode=train --config=configs/patches.py --workdir=runs/patches
Model: VP SDE (Song et al. 2021), the small U-Net of configs/digits.py with one more halving, noise
    prediction, training times and optimiser as there, mirror images. Two photographs are no law of
    photographs: what this model knows is their colours.
Used by: experiments/restoration.
"""

from score_sde.config import bind, call
from score_sde.data import Patches
from score_sde.denoisers import LogSNRLabels, NoisePrediction, Preconditioned
from score_sde.errors import InputError
from score_sde.experiment import Experiment
from score_sde.experiment.measures import Loss, Memorized
from score_sde.networks import UNet
from score_sde.objectives import DenoisingScoreMatching, MixtureTimes, SigmaSquared, Stratified
from score_sde.samplers import Ancestral, Denoise, LogSNR, Sampler
from score_sde.sdes import VP
from score_sde.training import Cosine, Plan, WarmupEMA, adam
from score_sde.training.augmentations import RandomFlip


def get_config(variant=""):
    """``configs/patches.py``, or ``configs/patches.py:tiny`` for a run of seconds that only shows the way."""
    if variant not in ("", "tiny"):
        raise InputError("variant of configs/patches.py", variant, "tiny, or none")
    tiny = variant == "tiny"
    steps, drawn = (4, 16) if tiny else (2400, 64)
    return call(
        Experiment,
        data=call(Patches),
        sde=call(VP),
        network=bind(
            UNet,
            channels=8 if tiny else 32,
            multipliers=(1, 2) if tiny else (1, 2, 2),
            blocks=1,
            attention_resolutions=(8,) if tiny else (4,),
            dropout=0.1,
            label_scale=40.0,
        ),
        model=bind(Preconditioned, precondition=call(NoisePrediction, labels=call(LogSNRLabels))),
        objective=call(
            DenoisingScoreMatching,
            times=call(MixtureTimes, batch=call(Stratified)),
            weight=call(SigmaSquared),
        ),
        optimizer=call(
            adam,
            learning_rate=2e-3,
            b2=0.99,
            warmup_steps=100,
            clip_norm=1.0,
            schedule=call(Cosine, steps=steps),
        ),
        augmentation=call(RandomFlip),
        ema=call(WarmupEMA, decay=0.999),
        training=call(
            Plan,
            batch_size=8 if tiny else 32,
            steps=steps,
            steps_per_call=1 if tiny else 10,
            log_every=2 if tiny else 20,
            checkpoint_every=4 if tiny else 200,
            snapshot_every=4 if tiny else 1200,
        ),
        sampler=call(
            Sampler,
            predictor=call(Ancestral),
            grid=call(LogSNR, sigma_min=0.004),
            n_steps=4 if tiny else 100,
            final=call(Denoise),
        ),
        measures=(call(Loss, draws=1 if tiny else 2), call(Memorized, n_samples=drawn)),
        n_samples=drawn,
        sampling_batch=drawn,
    )
