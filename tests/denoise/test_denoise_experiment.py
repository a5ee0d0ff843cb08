"""The experiment: its parts by their definitions, all of it in seconds, and a user's folder."""

import json

import numpy as np
import pytest

from experiments.denoise import measure, mixtures, report, run
from experiments.denoise.classical import FILTERS, available
from experiments.denoise.noises import NORMAL, PHOTONS

SMALL = measure.FAST._replace(data=("mixture", "patches"), noises=("std 0.3", "sigma 25"))


@pytest.fixture(scope="module")
def fast(tmp_path_factory):
    """What one run says, and where; of mixtures only what trains nothing."""
    workdir = tmp_path_factory.mktemp("denoise")
    ways = dict(mixtures.WAYS)
    for name in ("trained", "blind: unbiased risk", "blind: Noise2Score"):
        mixtures.WAYS.pop(name)
    yield run.run(workdir, workdir / "runs", SMALL), workdir
    mixtures.WAYS.clear()
    mixtures.WAYS.update(ways)


def test_every_way_is_judged_and_pictured(fast):
    results, workdir = fast
    points = {(point["data"], point["way"]): point for point in results["points"]}
    assert json.loads((workdir / "results.json").read_text())["points"] == results["points"]
    filters = set(available())
    assert {way for data, way in points if data == "patches"} == filters | {
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
    noisy = points["patches", "noisy"]["psnr"]["mean"]
    assert noisy == pytest.approx(
        20 * np.log10(255 / 25), abs=1.5
    )  # less, where values are cut to what images have
    for name in filters - {"BM3D"}:
        assert points["patches", name]["psnr"]["mean"] > noisy + 3
    assert points["patches", "normal laws"]["psnr"]["mean"] > noisy + 3
    assert 0 < points["patches", "score model, mean of draws"]["coverage"]["mean"] <= 1
    assert points["patches", "score model, sigma estimated"]["estimated"]["mean"] == pytest.approx(
        1, abs=0.15
    )
    for name in ("table.txt", "denoise.png", "patches.png"):
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


def test_intervals_and_gains():
    """Entries whose names differ have files of their own."""
    names = [entry.path(run.pathlib.Path("w"), ".json") for entry in measure.entries(measure.Size())]
    assert len(set(names)) == len(names)
    assert report.IMAGE_NUMBERS.keys() >= {"psnr", "ssim", "coverage"}
