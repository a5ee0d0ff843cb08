"""What a model of the next state's change would be in the end, for a linear system."""

from typing import Any

from score_sde.denoisers.base import Denoiser


class NextChange(Denoiser):
    """D of (next - last) / scale, given the last state: a normal law about (M - I) last + mean."""

    matrix: Any
    variances: Any  # of the next state given the last
    mean: Any = 0.0
    scale: float = 1.0

    def __call__(self, x, t, cond=None, *, key=None):
        told = cond["beside"]
        mean = (told @ self.matrix.T + self.mean - told) / self.scale
        alpha, variance = self.sde.alpha(t), self.sde.variance(t)
        own = self.variances / self.scale**2
        return mean + alpha * own / (alpha**2 * own + variance) * (x - alpha * mean)
