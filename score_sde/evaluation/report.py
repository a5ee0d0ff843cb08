"""Results as JSON on disk and as a table in the terminal."""

from __future__ import annotations

import dataclasses
import json
import math
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from score_sde.errors import InputError
from score_sde.evaluation.files import replace_file


def to_jsonable(value: Any) -> Any:
    """Plain JSON types: numpy and JAX scalars and arrays, tuples, dataclasses; NaN and inf become None.

    JSON has no NaN: ``null`` says that there is no number. Raises InputError for anything else.
    """
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): to_jsonable(item) for key, item in value.items()}
    if hasattr(value, "_asdict"):
        return to_jsonable(value._asdict())
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: to_jsonable(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, list | tuple | set | frozenset):
        return [to_jsonable(item) for item in value]
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if hasattr(value, "dtype") and np.asarray(value).dtype.kind in "biufU":
        return to_jsonable(np.asarray(value).tolist())
    raise InputError("results", value, "numbers, text, arrays, lists and dicts", "convert it first")


def write_json(path: str | os.PathLike[str], results: Mapping[str, Any]) -> Path:
    """Write ``results`` atomically: a reader sees the old file or the new one, never half of one."""
    text = json.dumps(to_jsonable(results), indent=2, allow_nan=False) + "\n"
    return replace_file(path, lambda stream: stream.write(text.encode()))


def with_error(mean: float, stderr: float | None = None, digits: int = 3) -> str:
    """``2.013 +- 0.012``; only the mean without a standard error, ``-`` without a number."""
    if mean is None or not math.isfinite(mean):
        return "-"
    if stderr is None or not math.isfinite(stderr):
        return f"{mean:.{digits}f}"
    return f"{mean:.{digits}f} +- {stderr:.{digits}f}"


def table(header: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """Plain text in aligned columns: text to the left, numbers to the right.

    Numbers of the form ``a +- b`` line up on both parts when they have equally many digits. Raises
    InputError for a row that is not as long as the header.
    """
    for row in rows:
        if len(row) != len(header):
            raise InputError("table row", list(row), f"{len(header)} cells", "fill the gaps with ''")
    text = [[_cell(cell) for cell in row] for row in rows]
    lines = [list(header), *text]
    widths = [max(len(line[i]) for line in lines) for i in range(len(header))]
    right = [bool(text) and all(_numeric(line[i]) for line in text) for i in range(len(header))]

    def render(line: Sequence[str]) -> str:
        cells = (c.rjust(w) if r else c.ljust(w) for c, w, r in zip(line, widths, right, strict=True))
        return "  ".join(cells).rstrip()

    return "\n".join([render(lines[0]), "  ".join("-" * w for w in widths), *map(render, lines[1:])])


def ladder_table(entries: Mapping[str, Any]) -> str:
    """The density ladder, worst first: name, bits/dim +- standard error, note.

    ``entries`` maps a name to a tuple (mean, stderr, note).
    """
    ordered = sorted(entries.items(), key=lambda entry: -entry[1][0])
    rows = [(name, with_error(mean, stderr), note) for name, (mean, stderr, note) in ordered]
    return table(("density", "bits/dim", "note"), rows)


def distances_table(entries: Mapping[str, Any]) -> str:
    """Sample metrics: name, value, floor +- standard deviation over subsets.

    ``entries`` maps a name to a tuple (value, floor, floor_std).
    """
    rows = [
        (name, with_error(value, digits=4), with_error(floor, std, digits=4))
        for name, (value, floor, std) in entries.items()
    ]
    return table(("metric", "samples", "training data"), rows)


def _cell(value: Any) -> str:
    if isinstance(value, float | np.floating):
        return "-" if not math.isfinite(value) else f"{value:.4g}"
    return str(value)


def _numeric(text: str) -> bool:
    try:
        [float(part) for part in text.split("+-")]
    except ValueError:
        return text in ("", "-")
    return True
