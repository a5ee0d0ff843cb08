"""What the small models that are trained here in minutes have in common: fields of ``Experiment``."""

from score_sde.config import bind, call
from score_sde.denoisers import NoisePrediction, Preconditioned
from score_sde.errors import InputError
from score_sde.objectives import DenoisingScoreMatching, MixtureTimes, SigmaSquared, Stratified
from score_sde.samplers import Ancestral, Denoise, LogSNR, Sampler
from score_sde.sdes import VP
from score_sde.training import Cosine, Plan, WarmupEMA, adam


def is_tiny(file, variant):
    """Whether the variant is ``tiny``, a run of seconds; InputError where it is another, of ``file``."""
    if variant not in ("", "tiny"):
        raise InputError(f"variant of {file}", variant, "tiny, or none")
    return variant == "tiny"


def recipe(*, labels, learning_rate, steps):
    """VP and noise prediction; half of the times uniform in log-SNR and half about sigma = alpha; Adam.

    The first half of the times is the likelihood's weighting, the second decides the shape of samples.
    """
    return {
        "sde": call(VP),
        "model": bind(Preconditioned, precondition=call(NoisePrediction, labels=labels)),
        "objective": call(
            DenoisingScoreMatching,
            times=call(MixtureTimes, batch=call(Stratified)),
            weight=call(SigmaSquared),
        ),
        "optimizer": call(
            adam,
            learning_rate=learning_rate,
            b2=0.99,
            warmup_steps=100,
            clip_norm=1.0,
            schedule=call(Cosine, steps=steps),
        ),
        "ema": call(WarmupEMA, decay=0.999),
    }


def plan(*, tiny, steps, batch_size, steps_per_call, checkpoint_every, snapshot_every):
    """Lengths and intervals of the run; those of seconds where ``tiny``."""
    return call(
        Plan,
        batch_size=batch_size,
        steps=steps,
        steps_per_call=1 if tiny else steps_per_call,
        log_every=2 if tiny else 20,
        checkpoint_every=4 if tiny else checkpoint_every,
        snapshot_every=4 if tiny else snapshot_every,
    )


def ancestral(*, steps, sigma_min, **corrector):
    """Ancestral steps equal in log-SNR, then a last estimate."""
    grid = call(LogSNR, sigma_min=sigma_min)
    return call(
        Sampler, predictor=call(Ancestral), grid=grid, n_steps=steps, final=call(Denoise), **corrector
    )
