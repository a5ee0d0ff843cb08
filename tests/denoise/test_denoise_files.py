"""A user's folder: every kind of file comes back in its own format, and a bad one is one line."""

import math

import numpy as np
import pytest
from PIL import Image
from scipy.io import wavfile

from experiments.denoise import clean, files, run
from experiments.denoise.blocks import by_blocks, silent
from experiments.denoise.pictures import Job, clean_picture
from score_sde.denoisers import Gaussian, Tiled
from score_sde.errors import InputError
from score_sde.sdes import VP

RNG = np.random.default_rng(0)


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
        ("d.npy", RNG.normal(size=(200, 2))),
        ("a.wav", RNG.integers(0, 256, 300).astype(np.uint8)),
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


@pytest.mark.parametrize("name", ["grey.png", "grey.npy"])
def test_a_grey_picture_saved_as_colour_has_one_noise(tmp_path, name):
    grey = RNG.integers(0, 256, (20, 16, 1)).astype(np.uint8)
    colour, file = np.repeat(grey, 3, axis=-1), tmp_path / name
    if file.suffix == ".png":
        Image.fromarray(colour).save(file)
    else:
        np.save(file, colour)
    noisy = files.read(file)
    np.testing.assert_array_equal(noisy.values, grey)
    with file.open("wb") as stream:
        noisy.save(stream, noisy.values)
    back = np.load(file) if file.suffix == ".npy" else np.asarray(Image.open(file))
    np.testing.assert_array_equal(back, colour)


def test_half_a_sound_is_told(tmp_path):
    file = tmp_path / "half.wav"
    wavfile.write(file, 8000, RNG.integers(-3000, 3000, 4000).astype(np.int16))
    file.write_bytes(file.read_bytes()[:1000])
    with pytest.raises(InputError, match=r"half.wav.*EOF"):
        files.read(file)


def test_labels_of_a_table_stay_to_the_letter(tmp_path):
    """A column of few different whole numbers is no signal."""
    file, signal = tmp_path / "labelled.csv", RNG.normal(size=200)
    rows = [f"{value:.6f},{number % 3}" for number, value in enumerate(signal)]
    file.write_text("value,label\n" + "\n".join(rows) + "\n")
    noisy = files.read(file)
    np.testing.assert_allclose(noisy.values[:, 0], signal, atol=1e-6)
    assert noisy.values.shape == (200, 1)
    with (tmp_path / "out.csv").open("wb") as stream:
        noisy.save(stream, noisy.values + 1)
    lines = (tmp_path / "out.csv").read_text().splitlines()
    assert [line.split(",")[1] for line in lines[1:]] == [str(number % 3) for number in range(200)]


def test_decimal_commas_name_the_place(tmp_path):
    file = tmp_path / "commas.csv"
    file.write_text("a;b\n" + "1,5;2,5\n" * 200)
    with pytest.raises(InputError, match=r"commas.csv, row 2, column a.*decimals with a point"):
        files.read(file)


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
    tables = {
        "1,2\n3\n": r"row 2 = 1",
        "a,b\n1,x\n2,3\n": r"row 2, column b = 'x'",
        "1,nan\n2,3\n": r"row 1, column 2 = 'nan'",  # no header: there is a number in it
        "a,b\n": r"rows of numbers",
        "day,what\nmonday,x\n": r"a number, in this column or another",
    }
    for text, words in tables.items():
        (tmp_path / "table.csv").write_text(text)
        with pytest.raises(InputError, match=rf"table.csv.*{words}"):
            files.read(tmp_path / "table.csv")
    wide = RNG.integers(0, 256, (20, 20, 3)).astype(np.uint8)
    Image.new("RGBA", (20, 20)).save(tmp_path / "clear.png")
    Image.fromarray(wide).convert("RGBA").save(tmp_path / "opaque.png")
    assert files.read(tmp_path / "opaque.png").values.shape == (20, 20, 3)
    with pytest.raises(InputError, match="without transparency"):
        files.read(tmp_path / "clear.png")
    with pytest.raises(InputError, match="--input"):
        files.found(tmp_path / "nowhere")


def test_columns_that_nothing_is_done_to_keep_their_cells(tmp_path):
    """Times of eleven digits, words and names come back to the letter; numbers with ten digits."""
    lines = [f"2026-01-01,{1700000000.25 + n},{n % 7 / 3}" for n in range(150)]
    (tmp_path / "t.csv").write_text("\n".join(["day,time,value", *lines]) + "\n")
    noisy = files.read(tmp_path / "t.csv")
    assert noisy.values.shape == (150, 2)
    clean = noisy.values.copy()
    clean[:, 1] += 0.5
    with (tmp_path / "u.csv").open("wb") as stream:
        noisy.save(stream, clean)
    again = (tmp_path / "u.csv").read_text().splitlines()
    assert again[0] == "day,time,value"
    assert [line.split(",")[:2] for line in again[1:]] == [line.split(",")[:2] for line in lines]
    np.testing.assert_allclose([float(line.split(",")[2]) for line in again[1:]], clean[:, 1], rtol=1e-9)


def test_a_column_that_only_rises_is_no_noise(tmp_path):
    """Times that were rounded, with and without --std."""
    times = np.round(np.cumsum(RNG.uniform(0.5, 1.5, 300)), 1)
    values = np.stack([times, np.sin(times / 20) + 0.2 * RNG.normal(size=300)], axis=1)
    noisy = files.Noisy(values, (0, 1), None, lambda stream, clean: None)
    for std in (None, 0.2):
        cleaned = clean._signals(run.pathlib.Path("x.csv"), noisy, Job(std=std))
        np.testing.assert_array_equal(cleaned.values[:, 0], times)
        assert np.mean((cleaned.values[:, 1] - np.sin(times / 20)) ** 2) < 0.4 * 0.2**2


def test_the_clean_files_do_not_replace_the_noisy(tmp_path):
    folder = tmp_path / "cleaned"
    folder.mkdir()
    np.save(folder / "a.npy", np.zeros(200))
    with pytest.raises(InputError, match="another folder"):
        clean.clean_all(folder, tmp_path / "cleaned", tmp_path / "runs", Job())


def test_blocks_are_blended_and_every_value_is_covered():
    """An estimate that looks nowhere: exact in every block, whatever the sizes; block by block is told."""
    told = []
    for shape in ((20, 33, 3), (100, 70, 1), (64, 64, 3)):
        y = RNG.normal(size=shape)
        found, risk = by_blocks(lambda y: (2 * y, 0.5), y, 64, 16, lambda *place: told.append(place))
        np.testing.assert_allclose(found, 2 * y, atol=1e-12)
        assert risk == 0.5
    assert told == [(1, 1), *((n + 1, 4) for n in range(4)), (1, 1)]


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
    found = clean_picture(
        run.pathlib.Path("x.png"), noisy, Job(noise=noise, draws=1, steps=20), Known(), silent
    )
    error = np.mean((found.values - level) ** 2)
    assert error < 0.1 * std**2
    if noise == "normal":
        assert found.row["noise_std"][0] == pytest.approx(std, rel=0.1)
        assert found.row["gain"] > 8
    assert found.draws[0].shape == values.shape
    assert np.mean((found.draws[0] - level) ** 2) < 0.2 * std**2
