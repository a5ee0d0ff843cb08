"""A user's folder: every kind of file comes back in its own format, and a bad one is one line."""

import json
import math

import numpy as np
import pytest
from PIL import Image
from scipy.io import wavfile

from experiments.denoise import clean, files, run
from score_sde.denoise import Tiled
from score_sde.denoisers import Gaussian
from score_sde.errors import InputError
from score_sde.sdes import VP

RNG = np.random.default_rng(0)


def slope(height=24, width=30):
    rows, columns = np.meshgrid(np.linspace(0, 1, height), np.linspace(0, 1, width), indexing="ij")
    return 60 + 80 * rows + 50 * columns


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Noisy files of all kinds, and bad ones."""
    path = tmp_path_factory.mktemp("noisy")
    noisy = slope() + 12 * RNG.normal(size=(24, 30))
    Image.fromarray(noisy.round().astype(np.uint8)).save(path / "grey.png")
    wave = 1000 * np.sin(np.linspace(0, 60, 600)) + 150 * RNG.normal(size=600)
    rows = np.stack([np.arange(600) / 10, wave], axis=1)
    (path / "table.csv").write_text("time,level\n" + "\n".join(f"{a},{b}" for a, b in rows) + "\n")
    (path / "gap.csv").write_text("a;b\n1;2\n3;\n5;6\n")
    np.save(path / "nan.npy", np.full((20, 20), np.nan))
    (path / "broken.png").write_bytes(b"no picture")
    (path / "notes.txt").write_text("not ours")
    return path


def test_a_folder_is_cleaned_and_bad_files_are_told(folder, tmp_path, capsys):
    assert run.main(["run", f"--input={folder}", f"--workdir={tmp_path}", "--fast"]) == 2
    captured = capsys.readouterr()
    lines = sorted(line for line in captured.err.splitlines() if line.startswith("error: "))
    assert len(lines) == 3
    assert "broken.png" in lines[0]
    assert "gap.csv, row 3, column b = ''" in lines[1]
    assert "nan.npy, row 1, column 1" in lines[2]
    cleaned = tmp_path / "cleaned"
    names = {file.name for file in cleaned.iterdir()}
    assert names == {"grey.png", "table.csv", "report.json", "report.txt"}
    with Image.open(cleaned / "grey.png") as image:
        assert (image.mode, image.size) == ("L", (30, 24))
    text = (cleaned / "table.csv").read_text().splitlines()
    assert text[0] == "time,level"
    assert len(text) == 601
    assert [float(line.split(",")[0]) for line in text[1:]] == [
        n / 10 for n in range(600)
    ]  # no noise: as it was
    report = {row["file"]: row for row in json.loads((cleaned / "report.json").read_text())["files"]}
    assert report["grey.png"]["noise_std"][0] == pytest.approx(12, rel=0.15)
    assert report["table.csv"]["noise_std"][1] == pytest.approx(150, rel=0.2)
    level = np.array([float(line.split(",")[1]) for line in text[1:]])
    truth = 1000 * np.sin(np.linspace(0, 60, 600))
    assert np.mean((level - truth) ** 2) < 0.3 * 150**2
    assert report["table.csv"]["gain"] > 3


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("a.npy", RNG.normal(size=300)),
        ("b.npy", RNG.normal(size=(20, 16)).astype(np.float32)),
        ("c.npy", RNG.integers(0, 256, (20, 16, 3)).astype(np.uint8)),
        ("d.wav", RNG.integers(-3000, 3000, (400, 2)).astype(np.int16)),
        ("e.png", RNG.integers(0, 60000, (20, 16)).astype(np.uint16)),
        ("f.png", RNG.integers(0, 256, (20, 16, 3)).astype(np.uint8)),
        ("g.csv", RNG.normal(size=(200, 3))),
    ],
)
def test_files_come_back_as_they_were(tmp_path, name, values):
    file = tmp_path / name
    {
        ".npy": lambda: np.save(file, values),
        ".wav": lambda: wavfile.write(file, 8000, values),
        ".png": lambda: Image.fromarray(values).save(file),
        ".csv": lambda: np.savetxt(file, values, delimiter=","),
    }[file.suffix]()
    noisy = files.read(file)
    assert noisy.values.shape[-1] in (1, 2, 3)
    assert noisy.signal == (name[0] in "adg")
    again = tmp_path / f"again_{name}"
    with again.open("wb") as stream:
        noisy.save(stream, noisy.values)
    back = files.read(again)
    np.testing.assert_allclose(back.values, noisy.values, rtol=1e-7)
    if file.suffix == ".npy":
        assert np.load(again).dtype == values.dtype
        assert np.load(again).shape == values.shape


def test_what_is_no_data_is_told(tmp_path):
    cases = {
        "short.npy": (np.zeros(5), "at least 128 values"),
        "small.npy": (np.zeros((5, 50)), "at least 12 pixels"),
        "many.npy": (np.zeros((3, 4, 5, 6)), "save one at a time"),
        "words.npy": (np.array(["a"]), "numbers"),
    }
    for name, (values, words) in cases.items():
        np.save(tmp_path / name, values)
        with pytest.raises(InputError, match=words):
            files.read(tmp_path / name)
    (tmp_path / "ragged.csv").write_text("1,2\n3\n")
    with pytest.raises(InputError, match=r"ragged.csv, row 2 = 1"):
        files.read(tmp_path / "ragged.csv")
    Image.new("RGBA", (20, 20)).save(tmp_path / "clear.png")
    with pytest.raises(InputError, match="without transparency"):
        files.read(tmp_path / "clear.png")
    with pytest.raises(InputError, match="--input"):
        files.found(tmp_path / "nowhere")


class Known:
    """A model of images that are nearly of one colour: a normal law whose values move together."""

    def tiled(self):
        size = 8 * 8 * 3
        covariance = 0.25 * np.ones((size, size)) + 1e-4 * np.eye(size)
        law = Gaussian(sde=VP(), mean=np.zeros((8, 8, 3)), covariance=covariance)
        return Tiled.of(law, (8, 8, 3))


@pytest.mark.parametrize(("noise", "channels"), [("normal", 1), ("photons", 3)])
def test_images_by_a_known_model(noise, channels):
    """A flat image comes out flat, its noise is found, and the estimated gain is that which is made."""
    rng, level = np.random.default_rng(1), 150.0
    clean_image = np.full((40, 40, channels), level)
    if noise == "normal":
        values, std = clean_image + 20 * rng.normal(size=clean_image.shape), 20.0
    else:
        values, std = 4.0 * rng.poisson(clean_image / 4.0), math.sqrt(4 * level)
    noisy = files.Noisy(values, (0, 255), (0, 255), lambda stream, clean: None)
    found = clean._image(run.pathlib.Path("x.png"), noisy, clean.Job(noise=noise, draws=1, steps=20), Known())
    error = np.mean((found.values - level) ** 2)
    assert error < 0.1 * std**2
    if noise == "normal":
        assert found.row["noise_std"][0] == pytest.approx(std, rel=0.1)
        assert found.row["gain"] > 8
    assert found.draws[0].shape == values.shape
    assert np.mean((found.draws[0] - level) ** 2) < 0.2 * std**2
