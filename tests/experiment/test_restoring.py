"""Restoring a user's images from the command line, with a model that was trained for a moment."""

import json
import shutil

import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_digits

from experiments.restore.__main__ import run
from experiments.restore.command import _name
from score_sde.experiment.restoring.images import half_mask
from score_sde.experiment.restoring.one import coverage
from score_sde.main import run as main

CONFIG = "--config=configs/digits.py:tiny"
QUICK = ("--steps=3", "--samples=3")


@pytest.fixture(scope="module")
def workdir(tmp_path_factory):
    folder = tmp_path_factory.mktemp("digits")
    assert main(["main", "--mode=train", CONFIG, f"--workdir={folder}"]) == 0
    return folder


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    folder = tmp_path_factory.mktemp("images")
    for number in (0, 1):
        pixels = np.round(load_digits().images[number] * 255 / 16).astype(np.uint8)
        Image.fromarray(pixels).save(folder / f"{number}.png")
    return folder


def command(workdir, images, *more):
    return run(["restore", CONFIG, f"--workdir={workdir}", f"--input={images}", *more])


def refused(capsys, workdir, images, *more):
    assert command(workdir, images, *more) == 2
    lines = capsys.readouterr().err.strip().splitlines()
    assert len(lines) == 1
    assert lines[0].startswith("error: ")
    return lines[0]


def test_a_hidden_half_is_drawn_again(workdir, images, tmp_path):
    output = f"--output={tmp_path}"
    assert command(workdir, images, "--mask=right", "--noise=0.01", "--method=DDNMPlus", output, *QUICK) == 0
    result = json.loads((tmp_path / "restore.json").read_text())
    assert [row["image"] for row in result["images"]] == ["0.png", "1.png"]
    assert {"psnr", "ssim", "coverage", "seconds"} <= set(result["images"][0])
    with np.load(tmp_path / "0" / "draws.npz") as kept:
        seen = half_mask("right", (8, 8, 1))[..., 0]
        assert kept["draws"].shape == (3, 8, 8, 1)
        error = np.abs(kept["draws"] - kept["truth"]).mean(axis=0)
        assert error[seen].mean() < 0.25 * error[~seen].mean()  # what was seen stays, whatever the network
        assert kept["std"][~seen].mean() > 3 * kept["std"][seen].mean()  # the rest is open
    for name in ("truth", "measurement", "mean", "std", "sample_02"):
        assert Image.open(tmp_path / "0" / f"{name}.png").size == (8, 8)
    assert Image.open(tmp_path / "sheet.png").size[1] > 2 * 96


def test_a_second_run_draws_what_is_missing_only(workdir, images, tmp_path, capsys):
    options = ("--operator=AveragePooling", "--operator.factor=2", f"--output={tmp_path}", *QUICK)
    assert command(workdir, images, *options) == 0
    before = {n: (tmp_path / n / "draws.npz").stat().st_mtime_ns for n in ("0", "1")}
    first = np.load(tmp_path / "1" / "draws.npz")["draws"]
    (tmp_path / "1" / "result.json").unlink()
    assert command(workdir, images, *options) == 0
    assert (tmp_path / "0" / "draws.npz").stat().st_mtime_ns == before["0"]
    assert (tmp_path / "1" / "draws.npz").stat().st_mtime_ns > before["1"]
    assert np.array_equal(np.load(tmp_path / "1" / "draws.npz")["draws"], first)  # alone or in a folder
    assert Image.open(tmp_path / "0" / "measurement.png").size == (4, 4)


def test_a_measurement_of_the_users_own(workdir, tmp_path):
    """A file of half the size is the measurement of 2x super-resolution."""
    small = tmp_path / "small.png"
    Image.fromarray(np.full((4, 4), 200, np.uint8)).save(small)
    options = ("--operator=AveragePooling", "--measured", f"--output={tmp_path / 'out'}", *QUICK)
    assert command(workdir, small, *options) == 0
    row = json.loads((tmp_path / "out" / "restore.json").read_text())["images"][0]
    assert "psnr" not in row
    with np.load(tmp_path / "out" / "small" / "draws.npz") as kept:
        assert np.allclose(kept["measurement"], -1 + 2 * 200 / 255, atol=1e-6)


def test_a_folder_is_named_after_all_that_was_given():
    changes = {"operator": [("factor", "4")], "method": [("step_size", "0.5"), ("scaling", "a:B")]}
    values = {"operator": "AveragePooling", "method": "DPS", "mask": None}
    assert _name(values, changes) == "AveragePooling_factor=4-DPS_step_size=0.5_scaling=a.B"
    masked = {"operator": None, "method": "DPS", "mask": "my/left half.png"}
    assert _name(masked, {"operator": [], "method": []}) == "Mask_left.half-DPS"


def test_mistakes_are_one_line(workdir, images, tmp_path, capsys):
    mask = tmp_path / "mask.png"
    Image.fromarray(np.full((8, 8), 100, np.uint8)).save(mask)
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"no image")
    large = tmp_path / "large.png"
    Image.fromarray(np.zeros((9, 8), np.uint8)).save(large)
    there = (capsys, workdir)
    assert "did you mean AveragePooling" in refused(*there, images, "--operator=AveragePoling")
    assert "did you mean PiGDM" in refused(*there, images, "--mask=left", "--method=PIGDM")
    assert "0 (hidden, black) and 255" in refused(*there, images, f"--mask={mask}")
    assert "an image file, or one of left" in refused(*there, images, "--mask=nowhere")
    assert "broken.png" in refused(*there, broken, "--mask=left")
    assert "--resize" in refused(*there, large, "--mask=left")
    assert "either --operator or --mask" in refused(*there, images)
    assert "--operator.factor" in refused(
        *there, images, "--operator=AveragePooling", "--operator.factor=two"
    )
    assert "3" in refused(*there, images, "--operator=AveragePooling", "--operator.factor=3")
    assert "--samples" in refused(*there, images, "--mask=left", "--samples=0")
    assert "did you mean --mask" in refused(*there, images, "--maks=left")
    array = tmp_path / "mask.npy"
    np.save(array, np.ones((8, 8), bool))
    assert "a PNG of black" in refused(*there, images, f"--mask={array}")
    assert "mask of the data's size" in refused(*there, images, f"--mask={large}")
    assert "--mask=right" in refused(*there, images, "--operator=Mask")


def test_parts_of_another_kind_are_refused(workdir, images, capsys):
    there = (capsys, workdir, images, "--mask=left")
    assert "a subclass of Noise" in refused(*there, "--noise=score_sde.sdes:VP")
    assert "a subclass of Method" in refused(*there, "--method=score_sde.inverse.noises:PoissonNoise")
    for name in ("GaussianNoise", "SDEdit", "Mask"):
        line = refused(*there, f"--method={name}")
        assert "a class of score_sde.inverse (" in line
        assert "AveragePooling" not in line


def test_steps_of_a_filter_are_its_own(workdir, images, capsys):
    line = refused(capsys, workdir, images, "--mask=left", "--method=TwistedSMC", *QUICK)
    assert "--method.n_steps=3" in line


def test_more_draws_than_memory_are_refused(workdir, images, tmp_path, capsys):
    line = refused(
        capsys, workdir, images, "--mask=left", "--method=DPS", "--samples=1000000000", f"--output={tmp_path}"
    )
    assert "of memory" in line
    assert "take fewer than" in line


def test_the_model_counts_as_memory(workdir, images, tmp_path, capsys, monkeypatch):
    """Of 8x8 images the draws take 2 kB each; the network of eight channels holds several times that."""
    monkeypatch.setattr("score_sde.inverse.particles.memory.memory", lambda: 5e6)
    options = ("--mask=left", "--method=DDNMPlus", "--steps=2", f"--output={tmp_path}")
    line = refused(capsys, workdir, images, *options, "--samples=2000")
    assert int(line.split("fewer than ")[1].split(",")[0]) < 1500
    assert command(workdir, images, *options, "--samples=4") == 0


def test_all_pictures_are_read_before_the_first_is_drawn(workdir, images, tmp_path, capsys):
    folder = tmp_path / "given"
    shutil.copytree(images, folder)
    pixels = np.full((8, 8, 4), 255, np.uint8)
    pixels[:4, :, 3] = 0
    Image.fromarray(pixels).save(folder / "z.png")
    line = refused(capsys, workdir, folder, "--mask=left", f"--output={tmp_path / 'out'}", *QUICK)
    assert "z.png" in line
    assert "alpha" in line
    assert not (tmp_path / "out").exists()


def test_another_picture_or_mask_of_the_same_name_is_drawn_again(workdir, images, tmp_path):
    """What was drawn of the old file is not taken for the new one's; nor are surplus draws left there."""
    given, mask, output = tmp_path / "0.png", tmp_path / "mask.png", tmp_path / "out"
    shutil.copy(images / "0.png", given)
    seen = np.zeros((8, 8), np.uint8)
    seen[:4] = 255
    Image.fromarray(seen).save(mask)

    def truth_and_shown(samples):
        options = ("--steps=2", f"--samples={samples}", "--method=DDNMPlus")
        assert command(workdir, given, f"--mask={mask}", f"--output={output}", *options) == 0
        with np.load(output / "0" / "draws.npz") as kept:
            return kept["truth"][..., 0], kept["measurement"].size, len(list(output.glob("0/sample_*")))

    first, count, drawn = truth_and_shown(3)
    assert (count, drawn) == (32, 3)
    shutil.copy(images / "1.png", given)
    second, _, drawn = truth_and_shown(2)
    assert drawn == 2
    assert not np.allclose(first, second)
    seen[4:6] = 255
    Image.fromarray(seen).save(mask)
    assert truth_and_shown(2)[1] == 48


@pytest.mark.parametrize("draws", [4, 8, 31])
def test_coverage_of_draws_from_the_truths_own_law_is_its_level(draws):
    rng = np.random.default_rng(1)
    sample = rng.normal(size=(draws, 20000))
    truth = rng.normal(size=20000)
    assert coverage(sample, truth) == pytest.approx(0.9, abs=0.01)
    assert coverage(0.6 * sample, truth) < 0.87  # draws that vary too little are found
    assert coverage(sample.round(), truth.round()) == pytest.approx(0.9, abs=0.01)  # and ties are fair
