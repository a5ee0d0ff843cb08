"""The scenes with models in closed form; finished scenes are kept; mistakes are told."""

import json

import numpy as np
import pytest
from config_files import ROOT
from labelled_mixture import Exact
from PIL import Image

from experiments.dream import run
from experiments.dream.models import FAST, TEXTURE, Digits, Texture
from experiments.dream.scenes.panorama import seam
from experiments.dream.scenes.sketch import numeral
from experiments.dream.scenes.walk import shown
from experiments.dream.stage import Stage
from score_sde.config import build, load_config
from score_sde.denoisers import GaussianMixture
from score_sde.sdes import VP

PICTURES = ("process", "interpolation", "walk", "sketch", "bridge", "texture_seamless", "panorama", "style")
FILMS = ("process", "interpolation", "walk", "panorama")
SIZE = FAST._replace(steps=40, flow_steps=60, judged=100, frames=10)


def digits_in_closed_form():
    """A normal law of each class, with the mean and covariance of its training digits."""
    experiment = build(load_config(f"{ROOT}/digits_conditional.py:tiny"))
    arrays = experiment.data.split("train").arrays()
    dreamer = Digits(experiment, None)
    x = np.asarray(dreamer.encoded(arrays["x"])).reshape(len(arrays["x"]), -1)
    means, covariances = [], []
    for label in range(Digits.classes):
        own = x[arrays["label"] == label]
        means.append(own.mean(axis=0).reshape(8, 8, 1))
        covariances.append(np.cov(own.T) + 1e-3 * np.eye(64))
    every = (np.full(10, 0.1), np.array(means), np.array(covariances))
    each = [tuple(part[i : i + 1] for part in every) for i in range(10)]
    laws = tuple(GaussianMixture(sde=VP(), weights=w, means=m, covariances=c) for w, m, c in (*each, every))
    dreamer.model = Exact(sde=VP(), laws=laws)
    return dreamer


def texture_in_closed_form():
    """A smooth normal field, the same at every place."""
    experiment = build(load_config(f"{ROOT.parent / TEXTURE}:tiny"))
    side, _, channels = experiment.data.shape
    place = np.arange(side)
    near = np.exp(-0.5 * ((place[:, None] - place) / 2.0) ** 2)
    covariance = 0.2 * np.kron(np.kron(near, near), np.eye(channels)) + 1e-3 * np.eye(side**2 * channels)
    law = GaussianMixture(
        sde=VP(),
        weights=np.ones(1),
        means=np.zeros((1, side, side, channels)),
        covariances=covariance[None],
    )
    return Texture(experiment, law)


@pytest.fixture(scope="module")
def played(tmp_path_factory):
    """What all scenes gave, and their stage."""
    workdir = tmp_path_factory.mktemp("dream")
    stage = Stage(workdir, workdir / "runs", SIZE)
    stage.__dict__["digits"], stage.__dict__["texture"] = digits_in_closed_form(), texture_in_closed_form()
    return run.run(stage), stage


def test_every_scene_has_numbers_pictures_and_films(played):
    results, stage = played
    assert list(results["scenes"]) == list(run.SCENES)
    written = json.loads((stage.workdir / "results.json").read_text())["scenes"]
    assert all(np.isfinite(value) for numbers in written.values() for value in numbers.values())
    assert not (stage.workdir / "runs").exists()  # nothing had to be trained
    for name in PICTURES:
        with Image.open(stage.workdir / f"{name}.png") as picture:
            assert np.asarray(picture).std() > 5
    for name in FILMS:
        (film,) = [*stage.workdir.glob(f"{name}.gif"), *stage.workdir.glob(f"{name}.mp4")]
        assert film.stat().st_size > 1000


def test_flows_lead_back(played):
    """Ends of an interpolation, and digits that went over a bridge and back."""
    scenes = played[0]["scenes"]
    assert scenes["interpolation"]["error of the ends"] < 0.03
    bridge = scenes["bridge"]
    assert bridge["error of the way back"] < 0.03 < 0.3 < bridge["size of the change"]
    assert bridge["read as the next class"] > 0.6
    assert bridge["correlation of ink"] > 0.3


def test_a_walk_ends_where_it_began(played):
    assert played[0]["scenes"]["walk"]["last step over the mean step"] == pytest.approx(1, abs=0.4)


def test_more_noise_changes_a_sketch_more(played):
    numbers = played[0]["scenes"]["sketch"]
    changes = [value for name, value in numbers.items() if name.startswith("root mean square change")]
    assert changes == sorted(changes)


def test_wrapped_textures_have_no_seam(played):
    numbers = played[0]["scenes"]["panorama"]
    assert numbers["seam, seamless"] < 1.5 < 2 < numbers["seam, from end to end"]


def test_style_leaves_the_guide_with_time(played):
    numbers = played[0]["scenes"]["style"]
    left = [value for name, value in numbers.items() if name.startswith("correlation")]
    assert left == sorted(left, reverse=True)


def test_finished_scenes_are_kept(played):
    results, stage = played
    before = (stage.workdir / "scenes" / "sketch.json").stat().st_mtime_ns
    again = run.run(stage, ("sketch",))
    assert again["scenes"] == results["scenes"]  # those of the others, too
    assert (stage.workdir / "scenes" / "sketch.json").stat().st_mtime_ns == before


@pytest.mark.parametrize(
    ("flag", "shape", "told"),
    [("--picture", (1, 2000, 3), "room for 10 squares"), ("--guide", (1, 2000, 3), "8 times as wide")],
)
def test_pictures_of_no_use_are_refused_before_anything_is_trained(flag, shape, told, tmp_path, capsys):
    file = tmp_path / "strip.png"
    Image.fromarray(np.zeros(shape, np.uint8)).save(file)
    assert run.main(["run", f"--workdir={tmp_path / 'work'}", f"{flag}={file}"]) == 2
    said = capsys.readouterr().err
    assert said.startswith(f"error: {flag} = ")
    assert told in said
    assert not (tmp_path / "work").exists()


def test_a_seam_is_seen():
    """A smooth picture on a ring has none; the same picture cut out of a longer one does."""
    angles = 2 * np.pi * (np.arange(32) + 8) / 32
    ring = np.cos(angles)[:, None, None] + np.cos(angles)[:, None]
    assert seam(ring) < 2
    assert seam(ring[:12, :12]) > 5


def test_numerals_are_ink_on_paper():
    for value in range(10):
        picture = numeral(value, (8, 8, 1))
        assert picture.shape == (8, 8, 1)
        assert -1 <= picture.min() < -0.9
        assert 0 < picture.max() <= 1
    assert np.abs(numeral(1, (8, 8, 1)) - numeral(8, (8, 8, 1))).mean() > 0.1


@pytest.mark.parametrize(
    ("flag", "told"),
    [
        ("--scenes=walks", "error: --scenes = 'walks'"),
        ("--picture=nowhere.png", "error: --picture = 'nowhere.png'"),
        ("--guide=nobody", "error: --guide = 'nobody'"),
        ("--workdri=x", "error: --workdri"),
    ],
)
def test_mistakes_are_one_line(flag, told, tmp_path, capsys):
    assert run.main(["run", f"--workdir={tmp_path / 'work'}", flag]) == 2
    said = capsys.readouterr().err.strip()
    assert said.startswith(told)
    assert "\n" not in said
    assert not (tmp_path / "work").exists()


@pytest.mark.parametrize("frames", [1, 2, 5, 6, 10, 48])
def test_the_sheet_of_a_walk_has_six_frames_or_all_of_fewer(frames):
    found = shown(frames)
    assert len(found) == min(frames, 6)
    assert found.min() == 0
    assert found.max() < frames
