"""One column of a CSV file as a series in time, whose cells may be missing."""

from __future__ import annotations

import math
import pathlib
from typing import NamedTuple

import numpy as np

from score_sde.data.rows import MISSING, read_cells
from score_sde.errors import InputError, did_you_mean


class Column(NamedTuple):
    """Numbers in the order of the file's rows."""

    name: str
    values: np.ndarray  # (rows,), float64; NaN where a cell is missing
    labels: tuple[str, ...]  # of the rows: the first other column, or numbers from 1


def read_column(path: str | pathlib.Path, name: str | None = None) -> Column:
    """A column of a CSV file by its name; None: the only one that holds numbers.

    Empty cells, ``NA``, ``NaN``, ``null``, ``-`` and ``?`` are missing values.

    Raises:
        InputError: naming file, row and column: no such file or column, text or infinity in the place of a
            number, no number at all. Rows count from 1, without the header.
    """
    file = pathlib.Path(path).expanduser()
    if not file.is_file():
        raise InputError("file", str(path), "a CSV file that exists", "check the path")
    header, cells = read_cells(file)
    chosen = _only(file, header, cells) if name is None else name
    if chosen not in header:
        remedy = did_you_mean(chosen, header) or "check the header"
        raise InputError(f"columns of {file}", ", ".join(header), f"also {chosen!r}", remedy)
    place = header.index(chosen)
    values = np.array([_number(file, row, chosen, line[place]) for row, line in enumerate(cells, start=1)])
    if not np.isfinite(values).any():
        raise InputError(f"{file}, column {chosen!r}", "no number", "at least one", "choose another column")
    others = [column for column in range(len(header)) if column != place]
    labels = [line[others[0]] if others else str(row) for row, line in enumerate(cells, start=1)]
    return Column(chosen, values, tuple(labels))


def _only(file: pathlib.Path, header: tuple[str, ...], cells: list[list[str]]) -> str:
    columns = zip(header, zip(*cells, strict=True), strict=True)
    numbers = [name for name, column in columns if all(_readable(cell) for cell in column)]
    if len(numbers) != 1:
        found = ", ".join(numbers) or "none"
        raise InputError(f"columns of numbers in {file}", found, "one", "say which: --column=NAME")
    return numbers[0]


def _number(file: pathlib.Path, row: int, column: str, cell: str) -> float:
    text = cell.strip()
    if text.lower() in MISSING:
        return math.nan
    if not _readable(text):
        remedy = "correct it, or leave the cell empty for a missing value"
        raise InputError(f"{file}, row {row}, column {column!r}", text, "a finite number", remedy)
    return float(text)


def _readable(cell: str) -> bool:
    """Whether a cell is a finite number or missing."""
    if cell.strip().lower() in MISSING:
        return True
    try:
        return math.isfinite(float(cell))
    except ValueError:
        return False
