"""The RefineNets among score_sde's networks: NCSN and NCSNv2 (Song and Ermon 2019 and 2020)."""

from __future__ import annotations

from typing import Any

from score_sde.interop.options.base import Options, chosen, made
from score_sde.networks.layers.instance_norms import InstanceNorm, InstanceNormPlus, VarianceNorm
from score_sde.networks.ncsn import NCSN, NCSNv2

V2 = {  # multipliers and dilations by resolution (Song and Ermon 2020, table 3)
    64: ((1, 2, 2, 2), (1, 1, 2, 4)),
    128: ((1, 2, 2, 4, 4), (1, 1, 1, 2, 4)),
    256: ((1, 2, 2, 2, 4, 4), (1, 1, 1, 1, 2, 4)),
}


def ncsn(options: Options, shape: tuple[int, ...], common: dict[str, Any]) -> Any:
    """NCSN of ``num_scales`` noise levels."""
    return made(NCSN, shape, n_levels=int(options.get("num_scales", 10)), **_without_blocks(common))


def ncsnv2(size: int) -> Any:
    """The maker of NCSNv2 for images of up to 64, 128 or 256 pixels."""
    multipliers, dilations = V2[size]

    def make(options: Options, shape: tuple[int, ...], common: dict[str, Any]) -> Any:
        norms: dict[Any, Any] = {
            "instancenorm++": InstanceNormPlus,
            "instancenorm": InstanceNorm,
            "variancenorm": VarianceNorm,
        }
        norm = chosen(options, "normalization", norms, "InstanceNorm++")
        sized = {"multipliers": multipliers, "dilations": dilations, "norm": norm}
        return made(NCSNv2, shape, **sized, **_without_blocks(common))

    return make


def _without_blocks(common: dict[str, Any]) -> dict[str, Any]:
    """What U-Nets and RefineNets have in common."""
    return {
        name: common[name] for name in ("channels", "act", "input_scale", "input_shift") if name in common
    }
