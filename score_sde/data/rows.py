"""Rows of numbers from a CSV, .npy or .npz file, for models of tables."""

from __future__ import annotations

import csv
import math
import pathlib
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from score_sde.data.arrays import read_arrays
from score_sde.errors import InputError, did_you_mean

TEXT = (".csv", ".tsv", ".txt", ".data", ".dat", "")  # endings of files that are read as CSV
MISSING = frozenset(("", "-", "?", "na", "n/a", "nan", "none", "null"))  # in any case


class Rows(NamedTuple):
    """Numbers of the columns that are used, and the file as it is."""

    values: np.ndarray  # (rows, columns), float64
    columns: tuple[str, ...]  # of the values
    header: tuple[str, ...]  # of all columns of the file; none of an array
    cells: list[list[str]]  # the file's own cells; none of an array


def read_rows(
    path: str | pathlib.Path, *, columns: Sequence[str] | None = None, ignore: Sequence[str] = ()
) -> Rows:
    """The rows of a file.

    A CSV has commas, semicolons or tabs, and a header unless no cell of its first line is a word; its columns
    are then named 1, 2, and so on, as those of an array, which has its examples along the first axis (the
    array ``x``, or the only one, of a .npz).

    Args:
        path: the file, by its ending.
        columns: names that are wanted, in this order; None: all but ``ignore``.
        ignore: names that are left out: identifiers, labels.

    Raises:
        InputError: naming file, row and column: a missing column, an empty cell, text, NaN, infinity, rows of
            different lengths, no rows. Rows count from 1, without the header.
    """
    file = pathlib.Path(path).expanduser()
    if not file.is_file():
        raise InputError("file", str(path), "a CSV, .npy or .npz file that exists", "check the path")
    if file.suffix.lower() in (".npy", ".npz"):
        return _from_array(file, columns, ignore)
    if file.suffix.lower() not in TEXT:
        expected = f"an ending of {', '.join(TEXT[:-1])}, .npy or .npz"
        raise InputError("file", str(file), expected, "save it as CSV")
    header, cells = read_cells(file)
    wanted = _wanted(file, header, columns, ignore)
    places = [header.index(name) for name in wanted]
    values = np.empty((len(cells), len(wanted)))
    for number, row in enumerate(cells, start=1):
        for column, (place, name) in enumerate(zip(places, wanted, strict=True)):
            values[number - 1, column] = _number(file, number, name, row[place])
    return Rows(values, wanted, header, cells)


def read_cells(file: pathlib.Path) -> tuple[tuple[str, ...], list[list[str]]]:
    """Header and rows of a CSV as text; InputError where it is none, or rows have different lengths."""
    try:
        text = file.read_text(encoding="utf-8-sig")
    except (UnicodeDecodeError, OSError) as error:
        raise InputError("file", str(file), "a CSV of UTF-8 text", "save it as CSV") from error
    first = text.partition("\n")[0]
    delimiter = max((",", ";", "\t"), key=first.count)
    lines = [row for row in csv.reader(text.splitlines(), delimiter=delimiter) if row]
    if not lines:
        raise InputError("rows", 0, f"at least one in {file}", "is the file empty?")
    if not any(_is_word(cell) for cell in lines[0]):
        header, cells = tuple(str(i + 1) for i in range(len(lines[0]))), lines
    else:
        header, cells = tuple(cell.strip() for cell in lines[0]), lines[1:]
    twice = next((name for name in header if header.count(name) > 1), None)
    if twice is not None:
        raise InputError(f"header of {file}", twice, "names that are all different", "rename one")
    for number, row in enumerate(cells, start=1):
        if len(row) != len(header):
            expected = f"{len(header)} as the header has"
            remedy = "mend that line; rows count from 1, without the header"
            raise InputError(f"{file}, row {number}: number of cells", len(row), expected, remedy)
    if not cells:
        raise InputError("rows", 0, f"at least one in {file}", "there is a header only")
    return header, cells


def _wanted(
    file: pathlib.Path, header: tuple[str, ...], columns: Sequence[str] | None, ignore: Sequence[str]
) -> tuple[str, ...]:
    for name in (*(columns or ()), *(ignore if columns is None else ())):
        if name not in header:
            close = did_you_mean(name, header) or "check the header"
            # Names that training knows are right: the file's are not.
            remedy = close if columns is None else close.replace("did you mean", "is it")
            raise InputError(f"columns of {file}", ", ".join(header), f"also {name!r}", remedy)
    wanted = tuple(columns) if columns is not None else tuple(n for n in header if n not in ignore)
    if not wanted:
        raise InputError(f"columns of {file}", ", ".join(header), "at least one that is not ignored")
    return wanted


def _from_array(file: pathlib.Path, columns: Sequence[str] | None, ignore: Sequence[str]) -> Rows:
    arrays = read_arrays(str(file))
    if "x" not in arrays and len(arrays) != 1:
        raise InputError(f"arrays in {file}", ", ".join(sorted(arrays)), "one array, or one named x")
    x = arrays["x"] if "x" in arrays else next(iter(arrays.values()))
    if x.ndim < 2 or not len(x) or x.dtype.kind not in "iufb":
        expected = "numbers of shape (rows, ...) with one row or more"
        raise InputError(f"array in {file}", f"{x.dtype} {x.shape}", expected)
    values = x.reshape(len(x), -1).astype(np.float64)
    header = tuple(str(i + 1) for i in range(values.shape[1]))
    if columns is not None and len(columns) != len(header):
        raise InputError(f"columns of {file}", len(header), f"{len(columns)}, as in training")
    bad = np.argwhere(~np.isfinite(values))
    if len(bad):
        row, column = bad[0]
        _refuse(file, int(row) + 1, header[column], float(values[row, column]))
    places = [i for i, name in enumerate(header) if name not in ignore]
    names = tuple(columns) if columns is not None else tuple(header[i] for i in places)
    return Rows(values if columns is not None else values[:, places], names, (), [])


def _number(file: pathlib.Path, row: int, column: str, cell: str) -> float:
    if not _is_number(cell) or not math.isfinite(float(cell)):
        _refuse(file, row, column, cell.strip())
    return float(cell)


def _refuse(file: pathlib.Path, row: int, column: str, value: object) -> None:
    remedy = "fill it in, leave the row out, or the column by --config.ignore"
    raise InputError(f"{file}, row {row}, column {column!r}", value, "a finite number", remedy)


def _is_word(cell: str) -> bool:
    return not _is_number(cell) and cell.strip().lower() not in MISSING


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True
