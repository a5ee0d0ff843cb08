"""JSON that any reader accepts, files that are whole, tables that line up."""

import json
import os
import subprocess
import sys
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
import pytest

from score_sde.errors import InputError
from score_sde.evaluation import distances_table, ladder_table, table, to_jsonable, with_error, write_json
from score_sde.evaluation.files import replace_file


class Pair(NamedTuple):
    a: float
    b: np.ndarray


def test_every_kind_of_number_becomes_json(tmp_path):
    results = {
        "float32": np.float32(0.5),
        "int64": np.int64(3),
        "bool": np.bool_(True),
        "nan": float("nan"),
        "inside": [np.inf, np.array([1.0, np.nan]), jnp.arange(2)],
        "pair": Pair(np.float64(1.5), np.zeros((1, 2))),
        "none": None,
        "text": np.str_("é"),
        7: tmp_path,
    }
    text = write_json(tmp_path / "deep" / "results.json", results).read_text()

    def strict(name):
        raise AssertionError(f"{name} is not JSON")

    assert json.loads(text, parse_constant=strict) == {
        "float32": 0.5,
        "int64": 3,
        "bool": True,
        "nan": None,
        "inside": [None, [1.0, None], [0, 1]],
        "pair": {"a": 1.5, "b": [[0.0, 0.0]]},
        "none": None,
        "text": "é",
        "7": str(tmp_path),
    }


def test_what_has_no_json_is_refused():
    with pytest.raises(InputError, match="convert it first"):
        to_jsonable({"x": object()})


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "results.json"
    write_json(path, {"a": 1})

    def crash(stream):
        stream.write(b"half")
        raise RuntimeError("killed")

    with pytest.raises(RuntimeError):
        replace_file(path, crash)
    with pytest.raises(InputError):
        write_json(path, {"a": object()})
    assert json.loads(path.read_text()) == {"a": 1}
    assert list(tmp_path.iterdir()) == [path]


def test_a_full_disk_and_a_wrong_place_are_one_line(tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("")
    with pytest.raises(InputError, match="output file") as caught:
        write_json(blocked / "results.json", {})
    assert "\n" not in str(caught.value)

    def full(stream):
        raise OSError(28, "No space left on device")

    with pytest.raises(InputError, match="No space left"):
        replace_file(tmp_path / "x", full)


def test_files_have_ordinary_permissions(tmp_path):
    mask = os.umask(0o022)
    try:
        assert write_json(tmp_path / "r.json", {}).stat().st_mode & 0o777 == 0o644
    finally:
        os.umask(mask)


def test_tables_line_up():
    text = table(("name", "bits/dim", "n"), [("a", "2.000 +- 0.010", 5), ("longer", "10.000 +- 0.100", 1234)])
    assert text.splitlines() == [
        "name           bits/dim     n",
        "------  ---------------  ----",
        "a        2.000 +- 0.010     5",
        "longer  10.000 +- 0.100  1234",
    ]
    with pytest.raises(InputError, match="2 cells"):
        table(("a", "b"), [(1,)])
    assert table(("a", "b"), []).splitlines()[0] == "a  b"


def test_numbers_without_an_error_or_a_value():
    assert with_error(2.0126, 0.0119) == "2.013 +- 0.012"
    assert with_error(2.0, None) == with_error(2.0, float("nan")) == "2.000"
    assert with_error(float("nan")) == "-"
    assert "-" in table(("x",), [(float("nan"),)])


def test_the_ladder_descends_to_the_best():
    text = ladder_table({"good": (2.0, 0.01, "x"), "bad": (4.0, 0.0, ""), "fair": (3.0, 0.02, "y")})
    assert [line.split()[0] for line in text.splitlines()[2:]] == ["bad", "fair", "good"]


def test_sample_metrics_stand_beside_their_floor():
    text = distances_table({"MMD squared": (0.00123, 0.0001, 0.0002)})
    assert text.splitlines()[-1].split() == ["MMD", "squared", "0.0012", "0.0001", "+-", "0.0002"]


def test_the_package_is_light_until_a_name_is_used():
    """``--help`` imports the folder: neither scikit-learn nor matplotlib may come with it."""
    code = (
        "import sys, score_sde.evaluation as e; heavy = {'sklearn', 'matplotlib', 'PIL', 'scipy'};"
        "assert not heavy & set(sys.modules); e.table; assert not heavy & set(sys.modules);"
        "assert all(hasattr(e, name) for name in e.__all__); assert 'matplotlib.pyplot' not in sys.modules"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
