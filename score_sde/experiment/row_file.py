"""Rows of numbers that are computed for hours, in a file that a killed run goes on from."""

from __future__ import annotations

import json
import pathlib
import time
import zipfile
from typing import Any

import numpy as np

from score_sde.errors import InputError
from score_sde.evaluation.files import replace_file

Rows = dict[str, np.ndarray]
SECONDS = 5.0  # between writes: what a kill can cost, beside the batch in hand


class RowFile:
    """An .npz with one array for each column, all of one length, and what they were computed with.

    Args:
        path: of the file.
        about: whatever the rows depend on, as plain JSON. Rows of another ``about`` are not gone on from:
            their file is moved to ``*_before.npz``.
    """

    def __init__(self, path: pathlib.Path, about: dict[str, Any]) -> None:
        self.path, self._about = path, json.dumps(about, sort_keys=True)
        self.rows: Rows = self._read()
        self._written = time.monotonic()

    def __len__(self) -> int:
        return len(next(iter(self.rows.values()), ()))

    def keep(self, count: int) -> None:
        """Forget all rows but the first ``count``."""
        self.rows = {name: column[:count] for name, column in self.rows.items()}

    def add(self, rows: Rows) -> None:
        """Append; the file follows within seconds."""
        self.rows = {name: np.concatenate([self.rows.get(name, rows[name][:0]), rows[name]]) for name in rows}
        if time.monotonic() - self._written > SECONDS:
            self.write()

    def write(self) -> None:
        """Write all rows, whole or not at all."""
        columns: dict[str, Any] = {"about": np.array(self._about), **self.rows}
        replace_file(self.path, lambda stream: np.savez_compressed(stream, **columns))
        self._written = time.monotonic()

    def _read(self) -> Rows:
        if not self.path.is_file():
            return {}
        try:
            with np.load(self.path) as file:
                found = {name: file[name] for name in file.files}
        except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
            remedy = "delete it: the values are computed again"
            raise InputError(
                "values", str(self.path), "a file that --mode=likelihood wrote", remedy
            ) from error
        if str(found.pop("about", "")) == self._about:
            return found
        before = self.path.with_name(f"{self.path.stem}_before.npz")
        self.path.replace(before)
        print(f"the values of other settings that were here are now in {before}", flush=True)
        return {}
