"""A denoiser of the hidden values of a window."""

from __future__ import annotations

from score_sde.denoisers import Preconditioned
from score_sde.typing import Batch, Condition, Key, Time


class WhereHidden(Preconditioned):
    """D of innovations (batch, length, 1) given ``cond["beside"]``, what is told of the window (``told``).

    The network (of ``networks.Beside``) sees x where it is hidden; where a value is seen F = 0. With F = 0
    everywhere and data of unit variance it is the normal law that the innovations are of.
    """

    def output(self, x: Batch, t: Time, cond: Condition = None, *, key: Key | None = None) -> Batch:
        """F where the first channel beside x says that a value is hidden, 0 elsewhere."""
        hidden = cond["beside"][..., :1].astype(x.dtype)
        return super().output(x * hidden, t, cond, key=key) * hidden
