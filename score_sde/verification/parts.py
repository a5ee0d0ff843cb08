"""Which laws a part is held to."""

from __future__ import annotations

from collections.abc import Iterator

from score_sde.samplers.base import Corrector, Predictor
from score_sde.samplers.checks import require_gaussian
from score_sde.sdes.base import SDE
from score_sde.verification.base import Finding, held
from score_sde.verification.correctors import CORRECTOR_LAWS
from score_sde.verification.gaussian_sdes import GAUSSIAN_LAWS
from score_sde.verification.general_sdes import GENERAL_LAWS
from score_sde.verification.predictors import PREDICTOR_LAWS


def verify_sde(sde: SDE) -> Iterator[Finding]:
    """A Gaussian process against its alpha and sigma; another against its prior and its simulated paths."""
    return held(GAUSSIAN_LAWS if hasattr(sde, "log_snr") else GENERAL_LAWS, sde)


def verify_predictor(predictor: Predictor, sde: SDE) -> Iterator[Finding]:
    """A predictor on a Gaussian SDE, with the exact denoiser of a normal law."""
    return held(PREDICTOR_LAWS, predictor, require_gaussian("verify_predictor", sde))


def verify_corrector(corrector: Corrector, sde: SDE) -> Iterator[Finding]:
    """A corrector on a Gaussian SDE, with the exact denoiser of a normal law in many dimensions."""
    return held(CORRECTOR_LAWS, corrector, require_gaussian("verify_corrector", sde))
