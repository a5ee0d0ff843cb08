"""The exact law of draws that are an affine function of their normal noise.

With a normal prior each denoiser is affine, and so are a sampler's steps. Unit vectors, one for each example
of a batch, are put in the place of ``arrays.normal_like``; what comes out are the columns of the map.
"""

import functools
import itertools

import jax
import jax.numpy as jnp
import numpy as np

from score_sde import arrays


def affine_law(monkeypatch, draw):
    """Mean and covariance of one example that ``draw(batch size)`` returns, in float64."""
    shapes = []

    def silent(key, x):
        shapes.append(x.shape[1:])
        return jnp.zeros(x.shape)

    with monkeypatch.context() as patch, jax.disable_jit():
        patch.setattr(arrays, "normal_like", silent)
        draw(1)
    sizes = [int(np.prod(shape)) for shape in shapes]
    batch = 1 + sum(sizes)
    begins = itertools.accumulate(sizes, initial=1)
    handed = iter(list(zip(begins, sizes, strict=False)))

    def unit(key, x):
        begin, size = next(handed)
        noise = np.zeros((batch, size))
        noise[begin : begin + size] = np.eye(size)
        return jnp.asarray(noise.reshape(x.shape))

    with monkeypatch.context() as patch, jax.disable_jit():
        patch.setattr(arrays, "normal_like", unit)
        rows = np.asarray(draw(batch)).reshape(batch, -1)
    columns = rows[1:] - rows[0]
    return rows[0], columns.T @ columns


class Law:
    """A normal law N(mean, covariance), moved by NumPy: x -> F x + b + noise."""

    def __init__(self, mean, covariance):
        self.mean, self.covariance = np.asarray(mean, float), np.asarray(covariance, float)

    def moved(self, F, b, noise):
        """x -> F x + b + n with n of covariance ``noise``."""
        return Law(F @ self.mean + b, F @ self.covariance @ F.T + noise)


class Prior:
    """Data N(mean, covariance) under a forward process: its denoiser as a matrix and an offset."""

    def __init__(self, sde, mean, covariance):
        self.sde, self.mean, self.covariance = sde, mean, covariance
        self.eye = np.eye(len(mean))
        self.level = functools.cache(self._level)  # recursions ask it of each time thrice

    def _level(self, t):
        """alpha and sigma."""
        return float(self.sde.alpha(t)), float(self.sde.sigma(t))

    def start(self):
        """x_T."""
        scale = float(np.asarray(self.sde.prior((1, len(self.mean))).scale))
        return Law(0 * self.mean, scale**2 * self.eye)

    def denoiser(self, t):
        """(G, g) with E[x_0 | x_t = x] = G x + g."""
        alpha, sigma = self.level(t)
        gain = alpha * self.covariance @ np.linalg.inv(alpha**2 * self.covariance + sigma**2 * self.eye)
        return gain, self.mean - alpha * gain @ self.mean

    def posterior(self, A, y, std):
        """Of x_0 given y = A x_0 + std n."""
        gain = self.covariance @ A.T @ np.linalg.pinv(A @ self.covariance @ A.T + std**2 * np.eye(len(y)))
        return Law(self.mean + gain @ (y - A @ self.mean), self.covariance - gain @ A @ self.covariance)
