"""Forward processes. A new one is one file: subclass ``SDE`` or ``GaussianSDE``."""

from score_sde.sdes.base import (
    SDE,
    Bridge,
    GaussianSDE,
    Marginal,
    NormalPrior,
    Prior,
    Transition,
)
from score_sde.sdes.betas import Betas, CosineBetas, LinearBetas
from score_sde.sdes.cosine import Cosine
from score_sde.sdes.discrete_vp import DiscreteVP
from score_sde.sdes.edm import EDM
from score_sde.sdes.gvp import GVP
from score_sde.sdes.rectified_flow import RectifiedFlow
from score_sde.sdes.subvp import SubVP
from score_sde.sdes.ve import VE
from score_sde.sdes.vp import VP

__all__ = [
    "EDM",
    "GVP",
    "SDE",
    "VE",
    "VP",
    "Betas",
    "Bridge",
    "Cosine",
    "CosineBetas",
    "DiscreteVP",
    "GaussianSDE",
    "LinearBetas",
    "Marginal",
    "NormalPrior",
    "Prior",
    "RectifiedFlow",
    "SubVP",
    "Transition",
]
