"""Methods that draw from p(x_0 | y), one a file."""

from score_sde.inverse.methods.covariance_solvers import (
    ConjugateGradients,
    CovarianceSolver,
    Direct,
    Exact,
    RowSums,
)
from score_sde.inverse.methods.dps import DPS
from score_sde.inverse.methods.gaussian_score import GaussianScore, ProjectedSpread, Spread, WhiteSpread
from score_sde.inverse.methods.gradient import GradientMethod
from score_sde.inverse.methods.mcg import MCG
from score_sde.inverse.methods.mmps import MMPS
from score_sde.inverse.methods.pigdm import AdaptivePiGDM, PiGDM
from score_sde.inverse.methods.prior_variances import DataVariance, PriorVariance
from score_sde.inverse.methods.step_scalings import OverNorm, StepScaling, Unscaled
from score_sde.inverse.methods.tmpd import TMPD

__all__ = [
    "DPS",
    "MCG",
    "MMPS",
    "TMPD",
    "AdaptivePiGDM",
    "ConjugateGradients",
    "CovarianceSolver",
    "DataVariance",
    "Direct",
    "Exact",
    "GaussianScore",
    "GradientMethod",
    "OverNorm",
    "PiGDM",
    "PriorVariance",
    "ProjectedSpread",
    "RowSums",
    "Spread",
    "StepScaling",
    "Unscaled",
    "WhiteSpread",
]
