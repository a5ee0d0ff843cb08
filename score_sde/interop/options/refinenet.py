"""The RefineNets among score_sde's networks: NCSN and NCSNv2 (Song and Ermon 2019 and 2020).

Weights of the two originals do not fit the same network. PyTorch's code has unbiased variances and
interpolates from corner to corner; JAX's has biased ones, interpolates between centres of pixels
(``interpolation`` says how), and for up to 64 pixels is wider where the levels are put together.
"""

from __future__ import annotations

import functools
from typing import Any

from score_sde.interop.options.base import Options, chosen
from score_sde.networks.layers.instance_norms import InstanceNorm, InstanceNormPlus, VarianceNorm
from score_sde.networks.layers.interpolation import AlignedBilinear, Bilinear, Nearest
from score_sde.networks.ncsn import NCSN, NCSNv2

V2 = {  # multipliers and dilations by resolution (Song and Ermon 2020, table 3)
    64: ((1, 2, 2, 2), (1, 1, 2, 4)),
    128: ((1, 2, 2, 4, 4), (1, 1, 1, 2, 4)),
    256: ((1, 2, 2, 2, 4, 4), (1, 1, 1, 1, 2, 4)),
}
REFINED_IN_JAX = {64: (2, 2, 2, 1)}  # those of other sizes are the same in both
DDOF: dict[Any, Any] = {"pytorch": 1, "jax": 0}


def ncsn(options: Options, common: dict[str, Any]) -> Any:
    """NCSN of ``num_scales`` noise levels."""
    return functools.partial(
        NCSN,
        n_levels=int(options.get("num_scales", 10)),
        ddof=_by_framework(options, DDOF),
        **_common(options, common, 64),
    )


def ncsnv2(size: int) -> Any:
    """The maker of NCSNv2 for images of up to 64, 128 or 256 pixels."""
    multipliers, dilations = V2[size]

    def make(options: Options, common: dict[str, Any]) -> Any:
        ddof = _by_framework(options, DDOF)
        norms: dict[Any, Any] = {
            "instancenorm++": functools.partial(InstanceNormPlus, ddof=ddof),
            "instancenorm": InstanceNorm,
            "variancenorm": functools.partial(VarianceNorm, ddof=ddof),
        }
        norm = chosen(options, "normalization", norms, "InstanceNorm++")
        sized = {"multipliers": multipliers, "dilations": dilations, "norm": norm}
        return functools.partial(NCSNv2, **sized, **_common(options, common, size))

    return make


def _common(options: Options, common: dict[str, Any], size: int) -> dict[str, Any]:
    """What U-Nets and RefineNets have in common, and what both RefineNets have in a framework."""
    kinds: dict[Any, Any] = {"bilinear": Bilinear(), "nearest_neighbor": Nearest()}
    given = chosen(options, "interpolation", kinds, "bilinear")
    return {
        "interpolation": _by_framework(options, {"pytorch": AlignedBilinear(), "jax": given}),
        "refined": _by_framework(options, {"pytorch": None, "jax": REFINED_IN_JAX.get(size)}),
        **{
            name: common[name] for name in ("channels", "act", "input_scale", "input_shift") if name in common
        },
    }


def _by_framework(options: Options, choices: dict[Any, Any]) -> Any:
    return chosen(options, "framework", choices, "pytorch")
