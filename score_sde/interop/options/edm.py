"""Options of NVlabs/edm (Karras et al. 2022): what its pickles say of the network and its preconditioning."""

from __future__ import annotations

import functools
from typing import Any

from score_sde.denoisers.base import Preconditioning
from score_sde.denoisers.karras import (
    IDDPMLabels,
    IDDPMPrecondition,
    VEPrecondition,
    VPPrecondition,
    VPTimeLabels,
)
from score_sde.denoisers.preconditioned import LearnedRange, Preconditioned
from score_sde.denoisers.preconditioning import EDMPrecondition
from score_sde.interop.options.base import Options, chosen, made, renamed, require_weights, required
from score_sde.networks.dhariwal_unet import DhariwalUNet
from score_sde.networks.layers import (
    FIR,
    FourierEmbedding,
    InputResidual,
    InputSkip,
    NoInput,
    OutputSkip,
    Plain,
    TopOutput,
)
from score_sde.networks.song_unet import POSITIONS, SongUNet
from score_sde.sdes.edm import EDM

NAMES = {
    "model_channels": "channels",
    "num_blocks": "blocks",
    "dropout": "dropout",
    "channel_mult_emb": "embedding_multiplier",
}
MODELS = {"edmprecond": "DhariwalUNet", "iddpmprecond": "DhariwalUNet"}  # where the pickle does not say
TUPLES = {"channel_mult": "multipliers", "attn_resolutions": "attention_resolutions"}


def edm_network(options: Options, *, seed: int | None = None) -> Any:
    """The network of the original's ``init_kwargs``.

    Its weights are shapes that ``interop.load`` fills, or, with ``seed``, drawn.
    ``model_type`` (or ``cls``) is SongUNet or DhariwalUNet; ``img_resolution`` is required.

    Raises:
        InputError: an option that is missing, or a value that the original does not know.
    """
    size, channels = (
        required(options, "img_resolution"),
        options.get("img_channels", options.get("in_channels", 3)),
    )
    kind = str(options.get("class", options.get("precond"))).lower()
    halves = {"iddpmprecond": 2}.get(kind, 1)  # the second says variances
    outputs = options.get("out_channels", halves * channels) // channels
    common = renamed(options, NAMES) | renamed(options, TUPLES, tuple) | {"outputs": outputs}
    common |= {
        "n_classes": options.get("label_dim") or None,
        "augment_dim": options.get("augment_dim") or None,
    }
    named = "model_type" if "model_type" in options else "cls"
    build = chosen(
        options, named, {"songunet": _song, "dhariwalunet": _dhariwal}, MODELS.get(kind, "SongUNet")
    )
    return made(build(options, common), (size, size, channels), seed)


def edm_denoiser(options: Options, network: Any) -> Preconditioned:
    """The network behind EDM's process and the preconditioning ``class`` (or ``precond``) of the pickle.

    Raises:
        InputError: a preconditioning that the original does not know; a network without weights.
    """
    require_weights(network)
    kinds = {"edmprecond": _edm, "vpprecond": _vp, "veprecond": _ve, "iddpmprecond": _iddpm}
    kind = "class" if "class" in options else "precond"
    make = chosen(options, kind, kinds, "EDMPrecond")
    model = LearnedRange if make is _iddpm else Preconditioned
    return model(sde=EDM(), network=network, precondition=make(options))


def _song(options: Options, common: dict[str, Any]) -> Any:
    embeddings: dict[Any, Any] = {"positional": POSITIONS, "fourier": FourierEmbedding}
    encoders = {"standard": NoInput(), "skip": InputSkip(), "residual": InputResidual()}
    decoders = {"standard": TopOutput(), "skip": OutputSkip()}
    kernel = tuple(options.get("resample_filter", (1, 1)))
    return functools.partial(
        SongUNet,
        embedding=chosen(options, "embedding_type", embeddings, "positional"),
        noise_multiplier=options.get("channel_mult_noise", 1),
        encoder=chosen(options, "encoder_type", encoders, "standard"),
        decoder=chosen(options, "decoder_type", decoders, "standard"),
        resampling=Plain() if kernel == (1, 1) else FIR(kernel),
        **common,
    )


def _dhariwal(options: Options, common: dict[str, Any]) -> Any:
    del options
    return functools.partial(DhariwalUNet, **common)


def _edm(options: Options) -> Preconditioning:
    return EDMPrecondition(sigma_data=float(options.get("sigma_data", 0.5)))


def _vp(options: Options) -> Preconditioning:
    beta_min = float(options.get("beta_min", 0.1))
    beta_max = beta_min + float(options.get("beta_d", 19.9))
    scale = float(options.get("M", 1000) - 1)
    return VPPrecondition(labels=VPTimeLabels(beta_min=beta_min, beta_max=beta_max, scale=scale))


def _ve(options: Options) -> Preconditioning:
    del options
    return VEPrecondition()


def _iddpm(options: Options) -> Preconditioning:
    given = renamed(options, {"C_1": "c1", "C_2": "c2"}, float)
    return IDDPMPrecondition(labels=IDDPMLabels(steps=options.get("M", 1000), **given))
