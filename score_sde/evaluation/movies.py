"""Frames as a film: MP4 where ffmpeg is installed, an endless GIF otherwise."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from score_sde.errors import InputError
from score_sde.evaluation.files import replace_file

COLORS = 128  # of a GIF
X264 = ("-c:v", "libx264", "-pix_fmt", "yuv420p", "-crf", "18", "-movflags", "+faststart")  # plays everywhere


def save_movie(
    path: str | os.PathLike[str], frames: Sequence[np.ndarray] | np.ndarray, *, rate: float = 20.0
) -> Path:
    """Write frames (height, width, 3) of uint8 at ``rate`` frames a second; the path that was written.

    ``path`` has no ending: ``.mp4`` or ``.gif`` is added. Raises InputError for frames of unlike shapes.
    """
    pictures = [np.asarray(frame) for frame in frames]
    _require_frames(pictures, rate)
    if shutil.which("ffmpeg"):
        return _save_mp4(Path(f"{os.fspath(path)}.mp4"), pictures, rate)
    return _save_gif(Path(f"{os.fspath(path)}.gif"), pictures, rate)


def _save_gif(path: Path, frames: list[np.ndarray], rate: float) -> Path:
    """One palette for all frames, so that colours do not flicker."""
    shown = np.concatenate(frames[:: max(1, len(frames) // 8)])
    palette = Image.fromarray(shown).quantize(COLORS, dither=Image.Dither.NONE)
    first, *rest = [
        Image.fromarray(frame).quantize(palette=palette, dither=Image.Dither.NONE) for frame in frames
    ]
    milliseconds = max(20, round(1000 / rate))  # browsers slow down what is faster
    return replace_file(
        path,
        lambda stream: first.save(
            stream, format="GIF", save_all=True, append_images=rest, duration=milliseconds, loop=0
        ),
    )


def _save_mp4(path: Path, frames: list[np.ndarray], rate: float) -> Path:
    height, width = (side + side % 2 for side in frames[0].shape[:2])  # the codec wants even sides
    padded = [
        np.pad(f, [(0, height - f.shape[0]), (0, width - f.shape[1]), (0, 0)], mode="edge") for f in frames
    ]
    raw = ("-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{width}x{height}", "-r", str(rate), "-i", "-")
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder) / "movie.mp4"
        command = ["ffmpeg", "-loglevel", "error", "-y", *raw, *X264, str(made)]
        done = subprocess.run(command, input=np.stack(padded).tobytes(), capture_output=True)
        if done.returncode:
            said = done.stderr.decode(errors="replace").strip().splitlines() or ["no word"]
            raise InputError("ffmpeg", said[-1], "a film", "take ffmpeg out of PATH to write a GIF")
        return replace_file(path, lambda stream: stream.write(made.read_bytes()))


def _require_frames(frames: list[np.ndarray], rate: float) -> None:
    shapes = {(frame.shape, frame.dtype.name) for frame in frames}
    if len(shapes) != 1:
        raise InputError("frames", sorted(map(str, shapes)), "one shape of uint8", "make them alike")
    ((shape, kind),) = shapes
    if len(shape) != 3 or shape[-1] != 3 or kind != "uint8":
        raise InputError("frames", f"{shape} {kind}", "(height, width, 3) uint8", "see pictures.to_pixels")
    if not rate > 0:
        raise InputError("rate", rate, "a positive number of frames a second", "raise it")
