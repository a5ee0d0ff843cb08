"""Films are read back frame by frame."""

import shutil
import subprocess

import numpy as np
import pytest
from PIL import Image

from score_sde.errors import InputError
from score_sde.evaluation import movies


def frames():
    """A white bar that walks over a blue field; odd sides."""
    pictures = np.full((6, 21, 35, 3), (40, 60, 160), np.uint8)
    for i, picture in enumerate(pictures):
        picture[:, 5 * i : 5 * i + 4] = 255
    return pictures


def test_a_gif_holds_every_frame_and_repeats(tmp_path, monkeypatch):
    monkeypatch.setattr(movies.shutil, "which", lambda name: None)
    path = movies.save_movie(tmp_path / "film", frames(), rate=10)
    assert path == tmp_path / "film.gif"
    with Image.open(path) as film:
        assert film.n_frames == 6
        assert film.info["loop"] == 0
        assert film.info["duration"] == 100
        for i, expected in enumerate(frames()):
            film.seek(i)
            np.testing.assert_allclose(np.asarray(film.convert("RGB"), float), expected, atol=6)


@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="ffmpeg is not installed")
def test_an_mp4_holds_every_frame(tmp_path):
    path = movies.save_movie(tmp_path / "film", frames(), rate=10)
    command = ["ffmpeg", "-loglevel", "error", "-i", str(path), "-f", "rawvideo", "-pix_fmt", "rgb24", "-"]
    raw = subprocess.run(command, capture_output=True, check=True).stdout
    found = np.frombuffer(raw, np.uint8).reshape(6, 22, 36, 3)[:, :21, :35]
    assert np.abs(found.astype(float) - frames()).mean() < 12  # lossy


def test_a_failing_encoder_is_told_in_one_line(tmp_path, monkeypatch):
    fake = tmp_path / "bin" / "ffmpeg"
    fake.parent.mkdir()
    fake.write_text("#!/bin/sh\ncat > /dev/null\necho Unknown encoder libx264 >&2\nexit 1\n")
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", f"{fake.parent}:/usr/bin:/bin")
    with pytest.raises(InputError, match="Unknown encoder"):
        movies.save_movie(tmp_path / "film", frames())
    assert not list(tmp_path.glob("film*"))


def test_mistakes_are_told(tmp_path):
    small = np.zeros((2, 2, 3), np.uint8)
    for wrong in ([], [small.astype(float)], [small[..., 0]], [*frames(), small]):
        with pytest.raises(InputError, match="frames"):
            movies.save_movie(tmp_path / "film", wrong)
    with pytest.raises(InputError, match="rate"):
        movies.save_movie(tmp_path / "film", frames(), rate=0)
