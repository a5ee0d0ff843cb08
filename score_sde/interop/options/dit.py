"""Options of facebookresearch/DiT (Peebles and Xie 2023) and willisma/SiT (Ma et al. 2024)."""

from __future__ import annotations

import functools
from typing import Any

from score_sde.denoisers.base import Preconditioning
from score_sde.denoisers.labels import DataTimeLabels, StepLabels
from score_sde.denoisers.preconditioned import LearnedRange, Preconditioned
from score_sde.denoisers.preconditioning import DatawardVelocity, NoisePrediction, ScorePrediction
from score_sde.errors import InputError
from score_sde.interop.options.base import Options, chosen, made, require_weights
from score_sde.networks.dit import DiT, SiT
from score_sde.sdes.base import GaussianSDE
from score_sde.sdes.betas import LinearBetas
from score_sde.sdes.discrete_vp import DiscreteVP
from score_sde.sdes.gvp import GVP
from score_sde.sdes.rectified_flow import RectifiedFlow
from score_sde.sdes.vp import VP

SIZES = {  # width, depth, heads
    "s": (384, 12, 6),
    "b": (768, 12, 12),
    "l": (1024, 24, 16),
    "xl": (1152, 28, 16),
}
REDUCTION = 8  # pixels for each value of the latent, along each side
STEPS = 1000


def dit_network(options: Options, *, seed: int | None = None) -> DiT:
    """The DiT of the original's options.

    ``options`` are those of its scripts (``model="DiT-XL/2", image_size=256, num_classes=1000``), or of its
    class (``input_size``, ``patch_size``, ``in_channels``, ``hidden_size``, ``depth``, ``num_heads``,
    ``num_classes``, ``learn_sigma``). Its weights are shapes that ``interop.load`` fills, or, with
    ``seed``, drawn.

    Raises:
        InputError: a model that there is not.
    """
    return _made(DiT, options, seed)


def sit_network(options: Options, *, seed: int | None = None) -> SiT:
    """The SiT of the original's options, which are those of ``dit_network``: ``model="SiT-XL/2"``."""
    return _made(SiT, options, seed)


def dit_denoiser(options: Options, network: Any) -> Preconditioned:
    """The network as a noise prediction on the chain of 1000 steps with linear betas.

    With ``learn_sigma``, the default, a ``LearnedRange``.

    Raises:
        InputError: a network without weights.
    """
    require_weights(network)
    kinds = {True: LearnedRange, False: Preconditioned}
    kind = chosen(options, "learn_sigma", kinds, True)
    precondition = NoisePrediction(labels=StepLabels(steps=STEPS))
    sde = DiscreteVP(betas=LinearBetas(), steps=STEPS)
    return kind(sde=sde, network=network, precondition=precondition)


def sit_denoiser(options: Options, network: Any) -> Preconditioned:
    """The network as what ``prediction`` says (velocity, score, noise), on ``path_type`` (Linear, GVP, VP).

    Raises:
        InputError: a value that the original does not know; a network without weights.
    """
    require_weights(network)
    paths: dict[Any, GaussianSDE] = {"linear": RectifiedFlow(), "gvp": GVP(), "vp": VP()}
    labels = DataTimeLabels()
    kinds: dict[Any, Preconditioning] = {
        "velocity": DatawardVelocity(labels=labels),
        "score": ScorePrediction(labels=labels),
        "noise": NoisePrediction(labels=labels),
    }
    sde = chosen(options, "path_type", paths, "linear")
    precondition = chosen(options, "prediction", kinds, "velocity")
    return Preconditioned(sde=sde, network=network, precondition=precondition)


def _made(kind: Any, options: Options, seed: int | None) -> Any:
    width, depth, heads, patch = _size(options)
    classes = int(options.get("num_classes", 1000))
    side = options.get("input_size") or int(options.get("image_size", 256)) // REDUCTION
    outputs = chosen(options, "learn_sigma", {True: 2, False: 1}, True)
    build = functools.partial(
        kind, patch=patch, width=width, depth=depth, heads=heads, n_classes=classes, outputs=outputs
    )
    return made(build, (side, side, options.get("in_channels", 4)), seed)


def _size(options: Options) -> tuple[int, int, int, int]:
    """Width, depth, heads and patch: of ``DiT-XL/2``, or of the arguments of the class."""
    known = {f"{size}/{patch}": (*SIZES[size], patch) for size in SIZES for patch in (2, 4, 8)}
    if "model" not in options:
        xl = dict(zip(("hidden_size", "depth", "num_heads", "patch_size"), known["xl/2"], strict=True))
        return tuple(options.get(name, default) for name, default in xl.items())
    name = str(options["model"]).lower().partition("-")[2]
    if name not in known:
        expected = "DiT- or SiT- with S, B, L or XL, then /2, /4 or /8"
        raise InputError("option model", options["model"], expected, "give the name of the original")
    return known[name]
