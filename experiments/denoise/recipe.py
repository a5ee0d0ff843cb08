"""What the two models of this experiment have in common: fields of ``Experiment``."""

from __future__ import annotations

from typing import Any

from configs.parts import small
from score_sde.config import bind, call
from score_sde.denoisers import LogSNRLabels, NoisePrediction, Preconditioned
from score_sde.networks import UNet
from score_sde.objectives import (
    DenoisingScoreMatching,
    MixtureTimes,
    SigmaSquared,
    Stratified,
    UniformLogSNR,
)
from score_sde.sdes import VP
from score_sde.training import Cosine, WarmupEMA, adam

STEPS_PER_CALL, CHECKPOINTS = 10, 100  # updates


def recipe(*, steps: int, batch_size: int, channels: int, tiny: bool) -> dict[str, Any]:
    """A small U-Net on the noise that is to be taken away, and on less: what draws go through afterwards.

    Three quarters of the times have sigma / alpha from 0.08 to 1 (10 to 127 of 255 levels), uniform in
    log-SNR, the others from 0.004 to 4.5. Nothing is learnt of pure noise: these models clean, and do not
    make pictures.
    """
    network = bind(
        UNet,
        channels=8 if tiny else channels,
        multipliers=(1,) if tiny else (1, 2, 2),
        blocks=1,
        attention_resolutions=(),
        dropout=0.0,
        label_scale=40.0,
    )
    times = call(
        MixtureTimes,
        first=call(UniformLogSNR, low=0.0, high=5.0),
        second=call(UniformLogSNR, low=-3.0, high=11.0),
        share=0.75,
        batch=call(Stratified),
    )
    steps = 4 if tiny else steps
    return {
        "sde": call(VP),
        "network": network,
        "model": bind(Preconditioned, precondition=call(NoisePrediction, labels=call(LogSNRLabels))),
        "objective": call(DenoisingScoreMatching, times=times, weight=call(SigmaSquared)),
        "optimizer": call(
            adam,
            learning_rate=2e-3,
            b2=0.99,
            warmup_steps=50,
            clip_norm=1.0,
            schedule=call(Cosine, steps=steps),
        ),
        "ema": call(WarmupEMA, decay=0.995),
        "training": small.plan(
            tiny=tiny,
            steps=steps,
            batch_size=8 if tiny else batch_size,
            steps_per_call=STEPS_PER_CALL,
            checkpoint_every=CHECKPOINTS,
            snapshot_every=steps,
        ),
        "sampler": None,
    }
