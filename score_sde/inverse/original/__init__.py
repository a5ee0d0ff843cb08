"""The score-SDE repository's inpainting and colorization, habits included, by name."""

from score_sde.inverse.original.colorization import OriginalColorization
from score_sde.inverse.original.inpainting import OriginalInpainting

__all__ = ["OriginalColorization", "OriginalInpainting"]
