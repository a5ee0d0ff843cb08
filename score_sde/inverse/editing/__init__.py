"""Editing of pictures: by noise, and by way of their latents."""

from score_sde.inverse.editing.dual_bridge import DualBridge
from score_sde.inverse.editing.inversion import Inversion
from score_sde.inverse.editing.sdedit import SDEdit

__all__ = ["DualBridge", "Inversion", "SDEdit"]
