"""The layouts that files are recognised by: the first that recognises the names is taken."""

from __future__ import annotations

from score_sde.interop import (
    diffusers_names,
    dit,
    edm,
    guided_diffusion,
    ncsn_names,
    score_sde_names,
    wideresnet_names,
)
from score_sde.interop.base import Layout

LAYOUTS: tuple[Layout, ...] = (
    *edm.LAYOUTS,
    *guided_diffusion.LAYOUTS,
    *dit.LAYOUTS,
    *diffusers_names.LAYOUTS,
    *score_sde_names.LAYOUTS,
    *ncsn_names.LAYOUTS,
    *wideresnet_names.LAYOUTS,
)
