"""Who is measured: every predictor of the package on a grid, and the samplers that are no predictors."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from experiments.solver_orders.entrants import entrants, label
from experiments.work_precision import stepping
from score_sde.errors import InputError
from score_sde.integrators import Adaptive
from score_sde.samplers import (
    AdaptiveSDE,
    Ancestral,
    ChurnedHeun,
    Corrector,
    DPMSolverPP2M,
    DPMSolverPP3M,
    Grid,
    Karras,
    Langevin,
    LogSNR,
    MetropolisAdjustedLangevin,
    NoCorrector,
    Predictor,
    ProbabilityFlowODE,
    Restart,
    RestartInterval,
    ReverseDiffusion,
    Sampler,
    Uniform,
)

SIGMA_MIN = (
    0.01  # sigma / alpha at the end of every grid; that of Uniform() and of t_min = 1e-3 is 0.0105 for VP
)
LOG_SNR, KARRAS = LogSNR(sigma_min=SIGMA_MIN), Karras(sigma_min=SIGMA_MIN)
GRIDS: dict[str, Grid] = {  # of predictors that were published with another than LogSNR
    "EulerMaruyama": Uniform(),
    "ProbabilityFlowEuler": Uniform(),
    "ProbabilityFlowHeun": Uniform(),
    "ReverseDiffusion": Uniform(),
    "ChurnedHeun": KARRAS,
}
STOCHASTIC = (  # further variants of predictors
    DPMSolverPP2M(churn=1.0),
    DPMSolverPP3M(churn=1.0),
    ChurnedHeun(churn=30.0, s_min=0.01, s_max=1.0, s_noise=1.007),  # Karras et al. 2022, table 5, CIFAR-10 VP
)
TWINS = {  # take the steps of another, and are measured on the mixture alone
    "DEIS(terms=1)": "DDIM",
    "ExponentialMultistep(terms=1, churn=0)": "DDIM",
}
PC = "PC "  # begins the names of predictor-corrector samplers
REFERENCE = f"{PC}ReverseDiffusion + Langevin"  # of Song et al. 2021


class Drawn(NamedTuple):
    """Samples in model space, and the model evaluations that one took, on average."""

    x: Any
    evaluations: float


class Solver(NamedTuple):
    """A way to draw at several settings: numbers of evaluations, or tolerances of what is adaptive.

    Attributes:
        name: what it is called.
        at: its sampler at a setting; None where it has none.
        draw: (sampler, key, model, shape, cond) -> Drawn.
        tolerances: its settings; none where they are numbers of evaluations.
    """

    name: str
    at: Callable[[float], Any]
    draw: Callable[..., Drawn]
    tolerances: tuple[float, ...] = ()


def solvers() -> dict[str, Solver]:
    """All by name: predictors, predictor-correctors, Restart, and what chooses its own steps."""
    found = [_fixed(label(each), each) for each in (*entrants(), *STOCHASTIC)]
    found += [
        _fixed(f"{PC}Ancestral + Langevin", Ancestral(), Langevin(snr=0.1)),
        _fixed(REFERENCE, ReverseDiffusion(), Langevin(snr=0.16)),
        _fixed(f"{PC}Ancestral + MALA", Ancestral(), MetropolisAdjustedLangevin()),
        Solver("Restart", _restart, _draw_counted),
        Solver("AdaptiveSDE", _adaptive_sde, _draw_adaptive_sde, (0.5, 0.1, 0.02, 0.005)),
        Solver("ProbabilityFlowODE", _flow, _draw_flow, (1e-1, 1e-2, 1e-3, 1e-4, 1e-5)),
    ]
    return {solver.name: solver for solver in found}


def _fixed(name: str, predictor: Predictor, corrector: Corrector | None = None) -> Solver:
    work = functools.partial(_sampler, predictor, corrector or NoCorrector())
    return Solver(name, work, _draw_steps)


def _sampler(predictor: Predictor, corrector: Corrector, evaluations: float) -> Sampler | None:
    """Of as many steps as the evaluations allow."""
    n_steps = int(evaluations) // (predictor.evaluations + corrector.evaluations)
    if n_steps < 1:
        return None
    predictor = predictor.replace(N=n_steps) if hasattr(predictor, "N") else predictor
    try:
        predictor.check(n_steps)
    except InputError:  # of an order that so few steps do not reach
        return None
    grid = GRIDS.get(type(predictor).__name__, LOG_SNR)
    return Sampler(predictor=predictor, corrector=corrector, grid=grid, n_steps=n_steps)


def _restart(evaluations: float) -> Restart | None:
    """Two thirds of the Heun steps on the way down, and twice a sixth back from 0.3 (Xu et al. 2023)."""
    steps = int(evaluations) // 2
    back = steps // 6
    if not back:
        return None
    interval = RestartInterval(low=0.06, high=0.3, n_steps=back, repeats=2)
    return Restart(predictor=ChurnedHeun(), grid=KARRAS, n_steps=steps - 2 * back, intervals=(interval,))


def _adaptive_sde(rtol: float) -> AdaptiveSDE:
    return AdaptiveSDE(rtol=rtol)


def _flow(tolerance: float) -> ProbabilityFlowODE:
    return ProbabilityFlowODE(integrator=Adaptive(rtol=tolerance, atol=tolerance))


def _draw_steps(sampler: Sampler, key: Any, model: Any, shape: tuple[int, ...], cond: Any) -> Drawn:
    return Drawn(stepping.draw(sampler, key, model, shape, cond), sampler.evaluations)


def _draw_counted(sampler: Any, key: Any, model: Any, shape: tuple[int, ...], cond: Any) -> Drawn:
    return Drawn(sampler(key, model, shape, cond), sampler.evaluations)


def _draw_adaptive_sde(
    sampler: AdaptiveSDE, key: Any, model: Any, shape: tuple[int, ...], cond: Any
) -> Drawn:
    x, evaluations = sampler.draw(key, model, shape, cond)
    return Drawn(x, float(np.mean(evaluations)))


def _draw_flow(sampler: ProbabilityFlowODE, key: Any, model: Any, shape: tuple[int, ...], cond: Any) -> Drawn:
    x, evaluations = sampler.solve(key, model, shape, cond)
    return Drawn(x, float(np.mean(evaluations)))
