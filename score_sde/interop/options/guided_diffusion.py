"""Options of openai/guided-diffusion (Dhariwal and Nichol 2021): of its scripts or of its classes."""

from __future__ import annotations

import functools
from typing import Any

from score_sde.denoisers.base import Preconditioning
from score_sde.denoisers.labels import StepLabels
from score_sde.denoisers.noisy_classifier import NoisyClassifier
from score_sde.denoisers.preconditioned import LearnedRange, Preconditioned
from score_sde.denoisers.preconditioning import DataPrediction, NoisePrediction
from score_sde.interop.options.base import Options, chosen, made, require_weights, required
from score_sde.networks.adm import ADM, ADMSuperResolution
from score_sde.networks.adm_classifier import ADMClassifier
from score_sde.networks.layers import (
    Added,
    AttentionPool,
    ConstantHeads,
    HeadsOf,
    MeanPool,
    NormedSpatialPool,
    RescalingBlocks,
    RescalingConvolutions,
    RescalingFilters,
    ScaleShift,
    SpatialPool,
)
from score_sde.sdes.betas import CosineBetas, LinearBetas
from score_sde.sdes.discrete_vp import DiscreteVP

CLASSES = 1000  # what ``class_cond`` means
MULTIPLIERS: dict[int, tuple[float, ...]] = {
    512: (0.5, 1, 1, 2, 2, 4, 4),
    256: (1, 1, 2, 2, 4, 4),
    128: (1, 1, 2, 3, 4),
    64: (1, 2, 3, 4),
}
UPSAMPLERS: dict[int, tuple[float, ...]] = {
    512: (1, 1, 2, 2, 4, 4),
    256: (1, 1, 2, 2, 4, 4),
    64: (1, 2, 3, 4),
}
COPIED = (
    "num_res_blocks", "num_heads", "num_head_channels", "num_heads_upsample", "dropout",
    "use_scale_shift_norm", "resblock_updown", "use_new_attention_order", "conv_resample",
)  # fmt: skip
UNET_FLAGS = {"num_channels": 128, "num_res_blocks": 2, "num_heads": 4, "use_scale_shift_norm": True}
CLASSIFIER_FLAGS = {
    "num_channels": 128, "num_res_blocks": 2, "attention_resolutions": "32,16,8", "num_head_channels": 64,
    "use_scale_shift_norm": True, "resblock_updown": True, "pool": "attention",
}  # fmt: skip
CLASSIFIER_NAMES = {"width": "num_channels", "depth": "num_res_blocks"}


def guided_diffusion_network(options: Options, *, seed: int | None = None) -> Any:
    """The UNet, upsampler or encoder classifier of the original's options.

    ``options`` are flags of its scripts (``image_size=64, num_channels=192, attention_resolutions="32,16,8",
    learn_sigma=True``; ``large_size`` makes an upsampler, a ``classifier_`` flag a classifier), or, where
    ``model_channels`` is among them, arguments of its classes, whose name is ``cls``.
    Its weights are shapes that ``interop.load`` fills, or, with ``seed``, drawn.

    Raises:
        InputError: an option that is missing, or a value that the original does not know.
    """
    arguments = dict(options) if "model_channels" in options else _arguments(options)
    kinds = {"unetmodel": ADM, "superresmodel": ADMSuperResolution, "encoderunetmodel": ADMClassifier}
    network = chosen(arguments, "cls", kinds, "UNetModel")
    channels = arguments.get("in_channels", 3)
    shape = (*(required(arguments, "image_size"),) * arguments.get("dims", 2), channels)
    common = _common(arguments)
    outputs = required(arguments, "out_channels")
    if network is ADMClassifier:
        build = functools.partial(network, n_classes=outputs, pool=_pool(arguments), **common)
        return made(build, shape, seed)
    rising = arguments.get("num_heads_upsample", -1)
    if rising != -1 and arguments.get("num_head_channels", -1) == -1:
        common["heads_up"] = ConstantHeads(rising)
    common |= {"n_classes": arguments.get("num_classes"), "outputs": outputs // channels}
    return made(functools.partial(network, **common), shape, seed)


def guided_diffusion_denoiser(options: Options, network: Any) -> Preconditioned | NoisyClassifier:
    """The network on its chain of ``diffusion_steps`` and ``noise_schedule``: a classifier, or a denoiser.

    With ``rescale_timesteps`` labels are those of a chain of 1000 steps. A classifier's too: the original's
    samplers do so, though its training script gives the number of the step.

    Raises:
        InputError: a value that the original does not know; a network without weights.
    """
    require_weights(network)
    steps = int(options.get("diffusion_steps", 1000))
    betas = chosen(options, "noise_schedule", {"linear": LinearBetas(), "cosine": CosineBetas()}, "linear")
    scale = chosen(options, "rescale_timesteps", {False: 1.0, True: 1000 / steps}, False)
    sde, labels = DiscreteVP(betas=betas, steps=steps), StepLabels(steps=steps, scale=scale)
    if hasattr(network, "pool"):
        return NoisyClassifier(sde=sde, network=network, labels=labels)
    kinds: dict[Any, Preconditioning] = {
        False: NoisePrediction(labels=labels),
        True: DataPrediction(labels=labels),
    }
    precondition = chosen(options, "predict_xstart", kinds, False)
    kind = chosen(options, "learn_sigma", {True: LearnedRange, False: Preconditioned}, False)
    return kind(sde=sde, network=network, precondition=precondition)


def _arguments(flags: Options) -> dict[str, Any]:
    """Arguments of the classes from the flags of the scripts."""
    if any(name.startswith("classifier_") and not name.startswith("classifier_scale") for name in flags):
        return _classifier_arguments(flags)
    size = flags.get("large_size") or required(flags, "image_size")
    defaults = MULTIPLIERS if "large_size" not in flags else UPSAMPLERS
    flags = {**UNET_FLAGS, "attention_resolutions": "16,8", **flags}
    learns = flags.get("learn_sigma", False)
    return _sized(flags, size, defaults) | {
        "cls": "SuperResModel" if "large_size" in flags else "UNetModel",
        "out_channels": 6 if learns else 3,
        "num_classes": CLASSES if flags.get("class_cond", False) else None,
    }


def _classifier_arguments(flags: Options) -> dict[str, Any]:
    short = {name.removeprefix("classifier_"): value for name, value in flags.items()}
    given = {CLASSIFIER_NAMES.get(name, name): value for name, value in short.items()}
    given = {**CLASSIFIER_FLAGS, **given}
    sized = _sized(given, required(flags, "image_size"), MULTIPLIERS)
    return sized | {"cls": "EncoderUNetModel", "out_channels": CLASSES, "pool": given["pool"]}


def _sized(flags: Options, size: int, defaults: dict[int, tuple[float, ...]]) -> dict[str, Any]:
    """What depends on the resolution: multipliers, and attention, which classes count in halvings."""
    spelt = str(flags.get("channel_mult") or "")
    multipliers = tuple(float(m) for m in spelt.split(",")) if spelt else None
    attended = [int(resolution) for resolution in str(flags["attention_resolutions"]).split(",")]
    copied = {name: flags[name] for name in COPIED if name in flags}
    return copied | {
        "image_size": size,
        "model_channels": flags["num_channels"],
        "channel_mult": multipliers or chosen({"image_size": size}, "image_size", defaults, size),
        "attention_resolutions": tuple(size // resolution for resolution in attended),
    }


def _common(arguments: Options) -> dict[str, Any]:
    size, rates = arguments["image_size"], required(arguments, "attention_resolutions")
    per_head = arguments.get("num_head_channels", -1)
    ways: dict[Any, Any] = {True: RescalingConvolutions(), False: RescalingFilters()}
    resampled = ways[bool(arguments.get("conv_resample", True))]
    return {
        "channels": arguments["model_channels"],
        "multipliers": tuple(arguments.get("channel_mult", (1, 2, 4, 8))),
        "blocks": required(arguments, "num_res_blocks"),
        "attention_resolutions": tuple(size // rate for rate in rates),
        "dropout": float(arguments.get("dropout", 0.0)),
        "heads": ConstantHeads(arguments.get("num_heads", 1)) if per_head == -1 else HeadsOf(per_head),
        "modulation": ScaleShift() if arguments.get("use_scale_shift_norm", False) else Added(),
        "rescaling": RescalingBlocks() if arguments.get("resblock_updown", False) else resampled,
        "attention_order": "new" if arguments.get("use_new_attention_order", False) else "legacy",
    }


def _pool(arguments: Options) -> Any:
    pools: dict[Any, Any] = {
        "attention": AttentionPool(HeadsOf(arguments.get("num_head_channels", 64))),
        "adaptive": MeanPool(),
        "spatial": SpatialPool(),
        "spatial_v2": NormedSpatialPool(),
    }
    return chosen(arguments, "pool", pools, "adaptive")
