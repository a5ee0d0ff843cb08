"""Who takes part: the one list of the league. Adding a method is one line."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from score_sde.inverse import CovarianceTwist, IsotropicTwist, MCGDiff, TwistedSMC, methods
from score_sde.inverse.base import Measurement
from score_sde.samplers import LogSNR
from score_sde.samplers.driver import Sampler
from score_sde.samplers.final import Denoise
from score_sde.samplers.predictors.ancestral import Ancestral
from score_sde.samplers.variances import TransitionVariance

GRID = LogSNR(sigma_min=0.02, sigma_max=5000.0)  # from beyond the spread of means at d = 800


WALKS = 5  # of each stretch of RePaint's; the last step is walked once, so its evaluations are a little fewer


class Contestant(NamedTuple):
    """A method and how many times it evaluates the model for each draw; a derivative counts as one."""

    method: Any
    evaluations: Callable[[Measurement], int]


def sampler(n_steps: int) -> Sampler:
    """The ancestral chain, with the variance that is exact for components of variance one."""
    return Sampler(
        predictor=Ancestral(variance=TransitionVariance()), grid=GRID, n_steps=n_steps, final=Denoise()
    )


def contestants(n_steps: int, per_draw: int, chunk: int | None = None) -> dict[str, Contestant]:
    """Methods by name. Particle filters have ``per_draw`` particles for each draw, ``chunk`` at a time."""
    chain = sampler(n_steps)
    plain, derived = chain.evaluations, 2 * chain.evaluations
    filters = {"grid": GRID, "n_steps": n_steps, "per_draw": per_draw, "chunk": chunk}

    def particles(method: Any) -> Contestant:
        twist = getattr(method, "twist", None)
        each = per_draw * (n_steps + 1)
        return Contestant(method, lambda m: each * (twist.evaluations(m) if twist else 1))

    def fixed(method: Any, evaluations: int) -> Contestant:
        return Contestant(method, lambda measurement: evaluations)

    return {
        "TwistedSMC covariance": particles(TwistedSMC(twist=CovarianceTwist(), **filters)),
        "TwistedSMC isotropic": particles(TwistedSMC(twist=IsotropicTwist(), **filters)),
        "MCGDiff": particles(MCGDiff(**filters)),
        "TMPD": Contestant(methods.TMPD(sampler=chain), lambda m: plain * (1 + m.y.shape[1])),
        "MMPS": fixed(methods.MMPS(sampler=chain), 7 * plain),
        "PiGDM": fixed(methods.PiGDM(sampler=chain), derived),
        "AdaptivePiGDM": fixed(methods.AdaptivePiGDM(sampler=chain), derived),
        "GaussianScore": fixed(methods.GaussianScore(sampler=chain), derived),
        "DPS": fixed(methods.DPS(sampler=chain), derived),
        "MCG": fixed(methods.MCG(sampler=chain), derived),
        "DDRM": fixed(methods.DDRM(sampler=chain), plain),
        "DDNM+": fixed(methods.DDNMPlus(sampler=chain), plain),
        "DiffPIR": fixed(methods.DiffPIR(sampler=chain), plain),
        "RePaint": fixed(methods.RePaint(sampler=chain, resamplings=WALKS), WALKS * plain),
        "Replacement": fixed(methods.Replacement(sampler=chain), plain),
    }
