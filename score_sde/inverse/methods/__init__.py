"""Methods that draw from p(x_0 | y), one a file."""

from score_sde.inverse.methods.covariance_solvers import (
    Budget,
    ConjugateGradients,
    CovarianceSolver,
    Direct,
    Exact,
    RowSums,
)
from score_sde.inverse.methods.ddnm import DDNM
from score_sde.inverse.methods.ddnm_plus import DDNMPlus
from score_sde.inverse.methods.ddrm import DDRM
from score_sde.inverse.methods.diffpir import DiffPIR
from score_sde.inverse.methods.dps import DPS
from score_sde.inverse.methods.gaussian_score import GaussianScore, ProjectedSpread, Spread, WhiteSpread
from score_sde.inverse.methods.gradient import GradientMethod
from score_sde.inverse.methods.mcg import MCG
from score_sde.inverse.methods.mmps import MMPS
from score_sde.inverse.methods.pigdm import AdaptivePiGDM, PiGDM
from score_sde.inverse.methods.prior_variances import DataVariance, PriorVariance
from score_sde.inverse.methods.repaint import RePaint
from score_sde.inverse.methods.replacement import Replacement
from score_sde.inverse.methods.step_scalings import OverNorm, StepScaling, Unscaled
from score_sde.inverse.methods.time_travel import TimeTravel
from score_sde.inverse.methods.tmpd import TMPD

__all__ = [
    "DDNM",
    "DDRM",
    "DPS",
    "MCG",
    "MMPS",
    "TMPD",
    "AdaptivePiGDM",
    "Budget",
    "ConjugateGradients",
    "CovarianceSolver",
    "DDNMPlus",
    "DataVariance",
    "DiffPIR",
    "Direct",
    "Exact",
    "GaussianScore",
    "GradientMethod",
    "OverNorm",
    "PiGDM",
    "PriorVariance",
    "ProjectedSpread",
    "RePaint",
    "Replacement",
    "RowSums",
    "Spread",
    "StepScaling",
    "TimeTravel",
    "Unscaled",
    "WhiteSpread",
]
