"""The experiment: its parts by their definitions, all of it in seconds, and a user's folder."""

import json

import numpy as np
import pytest
from PIL import Image

from experiments.denoise import measure, mixtures, report, run, waves
from experiments.denoise.classical import FILTERS, available
from experiments.denoise.noises import NORMAL, PHOTONS

SMALL = measure.FAST
RNG = np.random.default_rng(0)


@pytest.fixture(scope="module")
def fast(tmp_path_factory):
    """What one run says, and where; of mixtures only what trains nothing."""
    workdir = tmp_path_factory.mktemp("denoise")
    ways = dict(mixtures.WAYS)
    for name in ("trained", "blind: unbiased risk", "blind: Noise2Score", "blind: mixture learnt"):
        mixtures.WAYS.pop(name)
    yield run.run(workdir, workdir / "runs", SMALL), workdir
    mixtures.WAYS.clear()
    mixtures.WAYS.update(ways)


def test_every_way_is_judged_and_pictured(fast):
    results, workdir = fast
    points = {(point["data"], point["way"]): point for point in results["points"]}
    assert json.loads((workdir / "results.json").read_text())["points"] == results["points"]
    filters = set(available())
    assert {way for data, way in points if data == "photographs"} == filters | {
        "noisy",
        "normal laws",
        "score model",
        "score model, sigma estimated",
        "score model, mean of draws",
    }
    assert abs(points["mixture", "exact denoiser"]["gap"]["mean"]) < 0.1
    assert points["mixture", "normal law"]["gap"]["mean"] > 1
    for point in results["points"]:
        assert point["count"] == 2
    noisy = points["photographs", "noisy"]["psnr"]["mean"]
    assert noisy == pytest.approx(
        20 * np.log10(255 / 25), abs=1.5
    )  # less, where values are cut to what images have
    for name in filters - {"BM3D"}:
        assert points["photographs", name]["psnr"]["mean"] > noisy + 3
    assert points["photographs", "normal laws"]["psnr"]["mean"] > noisy + 3
    assert 0 < points["photographs", "score model, mean of draws"]["coverage"]["mean"] <= 1
    assert points["photographs", "score model, sigma estimated"]["estimated"]["mean"] == pytest.approx(
        1, abs=0.15
    )
    assert points["signals", "noisy"]["gain"]["mean"] == pytest.approx(0, abs=0.3)
    learnt = points["signals", waves.LEARNT]["gain"]["mean"]
    assert learnt > 3 + max(points["signals", name]["gain"]["mean"] for name in waves.FILTERS)
    for name in ("table.txt", "denoise.png", "signals.png", "photographs.png"):
        assert (workdir / name).stat().st_size > 500


def test_what_is_done_is_kept(fast, capsys):
    results, workdir = fast
    (missing,) = workdir.glob("entries/mixture/*/normal_law.json")
    missing.unlink()
    capsys.readouterr()
    again = run.run(workdir, workdir / "runs", SMALL)
    assert capsys.readouterr().out.count("min left") == 1
    for new, old in zip(again["points"], results["points"], strict=True):
        assert new | {"seconds": 0} == old | {"seconds": 0}


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
    (path / "gap.csv").write_text("a;b\n1;2\n\n3;\n5;6\n")
    np.save(path / "nan.npy", np.full((20, 20), np.nan))
    (path / "broken.png").write_bytes(b"no picture")
    (path / "notes.txt").write_text("not ours")
    return path


def test_a_folder_is_cleaned_and_bad_files_are_told(fast, folder, tmp_path, capsys):
    runs = fast[1] / "runs"
    assert run.main(["run", f"--input={folder}", f"--workdir={tmp_path}", f"--runs={runs}", "--fast"]) == 2
    captured = capsys.readouterr()
    lines = sorted(line for line in captured.err.splitlines() if line.startswith("error: "))
    assert len(lines) == 3
    assert "broken.png" in lines[0]
    assert "gap.csv, row 4, column b = ''" in lines[1]  # a line of the file, of which one is empty
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


def test_results_of_another_size_are_not_mixed(fast, capsys):
    _, workdir = fast
    assert run.main(["run", f"--workdir={workdir}", "--fast", "--steps=4"]) == 2
    lines = capsys.readouterr().err.strip().splitlines()
    assert len(lines) == 1
    assert "choose an empty one" in lines[0]


@pytest.mark.parametrize(
    "given",
    ["--data=faces", "--imges=3", "--images=1", "more", "--noise=pink", "--input=/nowhere", "--std=x"],
)
def test_mistakes_are_one_line(capsys, tmp_path, given):
    assert run.main(["run", f"--workdir={tmp_path}", "--fast", given]) == 2
    lines = capsys.readouterr().err.strip().splitlines()
    assert len(lines) == 1
    assert lines[0].startswith("error: ")


def test_filters_denoise_any_noise():
    """A slope with every noise: each filter at its middle strength takes away 3 dB or more of the error."""
    rng = np.random.default_rng(0)
    truth = np.linspace(-0.7, 0.9, 24)[:, None, None] * np.ones((1, 24, 1))
    for kind in (NORMAL[1], PHOTONS[0]):
        if kind.transform is None:
            y = truth + float(kind.noise.std) * rng.normal(size=truth.shape)
        else:
            y = -1 + kind.transform.gain * rng.poisson((truth + 1) / kind.transform.gain)
        for name in set(FILTERS) - {"BM3D"}:
            each = FILTERS[name]
            strength = each.tuned(kind, truth[None], y[None])
            assert strength in each.strengths
            found = kind.serve(lambda y, std, each=each, s=strength: each.estimate(s, y, std), y[None])
            assert np.mean((found - truth) ** 2) < 0.5 * np.mean((np.clip(y, -1, 1) - truth) ** 2), name


def test_the_signals_are_those_of_the_paper():
    """Donoho and Johnstone 1994, table 1: at x = 0.5 by hand; and noise of 1 is a seventh of each."""
    middle = np.array([0.5])
    assert waves.blocks(middle)[0] == pytest.approx(4 - 5 + 3 - 4 + 5 - 4.2 + 2.1)
    assert waves.heavisine(middle)[0] == pytest.approx(4 * np.sin(2 * np.pi) - 1 - 1)
    assert waves.doppler(middle)[0] == pytest.approx(0.5 * np.sin(2.1 * np.pi / 0.55))
    assert waves.bumps(np.array([0.1]))[0] == pytest.approx(4.0, abs=0.01)
    for name in waves.WAVES:
        assert waves.truth(name).std() == pytest.approx(7)


def test_entries_have_files_of_their_own():
    """Entries whose names differ have files of their own."""
    names = [entry.path(run.pathlib.Path("w"), ".json") for entry in measure.entries(measure.Size())]
    assert len(set(names)) == len(names)
    assert report.IMAGE_NUMBERS.keys() >= {"psnr", "ssim", "coverage"}
