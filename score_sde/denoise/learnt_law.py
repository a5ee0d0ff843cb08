"""The law of clean data from noisy data alone: a mixture of normal laws, whose denoiser is in closed form."""

from __future__ import annotations

import warnings
from typing import Any

import jax.numpy as jnp
import numpy as np
from threadpoolctl import threadpool_limits

from score_sde.denoisers.exact import GaussianMixture
from score_sde.errors import InputError
from score_sde.sdes.base import GaussianSDE
from score_sde.sdes.checks import require_positive
from score_sde.sdes.edm import EDM

SMALL = (
    1e-3  # of the noise's variance: added to each variance of the noisy law, and the least of the clean one
)
TOLERANCE = 1e-3  # nats an example: where the likelihood rises by less, it is taken for the largest


def learnt_mixture(
    y: np.ndarray,
    std: float,
    *,
    components: int = 1,
    sde: GaussianSDE | None = None,
    start: GaussianMixture | None = None,
    rounds: int = 50,
    seed: int = 0,
) -> GaussianMixture:
    """The law of x_0 from draws of y = x_0 + std z: components of covariance S - std^2 I, not below 0.

    A mixture sum_k w_k N(m_k, S_k) is fitted to y by expectation maximisation; noise only adds std^2 I to
    each covariance of a mixture, so that the law of x_0 has the same weights and means. With one component
    its ``mmse`` is the best linear estimate; with more it blends linear ones (Yu, Sapiro and Mallat 2012).

    Args:
        y: noisy (examples, *event): for instance all windows of a signal.
        std: of their noise.
        components: how many normal laws.
        sde: of the denoiser that is returned; ``EDM()`` if none is given.
        start: a law that is gone on from; without, k-means begins.
        rounds: of expectation maximisation, at most.
        seed: of k-means.

    Raises:
        InputError: fewer examples than components or dimensions, values that are not finite.
    """
    require_positive("learnt_mixture.std", std)
    flat = np.asarray(y, np.float64).reshape(len(y), -1)
    if not np.isfinite(flat).all():
        raise InputError("learnt_mixture.y", float(flat[~np.isfinite(flat)][0]), "finite numbers")
    least = max(components, flat.shape[1]) + 1
    if components < 1 or len(flat) < least:
        expected = f"a positive count, and at least {least} examples where there are {len(flat)}"
        raise InputError("learnt_mixture.components", components, expected, "lower it, or give more")
    fit = _fitted(flat / std, components, start, std, rounds, seed)
    values, axes = np.linalg.eigh(fit.covariances_)
    clean = (axes * np.maximum(values - 1, SMALL)[:, None]) @ axes.swapaxes(1, 2)
    event = np.shape(y)[1:]
    return GaussianMixture(
        sde=EDM() if sde is None else sde,
        weights=jnp.asarray(fit.weights_, jnp.float32),
        means=jnp.asarray(std * fit.means_.reshape(-1, *event), jnp.float32),
        covariances=jnp.asarray(std**2 * clean, jnp.float32),
    )


def _fitted(
    flat: np.ndarray, components: int, start: GaussianMixture | None, std: float, rounds: int, seed: int
) -> Any:
    """In units of the noise."""
    from sklearn.exceptions import ConvergenceWarning  # slow to import: only where it is used
    from sklearn.mixture import GaussianMixture as Mixture

    begin: dict[str, Any] = {}
    if start is not None:
        covariances = np.asarray(start.covariances, np.float64) / std**2 + np.eye(flat.shape[1])
        weights = np.asarray(start.weights, np.float64)
        begin = {
            "weights_init": weights / weights.sum(),
            "means_init": np.asarray(start.means, np.float64).reshape(components, -1) / std,
            "precisions_init": np.linalg.inv(covariances),
        }
    mixture = Mixture(components, reg_covar=SMALL, max_iter=rounds, tol=TOLERANCE, random_state=seed, **begin)
    # Threads that wait for one another take ten times as long over matrices that are this small.
    with threadpool_limits(limits=1, user_api="blas"), warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # more rounds hardly change an estimate
        return mixture.fit(flat)
