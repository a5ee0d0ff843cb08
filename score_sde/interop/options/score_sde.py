"""Options of score_sde and score_sde_pytorch (Song et al. 2021): the fields of their configurations."""

from __future__ import annotations

import functools
from typing import Any

import jax

from score_sde.denoisers.base import Preconditioning
from score_sde.denoisers.discrete import DDPMPrecondition, SMLDPrecondition
from score_sde.denoisers.preconditioned import Preconditioned
from score_sde.denoisers.preconditioning import NoisePrediction, ScoreTimesStd
from score_sde.errors import InputError
from score_sde.interop.options.base import Options, chosen, made, renamed
from score_sde.networks.ddpm import DDPM
from score_sde.networks.layers import (
    FIR,
    Concatenation,
    InputResidual,
    InputSkip,
    Naive,
    NoInput,
    OutputResidual,
    OutputSkip,
    PositionalEmbedding,
    RescalingFilters,
    RescalingResampledConvolutions,
    SigmaEmbedding,
    Sum,
    TopOutput,
)
from score_sde.networks.ncsnpp import BigGAN, DDPMConvolutions, DDPMFilters, NCSNpp
from score_sde.sdes.base import GaussianSDE
from score_sde.sdes.subvp import SubVP
from score_sde.sdes.ve import VE
from score_sde.sdes.vp import VP

ACTIVATIONS = {
    "swish": jax.nn.silu,
    "elu": jax.nn.elu,
    "relu": jax.nn.relu,
    "lrelu": functools.partial(jax.nn.leaky_relu, negative_slope=0.2),
}
NAMES = {"nf": "channels", "num_res_blocks": "blocks", "dropout": "dropout"}
TUPLES = {"ch_mult": "multipliers", "attn_resolutions": "attention_resolutions"}


def score_sde_network(options: Options) -> Any:
    """The network ``ncsnpp`` or ``ddpm`` of the original's options, not yet with its weights.

    ``options`` holds the fields of the original's ``config.model`` beside those of ``config.data``
    (``image_size``, ``num_channels``, ``centered``) in one dictionary; what is missing has the default of the
    published CIFAR-10 configurations.

    Raises:
        InputError: a value that the original does not know.
    """
    size = options.get("image_size", 32)
    build = chosen(options, "name", {"ncsnpp": _ncsnpp, "ddpm": _ddpm}, "ncsnpp")
    common = renamed(options, NAMES) | renamed(options, TUPLES, tuple)
    if not options.get("centered", True):
        common |= {"input_scale": 2.0, "input_shift": -1.0}
    common["act"] = chosen(options, "nonlinearity", ACTIVATIONS, "swish")
    return build(options, (size, size, options.get("num_channels", 3)), common)


def score_sde_denoiser(options: Options, network: Any) -> Preconditioned:
    """The network behind its SDE and preconditioning, by ``sde`` and ``continuous`` of ``config.training``.

    Raises:
        InputError: a value that the original does not know.
    """
    sde, precondition = chosen(options, "sde", {"vpsde": _vp, "subvpsde": _subvp, "vesde": _ve}, "vpsde")(
        options, bool(options.get("continuous", True))
    )
    return Preconditioned(sde=sde, network=network, precondition=precondition)


def _ncsnpp(options: Options, shape: tuple[int, ...], common: dict[str, Any]) -> Any:
    embedding: Any = {
        "positional": PositionalEmbedding,
        "fourier": functools.partial(SigmaEmbedding, scale=float(options.get("fourier_scale", 16))),
    }
    combine = chosen(options, "progressive_combine", {"sum": Sum(), "cat": Concatenation()}, "sum")
    inputs = {"none": NoInput(), "input_skip": InputSkip(combine=combine), "residual": InputResidual()}
    outputs = {"none": TopOutput(), "output_skip": OutputSkip(), "residual": OutputResidual()}
    ddpm_block = DDPMConvolutions() if options.get("resamp_with_conv", True) else DDPMFilters()
    kernel = tuple(options.get("fir_kernel", (1, 3, 3, 1)))
    return made(
        NCSNpp,
        shape,
        embedding=_if_conditional(options, chosen(options, "embedding_type", embedding, "positional")),
        residual=chosen(options, "resblock_type", {"biggan": BigGAN(), "ddpm": ddpm_block}, "biggan"),
        resampling=FIR(kernel) if options.get("fir", False) else Naive(),
        progressive_input=chosen(options, "progressive_input", inputs, "none"),
        progressive=chosen(options, "progressive", outputs, "none"),
        rescale=2**0.5 if options.get("skip_rescale", True) else 1.0,
        **common,
    )


def _ddpm(options: Options, shape: tuple[int, ...], common: dict[str, Any]) -> Any:
    convolves = options.get("resamp_with_conv", True)
    return made(
        DDPM,
        shape,
        embedding=_if_conditional(options, PositionalEmbedding),
        rescaling=RescalingResampledConvolutions() if convolves else RescalingFilters(),
        **common,
    )


def _if_conditional(options: Options, embedding: Any) -> Any:
    return embedding if options.get("conditional", True) else None


def _betas(options: Options) -> dict[str, float]:
    return renamed(options, {"beta_min": "beta_min", "beta_max": "beta_max"}, float)


def _vp(options: Options, continuous: bool) -> tuple[GaussianSDE, Preconditioning]:
    steps = int(options.get("num_scales", 1000))
    _require_scaling(options, "vpsde", False)
    return VP(**_betas(options)), NoisePrediction() if continuous else DDPMPrecondition(steps=steps)


def _subvp(options: Options, continuous: bool) -> tuple[GaussianSDE, Preconditioning]:
    if not continuous:
        raise InputError("option continuous", continuous, "True for subvpsde", "the original has no other")
    _require_scaling(options, "subvpsde", False)
    return SubVP(**_betas(options)), NoisePrediction()


def _ve(options: Options, continuous: bool) -> tuple[GaussianSDE, Preconditioning]:
    steps = int(options.get("num_scales", 1000))
    _require_scaling(options, "vesde", True)
    sde = VE(**renamed(options, {"sigma_min": "sigma_min", "sigma_max": "sigma_max"}, float))
    return sde, ScoreTimesStd() if continuous else SMLDPrecondition(steps=steps)


def _require_scaling(options: Options, sde: str, expected: bool) -> None:
    """The published models divide their output by sigma just where the SDE is VE."""
    given = bool(options.get("scale_by_sigma", expected))
    if given != expected:
        remedy = "write a Preconditioning for this combination"
        raise InputError("option scale_by_sigma", given, f"{expected} for {sde}, as published", remedy)
