"""A CSV table: its columns of numbers as signals, everything else as it was."""

from __future__ import annotations

import csv
import io
import pathlib
from collections.abc import Sequence
from typing import BinaryIO, NamedTuple

import numpy as np

from score_sde.data.rows import MISSING
from score_sde.errors import InputError

INFINITE = {"inf", "-inf", "+inf", "infinity", "-infinity"}
CODES = 10  # different whole numbers in a column, and no more: labels and counts of few, not a signal
DIGITS = 10  # that are written of what was cleaned


class Row(NamedTuple):
    """A line of the file."""

    line: int
    cells: list[str]


class Table(NamedTuple):
    """Its cells, and which columns are numbers."""

    header: list[str] | None
    rows: list[Row]
    delimiter: str
    columns: list[int]
    values: np.ndarray  # (rows, columns that are numbers)

    def save(self, stream: BinaryIO, clean: np.ndarray) -> None:
        """The table with clean numbers; columns that nothing was done to keep the very cells."""
        cells = [list(row.cells) for row in self.rows]
        for number, column in enumerate(self.columns):
            if np.array_equal(clean[:, number], self.values[:, number]):
                continue
            for row, value in zip(cells, clean[:, number], strict=True):
                row[column] = f"{value:.{DIGITS}g}"
        text = io.StringIO()
        writer = csv.writer(text, delimiter=self.delimiter, lineterminator="\n")
        writer.writerows([*([self.header] if self.header is not None else []), *cells])
        stream.write(text.getvalue().encode())


def read_table(file: pathlib.Path) -> Table:
    """A file with a first line of names or without; InputError naming file, row (its line) and column."""
    content = file.read_text(encoding="utf-8-sig")
    first = content.partition("\n")[0]
    delimiter = max(",;\t", key=first.count)
    reader = csv.reader(io.StringIO(content), delimiter=delimiter)
    rows = [Row(reader.line_num, cells) for cells in reader if cells]
    header = rows.pop(0).cells if rows and _is_header(rows[0].cells) else None
    if not rows:
        raise InputError(str(file), "", "rows of numbers", "the file has none")
    names = header or [str(number + 1) for number in range(len(rows[0].cells))]
    for row in rows:
        if len(row.cells) != len(names):
            raise InputError(
                f"{file}, row {row.line}", len(row.cells), f"{len(names)} columns, as in the first row"
            )
    columns = [number for number in range(len(names)) if _is_signal([row.cells[number] for row in rows])]
    if not columns:
        where, expected = (
            f"{file}, row {rows[0].line}, column {names[0]}",
            "a number, in this column or another",
        )
        remedy = f"write decimals with a point; more than {CODES} different numbers make a signal"
        raise InputError(where, rows[0].cells[0][:60], expected, remedy)
    values = [[_number(file, row, column, names[column]) for column in columns] for row in rows]
    return Table(header, rows, delimiter, columns, np.array(values, np.float64))


def _is_header(cells: Sequence[str]) -> bool:
    """Names only: a line with numbers among them is data."""
    return any(_is_word(cell) for cell in cells) and not any(_is_number(cell) for cell in cells)


def _is_signal(cells: Sequence[str]) -> bool:
    """Neither words in every line, as dates and names are, nor codes: these stay as they are."""
    if all(_is_word(cell) for cell in cells):
        return False
    codes = all(_is_number(cell) and float(cell).is_integer() for cell in cells)
    return not codes or len(set(map(float, cells))) > CODES


def _is_word(cell: str) -> bool:
    return not _is_number(cell) and cell.strip().lower() not in MISSING | INFINITE


def _is_number(cell: str) -> bool:
    try:
        return bool(np.isfinite(float(cell)))
    except ValueError:
        return False


def _number(file: pathlib.Path, row: Row, column: int, name: str) -> float:
    cell = row.cells[column]
    if not _is_number(cell):
        where = f"{file}, row {row.line}, column {name}"
        raise InputError(where, cell, "a finite number", "fill the gap or drop the row")
    return float(cell)
