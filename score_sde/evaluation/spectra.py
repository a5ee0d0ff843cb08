"""Power by wave number and by frequency, and how far two spectra are apart."""

from __future__ import annotations

import numpy as np

from score_sde.errors import InputError


def ring_spectrum(fields: np.ndarray) -> np.ndarray:
    """Mean power of fields (..., places) on a ring at the wave numbers 0 .. places // 2.

    |sum_x u(x) e^(-2 pi i k x / n)|^2 / n^2, both signs of k together: the sum over k is the mean square.
    """
    n = np.shape(fields)[-1]
    power = np.abs(np.fft.rfft(np.asarray(fields, float), axis=-1)) ** 2 / n**2
    twice = np.full(n // 2 + 1, 2.0)
    twice[0] = 1.0
    if n % 2 == 0:
        twice[-1] = 1.0
    return (twice * power).reshape(-1, n // 2 + 1).mean(axis=0)


def temporal_spectrum(series: np.ndarray) -> np.ndarray:
    """Mean power of series (..., time) at the frequencies 1 .. time // 2 of their length, by Hann's window.

    Series are taken about their means. The window keeps what the ends do not join from leaking into all
    frequencies.
    """
    series = np.asarray(series, float)
    n = series.shape[-1]
    if n < 4:
        raise InputError("times of a series", n, "at least 4", "give longer ones")
    window = np.hanning(n)
    tapered = (series - series.mean(axis=-1, keepdims=True)) * window / np.sqrt(np.mean(window**2))
    return ring_spectrum(tapered)[1:]


def energy_spectrum(vorticity: np.ndarray) -> np.ndarray:
    """Kinetic energy of plane flows on (0, 2 pi)^2 by wave number 1, 2, ..., side // 2 - 1.

    E(k) = sum over k - 1/2 <= |k'| < k + 1/2 of |w_k'|^2 / (2 |k'|^2), of vorticity fields (..., side, side):
    the sum over all shells is the mean of u^2 / 2, but for the corners beyond the last.
    """
    side = np.shape(vorticity)[-1]
    if np.shape(vorticity)[-2] != side:
        raise InputError("vorticity.shape", np.shape(vorticity), "(..., side, side)", "squares only")
    power = np.abs(np.fft.fft2(np.asarray(vorticity, float))) ** 2 / side**4
    k = np.fft.fftfreq(side, 1 / side)
    square = k[:, None] ** 2 + k**2
    energy = power.reshape(-1, side, side).mean(axis=0) / (2 * np.where(square > 0, square, 1))
    shells = np.rint(np.sqrt(square)).astype(int)
    return np.bincount(shells.ravel(), weights=energy.ravel())[1 : side // 2]


def spectral_distance(first: np.ndarray, second: np.ndarray, floor: float = 1e-6) -> float:
    """Root mean square of log10(first / second) over all wave numbers: 1 is a factor of ten everywhere.

    Where ``second``, the reference, is less than ``floor`` times its largest value there is only rounding:
    those wave numbers do not count.
    """
    first, second = np.asarray(first, float), np.asarray(second, float)
    if first.shape != second.shape:
        raise InputError("spectra", (first.shape, second.shape), "the same shape", "of fields of one size")
    kept = second > floor * second.max()
    least = 0.01 * floor * second.max()
    ratio = np.maximum(first[kept], least) / second[kept]
    return float(np.sqrt(np.mean(np.log10(ratio) ** 2)))
