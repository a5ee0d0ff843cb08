"""Handwritten digits by a transformer on latents: the path of DiT in small, minutes on two CPU cores.

Data: latents of scikit-learn's digits, (4, 4, 4), as the autoencoder of configs/digits_autoencoder.py makes
    them, once that is trained:
    python -m experiments.latents.run --task=encode --config=configs/digits_autoencoder.py \
        --trained=runs/digits_autoencoder --to=runs/digits_latents
Command: python -m score_sde.main --mode=train --config=configs/digits_latent_dit.py \
    --workdir=runs/digits_latent_dit
Model: six blocks of 96 channels, a token for each place of a latent, told the class; rectified flow as SiT
    has it (Ma et al. 2024). Its samples are latents, which become images by
    python -m experiments.latents.run --task=decode --config=configs/digits_autoencoder.py \
        --trained=runs/digits_autoencoder --from=runs/digits_latent_dit/sample/samples.npz \
        --to=runs/digits_latent_dit/sample
"""

from configs.parts import small
from configs.parts.sit import euler
from score_sde.config import bind, call
from score_sde.data import Latents, LatentUnits, Synthetic
from score_sde.denoisers import DataTimeLabels, DatawardVelocity, Preconditioned
from score_sde.experiment import Experiment
from score_sde.experiment.measures import Loss
from score_sde.networks import SiT
from score_sde.objectives import DenoisingScoreMatching, FlowMatching, Stratified, UniformTimes
from score_sde.sdes import RectifiedFlow
from score_sde.training import ClassLabels, Cosine, WarmupEMA, adam

CLASSES = 10
SCALE = 1.013  # one over the standard deviation of the latents, as the command above printed here


def get_config(variant=""):
    """``configs/digits_latent_dit.py``, or ``:tiny`` for a run of seconds on made-up latents."""
    tiny = small.is_tiny("configs/digits_latent_dit.py", variant)
    steps = 4 if tiny else 3000
    width, depth = (16, 2) if tiny else (96, 6)
    return call(
        Experiment,
        data=_data(tiny),
        sde=call(RectifiedFlow),
        network=bind(SiT, patch=1, width=width, depth=depth, heads=4, n_classes=CLASSES, dropout=0.1),
        model=bind(
            Preconditioned, precondition=call(DatawardVelocity, labels=call(DataTimeLabels, scale=1000.0))
        ),
        objective=call(
            DenoisingScoreMatching,
            times=call(UniformTimes, t_min=0.0, batch=call(Stratified)),
            weight=call(FlowMatching),
        ),
        optimizer=call(
            adam, learning_rate=1e-3, warmup_steps=100, clip_norm=1.0, schedule=call(Cosine, steps=steps)
        ),
        ema=call(WarmupEMA, decay=0.999),
        condition=call(ClassLabels, drop=0.1, sampled=tuple(range(CLASSES))),
        training=small.plan(
            tiny=tiny,
            steps=steps,
            batch_size=8 if tiny else 64,
            steps_per_call=20,
            checkpoint_every=500,
            snapshot_every=1500,
        ),
        sampler=euler(4 if tiny else 100),
        measures=(call(Loss),),
        n_samples=8 if tiny else 100,
        sampling_batch=8 if tiny else 100,
    )


def _data(tiny):
    units = call(LatentUnits, scale=SCALE)
    if tiny:
        return call(Synthetic, shape=(4, 4, 4), n_classes=CLASSES)
    return call(Latents, path="runs/digits_latents", shape=(4, 4, 4), n_classes=CLASSES, units=units)
