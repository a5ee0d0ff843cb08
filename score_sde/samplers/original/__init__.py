"""The original code's own discretisations and conventions, so that published runs can be repeated.

The composition of its predictor-corrector sampler of N steps is::

    Sampler(
        predictor=OriginalReverseDiffusion(discretization=SMLDDiscretization(N=N)),
        corrector=OriginalLangevin(snr=0.16),
        grid=OriginalGrid(eps=1e-5),
        n_steps=N,
        order=CorrectorFirst(),
        final=KeepMean(),
    )
"""

from score_sde.samplers.original.ancestral_ve import OriginalAncestralVE
from score_sde.samplers.original.ancestral_vp import OriginalAncestralVP
from score_sde.samplers.original.annealed_langevin import OriginalAnnealedLangevin
from score_sde.samplers.original.base import Discretization, Reverse, ReverseODE, ReverseSDE, StepScale
from score_sde.samplers.original.discretizations import (
    DDPMDiscretization,
    EulerDiscretization,
    SMLDDiscretization,
)
from score_sde.samplers.original.euler_maruyama import OriginalEulerMaruyama
from score_sde.samplers.original.grid import OriginalGrid
from score_sde.samplers.original.langevin import OriginalLangevin
from score_sde.samplers.original.noise_removal import OriginalNoiseRemoval
from score_sde.samplers.original.reverse_diffusion import OriginalReverseDiffusion
from score_sde.samplers.original.step_scales import DDPMAlpha, UnitAlpha

__all__ = [
    "DDPMAlpha",
    "DDPMDiscretization",
    "Discretization",
    "EulerDiscretization",
    "OriginalAncestralVE",
    "OriginalAncestralVP",
    "OriginalAnnealedLangevin",
    "OriginalEulerMaruyama",
    "OriginalGrid",
    "OriginalLangevin",
    "OriginalNoiseRemoval",
    "OriginalReverseDiffusion",
    "Reverse",
    "ReverseODE",
    "ReverseSDE",
    "SMLDDiscretization",
    "StepScale",
    "UnitAlpha",
]
