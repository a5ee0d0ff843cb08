"""The runs of Ma et al. 2024: DiT's backbone on an interpolant."""

from configs.parts.transformers import backbone, run, updates, words
from configs.parts.variants import pick
from score_sde.config import bind, call
from score_sde.denoisers import (
    DataTimeLabels,
    DatawardVelocity,
    NoisePrediction,
    Preconditioned,
    ScorePrediction,
)
from score_sde.integrators import Adaptive
from score_sde.networks import SiT
from score_sde.objectives import DenoisingScoreMatching, FlowMatching, SigmaSquared, UniformTimes
from score_sde.samplers import (
    InterpolantEuler,
    KeepMean,
    ProbabilityFlowODE,
    Sampler,
    SigmaDiffusion,
    ToZero,
    Uniform,
)
from score_sde.sdes import GVP, VP, RectifiedFlow

PATHS = {"gvp": GVP, "vp": VP}
PREDICTIONS = {"score": ScorePrediction, "noise": NoisePrediction}
LAST_STEP = 0.04


def sit(variant, *, pixels, steps, outputs=2):
    """Their training of one size at one resolution, sampled by 250 Euler steps of the SDE, or by the ODE."""
    size, patch, others = words(variant, "ode", *PATHS, *PREDICTIONS)
    path = next((PATHS[word] for word in PATHS if word in others), RectifiedFlow)
    kind = next((PREDICTIONS[word] for word in PREDICTIONS if word in others), None)
    weight = call(FlowMatching) if kind is None else call(SigmaSquared)
    earliest = {"vp": 1e-5}.get("vp" if path is VP else "", 0.0 if kind is None else 1e-3)
    labels = call(DataTimeLabels)
    return run(
        variant,
        pixels=pixels,
        steps=updates(size, patch, steps),
        others=others,
        sampler=ode() if "ode" in others else euler(pick(variant, 250, 4)),
        sde=call(path),
        network=backbone(SiT, variant, size=size, patch=patch, outputs=outputs),
        model=bind(Preconditioned, precondition=call(kind or DatawardVelocity, labels=labels)),
        objective=call(DenoisingScoreMatching, times=call(UniformTimes, t_min=earliest), weight=weight),
    )


def euler(n_steps):
    """Noise sigma(t), and a last step of 0.04 without noise ("Mean")."""
    grid = call(ToZero, grid=call(Uniform, t_min=LAST_STEP))
    predictor = call(InterpolantEuler, diffusion=call(SigmaDiffusion))
    return call(Sampler, predictor=predictor, grid=grid, n_steps=n_steps, final=call(KeepMean))


def ode():
    """Their dopri5: a Runge-Kutta pair of order 5 at the same tolerances."""
    return call(ProbabilityFlowODE, integrator=call(Adaptive, rtol=1e-3, atol=1e-6), t_min=1e-3)
