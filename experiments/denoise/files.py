"""A user's files as arrays of one kind, and back: PNG, npy, csv (``tables``) and wav."""

from __future__ import annotations

import pathlib
import warnings
from collections.abc import Callable
from typing import Any, BinaryIO, NamedTuple

import numpy as np

from experiments.denoise.tables import read_table
from score_sde.errors import InputError

Limits = tuple[float, float]
LEAST_SIGNAL = 128  # values of a signal: there is nothing to learn from fewer
LEAST_SIDE = 12  # pixels of an image; fewer columns of an array are signals beside one another
DEPTH = 24  # byte of a PNG that says how many bits a value has (ISO/IEC 15948, 11.2.2)


class Noisy(NamedTuple):
    """What a file holds."""

    values: np.ndarray  # an image (H, W, C), or signals (L, C); float64
    interval: Limits  # black and white of an image
    saturated: Limits | None  # where the file's numbers end
    save: Callable[[BinaryIO, np.ndarray], None]  # clean values in the file's format

    @property
    def signal(self) -> bool:
        """Whether these are signals."""
        return self.values.ndim == 2


def found(given: pathlib.Path) -> list[pathlib.Path]:
    """The file, or all files of the folder that are of a kind we know, by name; InputError for none."""
    if given.is_dir():
        files = sorted(file for file in given.iterdir() if file.suffix.lower() in READERS and file.is_file())
    else:
        files = [given] if given.is_file() else []
    if not files:
        kinds = ", ".join(kind.removeprefix(".") for kind in READERS)
        raise InputError("--input", str(given), f"a file, or a folder with files ({kinds})", "check the path")
    return files


def read(file: pathlib.Path) -> Noisy:
    """What is in a file; InputError naming the file, and the place where it is a value that is wrong."""
    reader = READERS.get(file.suffix.lower())
    if reader is None:
        kinds = ", ".join(kind.removeprefix(".") for kind in READERS)
        raise InputError(str(file), file.suffix, f"a file of a known kind ({kinds})")
    try:
        noisy = reader(file)
    except InputError:
        raise
    except Exception as error:
        words = " ".join(str(error).split())[:120] or type(error).__name__
        raise InputError(str(file), words, f"a {file.suffix} file that can be read") from error
    _require_finite(file, noisy)
    sides, least = (
        (noisy.values.shape[:1], LEAST_SIGNAL) if noisy.signal else (noisy.values.shape[:2], LEAST_SIDE)
    )
    if min(sides) < least:
        what = f"at least {least} values" if noisy.signal else f"at least {least} pixels a side"
        raise InputError(str(file), sides, what)
    return noisy


def _read_png(file: pathlib.Path) -> Noisy:
    from PIL import Image

    with Image.open(file) as image:
        image = _opaque(image)
        if image.mode not in ("L", "RGB", "I;16"):
            raise InputError(
                f"{file}: mode", image.mode, "grey or colour, without transparency", "convert it"
            )
        values = np.asarray(image)
    if values.ndim == 3 and file.read_bytes()[DEPTH] == 16:
        raise InputError(
            f"{file}: bits", 16, "8 bits of colour, of which Pillow reads no more", "save it as .npy"
        )
    three = values.ndim == 3
    values = _without_copies(values)
    white, dtype = (65535, np.uint16) if values.dtype.itemsize > 1 else (255, np.uint8)

    def save(stream: BinaryIO, clean: np.ndarray) -> None:
        levels = np.clip(np.round(clean), 0, white).astype(dtype)
        shaped = np.broadcast_to(levels, (*levels.shape[:2], 3)) if three else levels[..., 0]
        Image.fromarray(np.ascontiguousarray(shaped)).save(stream, format="PNG")

    return Noisy(_channels(values, 2), (0, white), (0, white), save)


def _opaque(image: Any) -> Any:
    """Colours for a palette, and without a transparency that hides nothing."""
    if image.mode == "P" and "transparency" not in image.info:
        return image.convert("RGB")
    if image.mode in ("LA", "RGBA") and image.getextrema()[-1] == (255, 255):
        return image.convert(image.mode[:-1])
    return image


def _read_npy(file: pathlib.Path) -> Noisy:
    array = np.load(file, allow_pickle=False)
    if array.dtype.kind not in "biuf":
        raise InputError(f"{file}: type", str(array.dtype), "numbers")
    good = array.ndim in (1, 2) or (array.ndim == 3 and array.shape[-1] in (1, 3))
    if not good:
        expected = "a signal (L,), signals (L, C), or an image (H, W) or (H, W, 1 or 3)"
        raise InputError(f"{file}: shape", array.shape, expected, "save one at a time")
    if not array.size:
        raise InputError(f"{file}: shape", array.shape, "at least one value")
    signals = array.ndim == 1 or (array.ndim == 2 and array.shape[1] < LEAST_SIDE <= array.shape[0])
    full = array.reshape(len(array), -1).astype(np.float64) if signals else _channels(array, 2)
    values = full if signals else _without_copies(full)
    whole = array.dtype.kind in "iu"
    info = np.iinfo(array.dtype) if whole else None
    ends = (float(info.min), float(info.max)) if info is not None else None
    eight = array.dtype == np.uint8
    interval = (0.0, 255.0) if eight else (float(values.min()), float(values.max()))

    def save(stream: BinaryIO, clean: np.ndarray) -> None:
        shaped = np.broadcast_to(clean, full.shape).reshape(array.shape)
        shaped = np.clip(np.round(shaped), *ends) if ends is not None else shaped
        np.save(stream, shaped.astype(array.dtype if array.dtype.kind != "b" else np.float64))

    return Noisy(values, interval, ends if eight else None, save)


def _read_csv(file: pathlib.Path) -> Noisy:
    table = read_table(file)
    return Noisy(table.values, (0, 1), None, table.save)


def _read_wav(file: pathlib.Path) -> Noisy:
    from scipy.io import wavfile

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", wavfile.WavFileWarning)  # of chunks that hold no sound
        warnings.filterwarnings("error", "Reached EOF prematurely", wavfile.WavFileWarning)
        rate, samples = wavfile.read(file)
    whole = samples.dtype.kind in "iu"
    ends = (float(np.iinfo(samples.dtype).min), float(np.iinfo(samples.dtype).max)) if whole else None

    def save(stream: BinaryIO, clean: np.ndarray) -> None:
        shaped = clean.reshape(samples.shape)
        shaped = np.clip(np.round(shaped), *ends) if ends is not None else shaped
        wavfile.write(stream, rate, shaped.astype(samples.dtype))

    return Noisy(_channels(samples, 1), (0, 1), ends, save)


def _without_copies(values: np.ndarray) -> np.ndarray:
    """One channel for three that are the same: a grey picture saved as colour has one noise."""
    alike = values.ndim == 3 and np.array_equal(values, np.broadcast_to(values[..., :1], values.shape))
    return values[..., :1] if alike else values


def _channels(values: np.ndarray, axes: int) -> np.ndarray:
    """Float64 with a last axis of channels."""
    values = np.asarray(values, np.float64)
    return values[..., None] if values.ndim == axes else values


def _require_finite(file: pathlib.Path, noisy: Noisy) -> None:
    bad = np.argwhere(~np.isfinite(noisy.values))
    if len(bad):
        names = ("row", "channel") if noisy.signal else ("row", "column", "channel")
        place = ", ".join(f"{name} {index + 1}" for name, index in zip(names, bad[0], strict=True))
        value = float(noisy.values[tuple(bad[0])])
        raise InputError(f"{file}, {place}", value, "a finite number", "fill the gap")


READERS: dict[str, Callable[[pathlib.Path], Noisy]] = {
    ".png": _read_png,
    ".npy": _read_npy,
    ".csv": _read_csv,
    ".wav": _read_wav,
}
