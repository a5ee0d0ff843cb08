"""Prepared data sets: every pixel and label comes back, whatever they came from and whatever happened."""

import gzip
import io
import json
import os
import signal
import subprocess
import sys
import tarfile
import time
import zipfile

import numpy as np
import pytest
import tensorflow_datasets as tfds
from PIL import Image

from score_sde import main
from score_sde.data import TFDS
from score_sde.data.preparing import prepare
from score_sde.data.shards import JOURNAL, read_journal
from score_sde.errors import InputError


def pixels(count, *shape, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (count, *shape), dtype=np.uint8)


def png(image, kind="PNG"):
    content = io.BytesIO()
    Image.fromarray(image[..., 0] if image.shape[-1] == 1 else image).save(content, kind)
    return content.getvalue()


def read(directory, **options):
    return TFDS(name=directory.name, data_dir=str(directory.parent), **options)


def write_folder(folder, images, names):
    for name, image in zip(names, images, strict=True):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(png(image))
    return folder


def test_a_folder_with_classes_and_splits(tmp_path):
    images = pixels(9, 12, 12, 3)
    names = [f"train/{('cat', 'dog', 'ox')[i % 3]}/{i}.png" for i in range(6)]
    names += [f"test/{('cat', 'dog', 'ox')[i % 3]}/{i}.PNG" for i in range(3)]
    source = write_folder(tmp_path / "animals", images, names)
    (source / "README.txt").write_text("not an image")
    directory = prepare(str(source), str(tmp_path / "made"), 12)
    data = read(directory)
    assert (data.shape, data.n_classes) == ((12, 12, 3), 3)
    order = sorted(range(6), key=lambda i: names[i])
    train, test = data.split("train").arrays(), data.split("test").arrays()
    np.testing.assert_array_equal(train["x"], images[order])
    np.testing.assert_array_equal(train["label"], np.array(order) % 3)
    np.testing.assert_array_equal(test["x"], images[6:])
    np.testing.assert_array_equal(test["label"], [0, 1, 2])
    info = tfds.builder_from_directory(directory).info  # it is an ordinary data set of tensorflow-datasets
    assert info.features["label"].names == ["cat", "dog", "ox"]
    assert info.splits["train"].num_examples == 6


def test_an_archive_as_edms_tool_writes_it(tmp_path):
    """Numbered folders of images, ``dataset.json`` with labels, in an order of its own."""
    images, labels = pixels(5, 8, 8, 3), [3, 0, 2, 0, 3]
    names = [f"{i // 3:05d}/img{i:08d}.png" for i in range(5)]
    with zipfile.ZipFile(tmp_path / "edm.zip", "w") as opened:
        for name, image in zip(names, images, strict=True):
            opened.writestr(name, png(image))
        opened.writestr("dataset.json", json.dumps({"labels": list(zip(names, labels, strict=True))[::-1]}))
        opened.writestr("__MACOSX/00000/._img00000000.png", b"no image")
    data = read(prepare(str(tmp_path / "edm.zip"), str(tmp_path / "made"), 8))
    found = data.split("train").arrays()
    np.testing.assert_array_equal(found["x"], images)
    np.testing.assert_array_equal(found["label"], labels)
    assert data.n_classes == 4


@pytest.mark.parametrize("top", ["", "images/"])
def test_numbered_or_single_folders_are_no_classes(tmp_path, top):
    source = write_folder(tmp_path / "ffhq", pixels(4, 8, 8, 3), [f"{top}0{i}000/{i}.png" for i in range(4)])
    assert read(prepare(str(source), str(tmp_path / "a"), 8)).n_classes is None
    source = write_folder(tmp_path / "one", pixels(2, 8, 8, 3), [f"{top}celeba/{i}.png" for i in range(2)])
    assert read(prepare(str(source), str(tmp_path / "b"), 8)).n_classes is None


@pytest.mark.parametrize("packed", [True, False])
def test_idx_files(tmp_path, packed):
    """The format of MNIST and Fashion-MNIST, under their official names, written here byte by byte."""
    arrays = {"train": (pixels(7, 10, 10), np.arange(7) % 5), "t10k": (pixels(3, 10, 10, seed=1), [4, 0, 1])}
    for prefix, (images, labels) in arrays.items():
        for kind, values, magic in (("images-idx3", images, 3), ("labels-idx1", np.array(labels), 1)):
            sizes = np.array(values.shape, ">u4").tobytes()
            content = bytes([0, 0, 8, magic]) + sizes + values.astype(np.uint8).tobytes()
            file = tmp_path / f"{prefix}-{kind}-ubyte{'.gz' if packed else ''}"
            file.write_bytes(gzip.compress(content) if packed else content)
    data = read(prepare(str(tmp_path), str(tmp_path / "made"), 10, channels=1))
    for split, prefix in (("train", "train"), ("test", "t10k")):
        found = data.split(split).arrays()
        np.testing.assert_array_equal(found["x"][..., 0], arrays[prefix][0])
        np.testing.assert_array_equal(found["label"], arrays[prefix][1])
    assert (data.shape, data.n_classes) == ((10, 10, 1), 5)
    (tmp_path / file.name).write_bytes(content[:9])
    with pytest.raises(InputError, match=r"idx1-ubyte.* a readable idx file of bytes"):
        prepare(str(tmp_path), str(tmp_path / "other"), 10)


def test_the_binary_version_of_cifar10(tmp_path, monkeypatch):
    """Records of a class and three planes, in the order of the batches; files of 10,000, here of 4."""
    from score_sde.data.preparing import arrays

    monkeypatch.setattr(arrays, "PER_FILE", 4)
    images, labels = pixels(24, 32, 32, 3), np.arange(24, dtype=np.uint8) % 10
    with tarfile.open(tmp_path / "cifar-10-binary.tar.gz", "w:gz") as opened:
        for i, name in enumerate([*arrays.CIFAR, *arrays.CIFAR_TEST]):
            chosen = slice(4 * i, 4 * i + 4)
            planes = images[chosen].transpose(0, 3, 1, 2).reshape(4, -1)
            content = np.concatenate([labels[chosen, None], planes], axis=1).tobytes()
            member = tarfile.TarInfo(f"cifar-10-batches-bin/{name}")
            member.size = len(content)
            opened.addfile(member, io.BytesIO(content))
    data = read(prepare(str(tmp_path / "cifar-10-binary.tar.gz"), str(tmp_path / "cifar10"), 32))
    np.testing.assert_array_equal(data.split("train").arrays()["x"], images[:20])
    np.testing.assert_array_equal(data.split("test").arrays()["x"], images[20:])
    np.testing.assert_array_equal(data.split("test").arrays()["label"], labels[20:])


def test_cropping_and_resizing(tmp_path):
    """A square of 4 x 4 in the middle: what is kept with ``crop`` 8 is the square and its surroundings."""
    image = np.zeros((20, 30, 3), np.uint8)
    image[8:12, 13:17] = 200
    source = write_folder(tmp_path / "frames", [image], ["a.png"])
    kept = read(prepare(str(source), str(tmp_path / "a"), 8, crop=8)).split("train")[0]["x"]
    np.testing.assert_array_equal(kept, image[6:14, 11:19])
    halved = read(prepare(str(source), str(tmp_path / "b"), 4, crop=8, channels=1)).split("train")[0]["x"]
    assert halved.shape == (4, 4, 1)
    assert halved[1:3, 1:3].min() > 150 > 50 > halved[0, 0].max()
    with pytest.raises(InputError, match=r"crop = 21: expected from 1 to 20 pixels"):
        prepare(str(source), str(tmp_path / "c"), 8, crop=21)


SLOW = """
import sys
from score_sde.data.preparing import prepare
prepare(sys.argv[1], sys.argv[2], 16, channels=1, shard_bytes=16 * 16 * 25)
"""


def test_a_killed_run_goes_on_to_the_same_bytes(tmp_path):
    """SIGKILL amid the shards, twice; what was complete is not written again."""
    source = tmp_path / "images"
    write_folder(source, pixels(1500, 16, 16, 1), [f"{i}.png" for i in range(1500)])
    whole, killed = tmp_path / "whole" / "made", tmp_path / "killed" / "made"
    prepare(str(source), str(whole), 16, channels=1, shard_bytes=16 * 16 * 25)
    for shards in (5, 20):
        process = subprocess.Popen(
            [sys.executable, "-c", SLOW, str(source), str(killed)], stdout=subprocess.PIPE
        )
        while len(list(killed.glob("made-*"))) < shards:
            assert process.poll() is None
            time.sleep(0.001)
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert not (killed / "dataset_info.json").exists()
    times = {file.name: file.stat().st_mtime_ns for file in killed.glob("made-*")}
    listed = read_journal(killed)["shards"]
    assert 19 <= len(listed) < 60  # the twentieth may be on disk and not yet in the journal
    done = subprocess.run(
        [sys.executable, "-c", SLOW, str(source), str(killed)], capture_output=True, text=True, check=True
    )
    assert f"prepare: {len(listed)} of 60 shards are there" in done.stdout
    assert all((killed / name).stat().st_mtime_ns == times[name] for name in listed)
    names = {file.name for file in whole.iterdir()}
    assert names <= {file.name for file in killed.iterdir()}
    for name in names:
        assert (killed / name).read_bytes() == (whole / name).read_bytes(), name


@pytest.fixture
def made(tmp_path):
    source = write_folder(tmp_path / "images", pixels(60, 8, 8, 3), [f"{i:02d}.png" for i in range(60)])
    return prepare(str(source), str(tmp_path / "made"), 8, shard_bytes=8 * 8 * 3 * 20)


def flip_a_bit(file, place):
    content = bytearray(file.read_bytes())
    content[place] ^= 4
    file.write_bytes(content)


@pytest.mark.parametrize("memory", [2**30, 0])
def test_damage_is_told_in_a_line_and_mended_by_the_same_command(made, memory, capsys):
    expected = read(made).split("train").arrays()["x"]
    shard = made / "made-train.array_record-00001-of-00003"
    whole = shard.read_bytes()
    command = f"python -m score_sde.main --mode=prepare --from={made.parent / 'images'} --to={made} "
    for damage, told in [
        (
            lambda: flip_a_bit(shard, whole.index(b"IDAT") + 40),
            "is damaged" if memory else "it cannot be read",
        ),
        (lambda: shard.write_bytes(whole[:-100]), "bytes for"),
        (shard.unlink, "it is missing"),
    ]:
        damage()
        with pytest.raises(InputError) as error:
            read(made, memory=memory).split("train").arrays()
        for part in (shard.name, told, command + "--resolution=8 --channels=3"):
            assert part in str(error.value)
        assert "\n" not in str(error.value)
        prepare(str(made.parent / "images"), str(made), 8, shard_bytes=8 * 8 * 3 * 20)
        assert f"{shard.name} " in capsys.readouterr().out
        assert shard.read_bytes() == whole
        np.testing.assert_array_equal(read(made, memory=memory).split("train").arrays()["x"], expected)


def test_any_bit_that_is_flipped_is_found_by_preparing_again(made, capsys):
    shard = made / "made-train.array_record-00002-of-00003"
    whole = shard.read_bytes()
    for place in (0, len(whole) // 2, len(whole) - 1):
        flip_a_bit(shard, place)
        prepare(str(made.parent / "images"), str(made), 8, shard_bytes=8 * 8 * 3 * 20)
        assert f"{shard.name} is damaged: it is made again" in capsys.readouterr().out
        assert shard.read_bytes() == whole


def test_a_directory_keeps_its_data_set(made):
    write_folder(made.parent / "images", pixels(1, 8, 8, 3), ["new.png"])
    with pytest.raises(InputError, match="expected a directory without another data set"):
        prepare(str(made.parent / "images"), str(made), 8, shard_bytes=8 * 8 * 3 * 20)
    (made / JOURNAL).write_text("{")
    with pytest.raises(InputError, match=r"expected a readable list of shards"):
        prepare(str(made.parent / "images"), str(made), 8)
    with pytest.raises(InputError, match=r"expected a readable list of shards"):
        read(made).split("train")


def test_a_moved_data_set_is_read_and_mended(made):
    (made.parent / "images").rename(made.parent / "pictures")
    moved = made.rename(made.parent / "moved")
    (moved / "made-train.array_record-00000-of-00003").unlink()
    prepare(str(made.parent / "pictures"), str(moved), 8, shard_bytes=8 * 8 * 3 * 20)
    assert len(read(moved).split("train").arrays()["x"]) == 60


def test_only_one_process_prepares_a_directory(made):
    code = "import fcntl, sys; f = open(sys.argv[1]); fcntl.flock(f, fcntl.LOCK_EX); "
    code += "print('locked', flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", code, str(made / ".lock")], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        other.stdout.readline()
        with pytest.raises(InputError, match="expected a directory that no other process prepares"):
            prepare(str(made.parent / "images"), str(made), 8)
        other.communicate(b"\n")


def mistaken(tmp_path, name):
    """A source with a mistake in it, and what is said of it."""
    source = tmp_path / name
    if name == "empty":
        source.mkdir()
        return "PNG or JPEG files in it"
    if name == "broken.zip":
        source.write_bytes(b"PK no archive")
        return "a readable zip archive"
    if name == "loose":
        write_folder(source, pixels(3, 4, 4, 3), ["cat/a.png", "dog/a.png", "b.png"])
        return "every image in a class folder, or none; move the images beside cat, dog"
    if name == "cut":
        write_folder(source, pixels(1, 64, 64, 3), ["a.png"])
        (source / "a.png").write_bytes((source / "a.png").read_bytes()[:2000])
        return "a.png': expected a readable PNG or JPEG"
    if name == "deep":
        source.mkdir()
        Image.fromarray(np.full((4, 4), 40000, np.uint16)).save(source / "a.png")
        return "mode of a.png = 'I;16': expected 8 bits"
    if name == "unlabelled":
        write_folder(source, pixels(2, 4, 4, 3), ["a.png", "b.png"])
        (source / "dataset.json").write_text(json.dumps({"labels": [["a.png", 1]]}))
        return "label of b.png"
    if name == "vectors":
        write_folder(source, pixels(1, 4, 4, 3), ["a.png"])
        (source / "dataset.json").write_text(json.dumps({"labels": [["a.png", [0.5, 1.0]]]}))
        return "= [0.5, 1.0]: expected a class"
    if name == "listless":
        write_folder(source, pixels(1, 4, 4, 3), ["a.png"])
        (source / "dataset.json").write_text(json.dumps([1]))
        return 'expected {"labels":'
    if name == "python.tar.gz":
        with tarfile.open(source, "w:gz") as opened:
            opened.addfile(tarfile.TarInfo("cifar-10-batches-py/data_batch_1"))
        return "data_batch_1.bin is missing"
    return "a folder or zip of images"


@pytest.mark.parametrize(
    "name",
    [
        "empty",
        "broken.zip",
        "loose",
        "cut",
        "deep",
        "unlabelled",
        "vectors",
        "listless",
        "python.tar.gz",
        "none",
    ],
)
def test_mistakes_are_one_line_and_exit_code_2(name, tmp_path, capsys):
    told = mistaken(tmp_path, name)
    command = ["score_sde", "--mode=prepare", f"--from={tmp_path / name}", f"--to={tmp_path / 'to'}"]
    try:
        assert main.run([*command, "--resolution=64"]) == 2
        error = capsys.readouterr().err
        assert error.startswith("error: ")
        assert error.count("\n") == 1
        assert told in error
    finally:
        main.FLAGS.unparse_flags()
        main.FLAGS(["tests"])


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        (["--resolution=0"], "--resolution = 0: expected a positive number"),
        (["--resolution=8", "--channels=4"], "data.channels = 4: expected 1 (grey) or 3 (colour)"),
        ([], "--resolution = None: expected the height and width"),
        (["--resolution=8", "--config.x=1"], "--config.x = '1': expected nothing with --mode=prepare"),
    ],
)
def test_wrong_flags(flags, told, tmp_path, capsys):
    try:
        assert main.run(["score_sde", "--mode=prepare", "--from=x", f"--to={tmp_path}", *flags]) == 2
        assert told in capsys.readouterr().err
    finally:
        main.FLAGS.unparse_flags()
        main.FLAGS(["tests"])


def test_progress_tells_the_time_left(tmp_path, monkeypatch, capsys):
    module = sys.modules["score_sde.data.preparing.prepare"]
    monkeypatch.setattr(module, "SECONDS", 0.0)
    source = write_folder(tmp_path / "images", pixels(30, 8, 8, 3), [f"{i}.png" for i in range(30)])
    prepare(str(source), str(tmp_path / "made"), 8)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("prepare: 1 of 30 images, ")
    assert lines[-2].startswith("prepare: 30 of 30 images, ")
    assert lines[-2].endswith("/s, 0 s left")
    assert lines[-1] == f"prepared 30 train images of 8x8x3 in {tmp_path / 'made'}"
    assert os.listdir(tmp_path / "made")
