"""Data sets by name: the specifications of tensorflow-datasets, its mock, and prepared data."""

import sys

import numpy as np
import pytest
import tensorflow_datasets as tfds
from PIL import Image

from score_sde import main
from score_sde.config import build, call, override
from score_sde.data import TFDS, Batches, StreamedBatches, in_order
from score_sde.data.preparing import prepare
from score_sde.dequantization import Rescaled
from score_sde.errors import InputError


@pytest.fixture
def mocked(tmp_path):
    """Data sets of 40 random examples under their published specifications, without a file."""
    with tfds.testing.mock_data(num_examples=40):
        yield lambda **options: TFDS(data_dir=str(tmp_path), **options)


@pytest.mark.parametrize("memory", [2**30, 0])
def test_cifar10_as_published(mocked, memory):
    """Krizhevsky (2009): 32 x 32 colour images of ten classes, with training and test images."""
    data = mocked(name="cifar10", memory=memory)
    assert (data.shape, data.n_classes) == ((32, 32, 3), 10)
    batches = data.batches("train", 16, seed=3)
    assert type(batches) is (Batches if memory else StreamedBatches)
    batch = batches.stack(1, 2)
    assert (batch["x"].shape, batch["x"].dtype) == ((2, 16, 32, 32, 3), np.uint8)
    assert (batch["label"].shape, batch["label"].dtype) == ((2, 16), np.int32)
    assert set(np.unique(batch["label"])) <= set(range(10))
    data.units.check(batch["x"])
    assert len(data.split("test")) == 40
    batches.close()


@pytest.mark.parametrize(
    ("options", "shape", "n_classes"),
    [
        ({"name": "svhn_cropped"}, (32, 32, 3), 10),
        ({"name": "celeb_a", "crop": 140, "size": 64, "resampling": "bilinear"}, (64, 64, 3), None),
        ({"name": "lsun/church_outdoor", "size": 16}, (16, 16, 3), None),
        ({"name": "imagenet_resized/64x64"}, (64, 64, 3), 1000),
        ({"name": "fashion_mnist"}, (28, 28, 1), 10),
    ],
)
def test_the_data_sets_of_the_papers(mocked, options, shape, n_classes):
    data = mocked(**options)
    assert (data.shape, data.n_classes) == (shape, n_classes)
    batch = data.batches("train", 4)[0]
    assert batch["x"].shape == (4, *shape)
    assert ("label" in batch) == (n_classes is not None)


def test_a_crop_as_the_original_codes(mocked):
    """score_sde's celeb_a: rows 39 to 178 and columns 19 to 158 of 218 x 178, before resizing."""
    whole = np.asarray(tfds.builder("celeb_a").as_data_source(split="train")[7]["image"])
    expected = Image.fromarray(whole[39:179, 19:159]).resize((64, 64), Image.Resampling.BILINEAR)
    data = mocked(name="celeb_a", crop=140, size=64, resampling="bilinear")
    np.testing.assert_array_equal(data.split("train")[7]["x"], np.asarray(expected))


def test_units_and_fields_from_a_configuration(mocked, tmp_path):
    config = call(TFDS, name="cifar10", data_dir=str(tmp_path), units=call(Rescaled, levels=256, low=0.0))
    override(config, "size", "16")
    data = build(config)
    assert data.shape == (16, 16, 3)
    raw = data.split("train")[0]["x"]
    np.testing.assert_allclose(data.units.encode(None, raw), raw / 255, rtol=1e-6)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Fifty images whose value is their number, in five classes, prepared."""
    folder = tmp_path_factory.mktemp("images")
    for i in range(50):
        (folder / f"class{i % 5}").mkdir(exist_ok=True)
        Image.new("L", (6, 6), i).save(folder / f"class{i % 5}" / f"{i:02d}.png")
    return prepare(str(folder), str(tmp_path_factory.mktemp("data") / "numbers"), 6, channels=1)


def numbers(made, **options):
    return TFDS(name=made.name, data_dir=str(made.parent), **options)


def test_division_into_splits(made):
    whole = numbers(made)
    assert len(whole.split("train")) == 50  # as the papers train on all of it
    with pytest.raises(InputError, match="split of TFDS = 'test': expected at least one example in it"):
        whole.split("test")
    data = numbers(made, validation=0.2, test=0.1, seed=1)
    values = {name: data.split(name).arrays()["x"][:, 0, 0, 0] for name in ("train", "validation", "test")}
    assert [len(value) for value in values.values()] == [35, 10, 5]
    np.testing.assert_array_equal(np.sort(np.concatenate(list(values.values()))), np.arange(50))
    other = numbers(made, validation=0.2, test=0.1, seed=2).split("test").arrays()["x"][:, 0, 0, 0]
    assert set(other) != set(values["test"])
    for name, value in values.items():  # and all the same when they are read anew and streamed
        again = numbers(made, validation=0.2, test=0.1, seed=1, memory=0).split(name)
        np.testing.assert_array_equal(np.concatenate([b["x"] for b in in_order(again, 7)])[:, 0, 0, 0], value)


def test_labels_go_with_their_images(made):
    arrays = numbers(made, memory=0).split("train").arrays()
    np.testing.assert_array_equal(arrays["label"], arrays["x"][:, 0, 0, 0] % 5)


def test_memory_does_not_change_the_batches(made):
    held, streamed = (
        numbers(made).batches("train", 8, seed=5),
        numbers(made, memory=0).batches("train", 8, seed=5),
    )
    assert (type(held), type(streamed)) == (Batches, StreamedBatches)
    for step in (0, 1, 7, 3):
        for name in ("x", "label"):
            np.testing.assert_array_equal(held[step][name], streamed[step][name])
    streamed.close()


def test_processes_divide_an_epoch(made):
    """Each example exactly once over five processes that read their shares from the files."""
    parts = [numbers(made, memory=0).batches("train", 10, process_index=i, process_count=5) for i in range(5)]
    seen = np.concatenate([part[step]["x"][:, 0, 0, 0] for part in parts for step in range(5)])
    np.testing.assert_array_equal(np.sort(seen), np.arange(50))
    for part in parts:
        part.close()


def test_large_images_are_decoded_by_threads(tmp_path):
    images = np.random.default_rng(0).integers(0, 256, (5, 128, 128, 3), dtype=np.uint8)
    (tmp_path / "images").mkdir()
    for i, image in enumerate(images):
        Image.fromarray(image).save(tmp_path / "images" / f"{i}.png")
    directory = prepare(str(tmp_path / "images"), str(tmp_path / "large"), 128)
    np.testing.assert_array_equal(numbers(directory, memory=0).split("train").arrays()["x"], images)
    halved = numbers(directory, size=64, crop=64).split("train").arrays()["x"]
    np.testing.assert_array_equal(halved, images[:, 32:96, 32:96])


def test_progress_of_decoding(made, monkeypatch, capsys):
    module = sys.modules["score_sde.data.records"]
    monkeypatch.setattr(module, "SECONDS", 0.0)
    monkeypatch.setattr(module, "CHUNK", 20)
    split = numbers(made).split("train")
    assert not capsys.readouterr().out  # nothing is read before it is used
    split[0]
    lines = capsys.readouterr().out.splitlines()
    assert [line.rpartition(",")[0] for line in lines] == [
        f"numbers train: {count} of 50 decoded" for count in (20, 40, 50)
    ]


def test_shapes_and_classes_are_known_without_the_data(tmp_path):
    """What planning needs: from the code of tensorflow-datasets, or as the configuration says."""
    cifar = TFDS(name="cifar10", data_dir=str(tmp_path))
    assert (cifar.shape, cifar.n_classes) == ((32, 32, 3), 10)
    faces = TFDS(name="ffhq", size=1024, data_dir=str(tmp_path))
    assert (faces.shape, faces.n_classes) == ((1024, 1024, 3), None)
    assert TFDS(name="imagenet256", size=256, n_classes=1000, data_dir=str(tmp_path)).n_classes == 1000


@pytest.mark.parametrize(
    ("options", "command"),
    [
        (
            {"name": "cifar10"},
            "--mode=prepare --from=cifar-10-binary.tar.gz --to={root}/cifar10 --resolution=32 --channels=3",
        ),
        (
            {"name": "fashion_mnist"},
            "--mode=prepare --from=/usr/share/datasets/fashion-mnist --to={root}/fashion_mnist "
            "--resolution=28 --channels=1 (after apt-get install dataset-fashion-mnist)",
        ),
        (
            {"name": "celeb_a", "crop": 140, "size": 64},
            "--mode=prepare --from=FOLDER_OR_ZIP --to={root}/celeb_a --resolution=64 --channels=3 "
            "--crop=140 (or,",
        ),
        (
            {"name": "ffhq", "size": 256},
            "--mode=prepare --from=FOLDER_OR_ZIP --to={root}/ffhq --resolution=256 --channels=3",
        ),
    ],
)
def test_data_that_are_not_there_are_told_with_the_command(options, command, tmp_path):
    data = TFDS(data_dir=str(tmp_path), **options)
    with pytest.raises(InputError) as error:
        data.split("train")
    assert f"python -m score_sde.main {command.format(root=tmp_path)}" in str(error.value)
    assert "\n" not in str(error.value)


CONFIG = """
from score_sde.config import bind, call
from score_sde.data import TFDS
from score_sde.experiment import Experiment
from score_sde.networks import MLP
from score_sde.objectives import DenoisingScoreMatching
from score_sde.samplers import Ancestral, LogSNR, Sampler
from score_sde.sdes import VP
from score_sde.training import Plan, WarmupEMA, adam

def get_config():
    return call(
        Experiment,
        data=call(TFDS, name="cifar10", data_dir="nowhere"),
        sde=call(VP),
        network=bind(MLP, dim=2),
        objective=call(DenoisingScoreMatching),
        optimizer=call(adam, learning_rate=1e-3),
        training=call(Plan, steps=2, batch_size=4),
        sampler=call(Sampler, predictor=call(Ancestral), grid=call(LogSNR, sigma_min=0.01), n_steps=2),
        ema=call(WarmupEMA, decay=0.9),
    )
"""


def test_the_command_line_tells_it_in_one_line(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "config.py").write_text(CONFIG)
    try:
        assert main.run(["score_sde", "--mode=train", "--config=config.py", "--workdir=run"]) == 2
    finally:
        main.FLAGS.unparse_flags()
        main.FLAGS(["tests"])
    error = capsys.readouterr().err
    assert error.startswith("error: data.name = 'cifar10': expected data in nowhere/cifar10; prepare them: ")
    assert error.count("\n") == 1


def test_mistakes_are_named(mocked):
    for options, told in [
        ({"name": "lsun/church_outdoor"}, "data.size = None: expected a number of pixels"),
        ({"name": "ffhq"}, "--resolution=RESOLUTION"),
        ({"name": "cifar10", "size": 0}, "data.size = 0"),
        (
            {"name": "cifar10", "resampling": "nearest"},
            "data.resampling = 'nearest': expected one of bilinear",
        ),
        ({"name": "cifar10", "n_classes": 7}, "data.n_classes = 7: expected 10, as cifar10 has"),
        ({"name": "imdb_reviews"}, "expected a data set of images"),
        ({"name": "no such/name:at all"}, "--resolution=RESOLUTION"),
    ]:
        with pytest.raises(InputError, match=told):
            mocked(**options)


def test_a_crop_larger_than_the_image(made):
    with pytest.raises(InputError, match=r"crop = 7: expected from 1 to 6 pixels"):
        numbers(made, size=4, crop=7).split("train")[0]


def test_files_of_another_format_are_told(tmp_path):
    """What tensorflow-datasets writes by default is not read by index."""
    directory = tmp_path / "cifar10" / "3.0.2"
    directory.mkdir(parents=True)
    features = tfds.builder("cifar10", data_dir=str(tmp_path / "other")).info.features
    (directory / "cifar10-train.tfrecord-00000-of-00001").write_bytes(b"")
    tfds.folder_dataset.write_metadata(
        data_dir=str(directory),
        features=features,
        split_infos=[tfds.core.SplitInfo(name="train", shard_lengths=[5], num_bytes=0)],
        version="3.0.2",
        check_data=False,
    )
    with pytest.raises(InputError, match=r'prepare it with file_format="array_record"'):
        TFDS(name="cifar10", data_dir=str(tmp_path)).split("train")
