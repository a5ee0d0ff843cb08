"""Laws that a part of one's own is held to: an SDE, a predictor, a corrector.

``list(verify_sde(mine))`` is a list of ``Finding``; ``python -m experiments.verify`` prints them.
"""

from score_sde.verification.base import Finding, Law, held
from score_sde.verification.correctors import CORRECTOR_LAWS
from score_sde.verification.gaussian_sdes import GAUSSIAN_LAWS
from score_sde.verification.general_sdes import GENERAL_LAWS
from score_sde.verification.parts import verify_corrector, verify_predictor, verify_sde
from score_sde.verification.predictors import PREDICTOR_LAWS

__all__ = [
    "CORRECTOR_LAWS",
    "GAUSSIAN_LAWS",
    "GENERAL_LAWS",
    "PREDICTOR_LAWS",
    "Finding",
    "Law",
    "held",
    "verify_corrector",
    "verify_predictor",
    "verify_sde",
]
