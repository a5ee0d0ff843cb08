"""Options of score_sde and score_sde_pytorch (Song et al. 2021): the fields of their configurations."""

from __future__ import annotations

import functools
from typing import Any

import jax

from score_sde.denoisers.base import Preconditioning
from score_sde.denoisers.discrete import DDPMPrecondition, SMLDPrecondition, SMLDScorePrecondition
from score_sde.denoisers.preconditioned import Preconditioned
from score_sde.denoisers.preconditioning import NoisePrediction, ScoreTimesStd
from score_sde.errors import InputError
from score_sde.interop.options.base import Options, chosen, made, renamed, require_spelling, require_weights
from score_sde.interop.options.refinenet import ncsn, ncsnv2
from score_sde.networks.ddpm import DDPM
from score_sde.networks.layers import (
    FIR,
    Concatenation,
    Conv,
    GroupNorm,
    InputResidual,
    InputSkip,
    Naive,
    NoInput,
    OutputResidual,
    OutputSkip,
    PositionalEmbedding,
    RescalingFilters,
    RescalingResampledConvolutions,
    SelfAttention,
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
KNOWN = (
    "nf", "num_res_blocks", "dropout", "ch_mult", "attn_resolutions", "image_size", "num_channels",
    "centered", "nonlinearity", "name", "embedding_type", "fourier_scale", "progressive", "progressive_input",
    "progressive_combine", "resblock_type", "resamp_with_conv", "fir", "fir_kernel", "skip_rescale",
    "conditional", "num_scales", "beta_min", "beta_max", "sigma_min", "sigma_max", "scale_by_sigma", "sde",
    "continuous", "normalization", "attention_type", "conv_size", "init_scale", "ema_rate",
    "interpolation", "framework",
)  # fmt: skip
TUPLES = {"ch_mult": "multipliers", "attn_resolutions": "attention_resolutions"}


def score_sde_network(options: Options, *, seed: int | None = None) -> Any:
    """The network of the original's options.

    ``name`` is ncsnpp, ddpm, ncsn or ncsnv2_64, _128 or _256. ``options`` holds the fields of the original's
    ``config.model`` beside those of ``config.data`` (``image_size``, ``num_channels``, ``centered``) in one
    dictionary. What is missing has the value of the original's ``default_cifar10_configs``, so data in
    [0, 1] and Fourier features, and else that of DDPM++. Fields of other parts may be there too.
    NCSN and NCSNv2 differ between the originals: ``framework``, which is no field of theirs, says whose
    weights they are for, ``"pytorch"`` (if it is missing) or ``"jax"``.
    Its weights are shapes that ``interop.load`` fills, or, with ``seed``, drawn.

    Raises:
        InputError: a value that the original does not know; a field that is misspelt.
    """
    require_spelling(options, KNOWN)
    size = options.get("image_size", 32)
    build = chosen(options, "name", BUILDERS, "ncsnpp")
    common = renamed(options, NAMES) | renamed(options, TUPLES, tuple)
    if not options.get("centered", False):
        common |= {"input_scale": 2.0, "input_shift": -1.0}
    common["act"] = chosen(options, "nonlinearity", ACTIVATIONS, "elu" if _is_refinenet(options) else "swish")
    return made(build(options, common), (size, size, options.get("num_channels", 3)), seed)


def score_sde_denoiser(options: Options, network: Any) -> Preconditioned:
    """The network behind its SDE and preconditioning, by ``sde`` and ``continuous`` of ``config.training``.

    Raises:
        InputError: a value that the original does not know; a network without weights.
    """
    require_weights(network)
    require_spelling(options, KNOWN)
    make = chosen(
        options,
        "sde",
        {"vpsde": _vp, "subvpsde": _subvp, "vesde": _ve},
        "vesde" if _is_refinenet(options) else "vpsde",
    )
    sde, precondition = make(options, bool(options.get("continuous", not _is_refinenet(options))))
    return Preconditioned(sde=sde, network=network, precondition=precondition)


def _ncsnpp(options: Options, common: dict[str, Any]) -> Any:
    embedding: Any = {
        "positional": PositionalEmbedding,
        "fourier": functools.partial(SigmaEmbedding, scale=float(options.get("fourier_scale", 16))),
    }
    combine = chosen(options, "progressive_combine", {"sum": Sum(), "cat": Concatenation()}, "sum")
    inputs = {"none": NoInput(), "input_skip": InputSkip(combine=combine), "residual": InputResidual()}
    outputs = {"none": TopOutput(), "output_skip": OutputSkip(), "residual": OutputResidual()}
    _require_published(options)
    ddpm_block = DDPMConvolutions() if options.get("resamp_with_conv", True) else DDPMFilters()
    kernel = tuple(options.get("fir_kernel", (1, 3, 3, 1)))
    return functools.partial(
        NCSNpp,
        embedding=_if_conditional(options, chosen(options, "embedding_type", embedding, "fourier")),
        residual=chosen(options, "resblock_type", {"biggan": BigGAN(), "ddpm": ddpm_block}, "biggan"),
        resampling=FIR(kernel) if options.get("fir", False) else Naive(),
        progressive_input=chosen(options, "progressive_input", inputs, "none"),
        progressive=chosen(options, "progressive", outputs, "none"),
        rescale=2**0.5 if options.get("skip_rescale", True) else 1.0,
        **common,
    )


def _ddpm(options: Options, common: dict[str, Any]) -> Any:
    _require_published(options)
    convolves = options.get("resamp_with_conv", True)
    return functools.partial(
        DDPM,
        embedding=_if_conditional(options, PositionalEmbedding),
        rescaling=RescalingResampledConvolutions() if convolves else RescalingFilters(),
        **common,
    )


REFINENETS: dict[Any, Any] = {
    "ncsn": ncsn,
    "ncsnv2_64": ncsnv2(64),
    "ncsnv2_128": ncsnv2(128),
    "ncsnv2_256": ncsnv2(256),
}
BUILDERS: dict[Any, Any] = {"ncsnpp": _ncsnpp, "ddpm": _ddpm, **REFINENETS}


def _is_refinenet(options: Options) -> bool:
    return str(options.get("name", "")).lower() in REFINENETS


def _require_published(options: Options) -> None:
    """U-Nets have these alone."""
    chosen(options, "normalization", {"groupnorm": GroupNorm}, "GroupNorm")
    chosen(options, "attention_type", {"ddpm": SelfAttention}, "ddpm")
    chosen(options, "conv_size", {3: Conv}, 3)


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
    if continuous:
        return sde, ScoreTimesStd()
    discrete = SMLDScorePrecondition if options.get("name") == "ncsn" else SMLDPrecondition
    return sde, discrete(steps=steps)


def _require_scaling(options: Options, sde: str, expected: bool) -> None:
    """The published models divide their output by sigma just where the SDE is VE."""
    given = bool(options.get("scale_by_sigma", expected))
    if given != expected:
        remedy = "write a Preconditioning for this combination"
        raise InputError("option scale_by_sigma", given, f"{expected} for {sde}, as published", remedy)
