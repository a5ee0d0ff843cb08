"""Autocovariances of a series with gaps, and the autoregression that they determine."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from score_sde.errors import InputError

LARGEST = 1e100


class Autoregression(NamedTuple):
    """u_t = sum_k coefficients_k u_(t-k) + e_t, with e independent of variance ``noise``."""

    coefficients: np.ndarray  # (order,)
    noise: float


def autocovariance(u: np.ndarray, lags: int) -> np.ndarray:
    """r_k = sum_t u_t u_(t+k) / n for k = 0 .. lags, over the pairs that are there, of n values.

    NaN is missing. Being those of u with zeros in its gaps, up to a factor, these are the
    autocovariances of a stationary process whatever u is.
    """
    there = np.isfinite(u)
    if there.sum() < 2 or np.allclose(u[there], 0):
        given = f"{int(there.sum())} values that are all the same"
        raise InputError("series", given, "two or more that differ", "give more of it")
    if np.abs(u[there]).max() > LARGEST:
        given = f"{np.abs(u[there]).max():g} away from the mean"
        raise InputError(
            "series", given, f"at most {LARGEST:g}, whose square is a number", "take other units"
        )
    filled = np.where(there, u, 0.0)
    return np.array([filled[: len(u) - k] @ filled[k:] for k in range(lags + 1)]) / there.sum()


def autoregressions(r: np.ndarray) -> list[Autoregression]:
    """Of all orders 0 .. len(r) - 1, by the Levinson-Durbin recursion of the Yule-Walker equations.

    Brockwell and Davis 1991, proposition 5.2.1.
    """
    found = [Autoregression(np.zeros(0), float(r[0]))]
    for order in range(1, len(r)):
        phi, noise = found[-1]
        last = (r[order] - phi @ r[order - 1 : 0 : -1]) / noise
        coefficients = np.append(phi - last * phi[::-1], last)
        found.append(Autoregression(coefficients, float(noise * (1 - last**2))))
    return found


def chosen_order(r: np.ndarray, count: int) -> int:
    """The order p with the least n log(noise) + 2 n (p + 1) / (n - p - 2), for n = ``count`` values.

    Akaike's criterion corrected for short series (Hurvich and Tsai 1989).
    """
    found = autoregressions(r)
    penalties = [2 * count * (p + 1) / max(count - p - 2, 1) for p in range(len(found))]
    criteria = [count * np.log(each.noise) + more for each, more in zip(found, penalties, strict=True)]
    return int(np.argmin(criteria))


def extended(r: np.ndarray, order: int, length: int) -> np.ndarray:
    """Autocovariances (length,) of the autoregression of this order with the given first ones.

    Of all stationary processes with r_0 .. r_order the one of greatest entropy (Burg 1975).
    """
    phi = autoregressions(r[: order + 1])[order].coefficients
    found = list(r[: order + 1])
    for _ in range(length - len(found)):
        found.append(float(phi @ found[: -order - 1 : -1]) if order else 0.0)
    return np.array(found[:length])
