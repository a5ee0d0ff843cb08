"""The processes of Song et al. 2021, each with the parts that its models were trained and sampled with.

Each function returns fields of ``Experiment``: the SDE, what the network stands for, the loss, the sampler
of N steps, and the average. Times, discretisations and constants are those of the published code.
"""

from configs.parts.variants import pick
from score_sde.arrays import half_sum_per_example, mean_per_example
from score_sde.config import bind, call
from score_sde.denoisers import (
    DDPMPrecondition,
    NoisePrediction,
    Preconditioned,
    ScoreTimesStd,
    SigmaLabels,
    SMLDPrecondition,
    SMLDScorePrecondition,
    TimeLabels,
)
from score_sde.objectives import DDPMLoss, DenoisingScoreMatching, SigmaSquared, SMLDLoss, UniformTimes
from score_sde.samplers import (
    DDPMDiscretization,
    KeepMean,
    NoCorrector,
    NoPredictor,
    OriginalAncestralVP,
    OriginalAnnealedLangevin,
    OriginalEulerMaruyama,
    OriginalGrid,
    OriginalLangevin,
    OriginalReverseDiffusion,
    Sampler,
    SMLDDiscretization,
)
from score_sde.sdes import VE, VP, SubVP
from score_sde.training import ConstantEMA, NoEMA

FEW = 32  # steps of a small run's sampler


def vp(variant, sde=VP):
    """Continuous times, noise prediction told 999 t, Euler-Maruyama in 1000 steps."""
    steps, labels = pick(variant, 1000, FEW), call(TimeLabels, scale=999.0)
    return {
        "sde": call(sde),
        "model": bind(Preconditioned, precondition=call(NoisePrediction, labels=labels)),
        "objective": _continuous(mean_per_example),
        "sampler": _predictor_corrector(call(OriginalEulerMaruyama, N=steps), steps=steps, eps=1e-3),
        "ema": call(ConstantEMA, decay=0.9999),
    }


def subvp(variant):
    """As ``vp``, of the sub-VP SDE."""
    return vp(variant, SubVP)


def ddpm_chain(variant):
    """The VP SDE at 1000 discrete times, as DDPM: ancestral sampling."""
    return _discrete_vp(variant, lambda steps: call(OriginalAncestralVP, N=steps))


def ddpm_chain_reversed(variant):
    """As ``ddpm_chain``, sampled by reverse diffusion."""
    return _discrete_vp(
        variant,
        lambda steps: call(OriginalReverseDiffusion, discretization=call(DDPMDiscretization, N=steps)),
    )


def ve(variant, *, sigma_max=50.0, steps=1000, snr=0.16, decay=0.999, reduction=half_sum_per_example):
    """Continuous times, the network told sigma and divided by it; reverse diffusion with Langevin steps."""
    return {
        "sde": call(VE, sigma_min=0.01, sigma_max=sigma_max),
        "model": bind(Preconditioned, precondition=call(ScoreTimesStd, labels=call(SigmaLabels))),
        "objective": _continuous(reduction),
        "sampler": _reverse_diffusion_with_langevin(pick(variant, steps, FEW), snr),
        "ema": call(ConstantEMA, decay=decay),
    }


def smld(variant, *, sigma_max=50.0, steps=1000, snr=0.16, decay=0.999):
    """The VE SDE at discrete noise levels, label 0 the largest; sampled as ``ve``."""
    return {
        "sde": call(VE, sigma_min=0.01, sigma_max=sigma_max),
        "model": bind(Preconditioned, precondition=call(SMLDPrecondition, steps=steps)),
        "objective": call(SMLDLoss, steps=steps),
        "sampler": _reverse_diffusion_with_langevin(pick(variant, steps, FEW), snr),
        "ema": call(ConstantEMA, decay=decay),
    }


def annealed_langevin(variant, *, sigma_max, levels, each, snr, decay, divided):
    """Noise levels as ``smld``, sampled by ``each`` Langevin steps at every level and nothing else.

    ``divided``: the network's output is divided by sigma (NCSNv2) or is the score itself (NCSN). ``decay``
    0 means that no average is kept.
    """
    precondition = SMLDPrecondition if divided else SMLDScorePrecondition
    return {
        "sde": call(VE, sigma_min=0.01, sigma_max=sigma_max),
        "model": bind(Preconditioned, precondition=call(precondition, steps=levels)),
        "objective": call(SMLDLoss, steps=levels),
        "sampler": _predictor_corrector(
            call(NoPredictor),
            call(OriginalAnnealedLangevin, snr=snr),
            steps=pick(variant, levels, 4),
            each=pick(variant, each, 2),
            eps=1e-5,
        ),
        "ema": call(ConstantEMA, decay=decay) if decay else call(NoEMA),
    }


def _continuous(reduction):
    return call(
        DenoisingScoreMatching,
        times=call(UniformTimes, t_min=1e-5),
        weight=call(SigmaSquared),
        reduction=reduction,
    )


def _discrete_vp(variant, predictor):
    steps = pick(variant, 1000, FEW)
    return {
        "sde": call(VP),
        "model": bind(Preconditioned, precondition=call(DDPMPrecondition, steps=1000)),
        "objective": call(DDPMLoss, steps=1000),
        "sampler": _predictor_corrector(predictor(steps), steps=steps, eps=1e-3),
        "ema": call(ConstantEMA, decay=0.9999),
    }


def _reverse_diffusion_with_langevin(steps, snr):
    return _predictor_corrector(
        call(OriginalReverseDiffusion, discretization=call(SMLDDiscretization, N=steps)),
        call(OriginalLangevin, snr=snr),
        steps=steps,
        eps=1e-5,
    )


def _predictor_corrector(predictor, corrector=None, *, steps, each=1, eps):
    return call(
        Sampler,
        predictor=predictor,
        corrector=call(NoCorrector) if corrector is None else corrector,
        grid=call(OriginalGrid, eps=eps),
        n_steps=steps,
        corrector_steps=each,
        final=call(KeepMean),
    )
