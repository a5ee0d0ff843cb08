"""Learning what is normal from a file, and ranking the rows of another by how strange they are."""

from __future__ import annotations

import csv
import dataclasses
import hashlib
import io
import pathlib
import time
from typing import Any, ClassVar

import numpy as np

from score_sde.anomaly import DiffusionOutlierDetector
from score_sde.anomaly.storage import load_detector, save_detector
from score_sde.data.rows import Rows, read_rows
from score_sde.errors import InputError
from score_sde.evaluation.files import replace_file
from score_sde.evaluation.report import table
from score_sde.training.progress import make_progress

SHOWN = 10  # rows that are printed
CHUNK = 2048  # rows between two lines of progress
CELLS = 6  # of a printed row


@dataclasses.dataclass(frozen=True, kw_only=True)
class Detection:
    """What ``--mode=anomaly`` needs: ``get_config()`` returns ``call(Detection, ...)``.

    Attributes:
        detector: what is trained, with its score.
        data: rows that are normal, or nearly all: a CSV, .npy or .npz file. May be left out once trained.
        ignore: columns that are not looked at: identifiers, labels.
    """

    may_change: ClassVar[tuple[str, ...]] = ("data",)

    detector: DiffusionOutlierDetector
    data: str = ""
    ignore: tuple[str, ...] = ()


def detect(detection: Detection, workdir: pathlib.Path, given: str) -> np.ndarray:
    """Rank the rows of the file ``given``; returns their scores, outliers above 0, in the file's order.

    The detector is trained on ``detection.data`` unless ``workdir`` has one, and kept in
    ``checkpoints/detector.npz``. Writes ``anomalies.csv``: rank, row (from 1), score, outlier, and the row's
    cells, the strangest first.

    Raises:
        InputError: files with wrong columns, missing values, NaN: naming file, row and column.
    """
    detector, columns = _trained(detection, workdir / "checkpoints" / "detector.npz")
    rows = read_rows(given, columns=columns)
    scores = _scores(detector, rows.values)
    order = np.argsort(-scores, kind="stable")
    text = _table(rows, scores, order)
    path = replace_file(workdir / "anomalies.csv", lambda stream: stream.write(text.encode()))
    print(_shown(rows, scores, order))
    print(f"{np.sum(scores > 0)} of {len(scores)} rows are outliers; wrote {path}")
    return scores


def _trained(detection: Detection, path: pathlib.Path) -> tuple[DiffusionOutlierDetector, tuple[str, ...]]:
    detector = detection.detector
    if path.is_file():
        saved = load_detector(path, detector)
        if detection.data and "learnt_from" in saved:
            _require_same_data(detection, path, str(saved["learnt_from"]))
        print(f"found a trained detector in {path}", flush=True)
        return detector, tuple(saved["columns"].tolist())
    if not detection.data:
        remedy = "for example --config.data=normal.csv"
        raise InputError("config.data", detection.data, "a file of normal rows to learn from", remedy)
    rows = read_rows(detection.data, ignore=detection.ignore)
    print(f"learning from {len(rows.values)} rows of {len(rows.columns)} columns", flush=True)
    detector.set_params(progress=make_progress).fit(rows.values)
    save_detector(path, detector, columns=np.array(rows.columns), learnt_from=np.array(_fingerprint(rows)))
    return detector, rows.columns


def _fingerprint(rows: Rows) -> str:
    """Of numbers and names of columns."""
    return hashlib.sha256(rows.values.tobytes() + "\n".join(rows.columns).encode()).hexdigest()


def _require_same_data(detection: Detection, path: pathlib.Path, learnt_from: str) -> None:
    if _fingerprint(read_rows(detection.data, ignore=detection.ignore)) != learnt_from:
        expected = f"the rows that the detector in {path} has learnt from"
        raise InputError("config.data", detection.data, expected, "choose another --workdir, or leave it out")


def _scores(detector: DiffusionOutlierDetector, values: np.ndarray) -> np.ndarray:
    found, began = [], time.monotonic()
    for start in range(0, len(values), CHUNK):
        found.append(-detector.decision_function(values[start : start + CHUNK]))
        done = min(start + CHUNK, len(values))
        left = (time.monotonic() - began) / done * (len(values) - done)
        if len(values) > CHUNK:
            print(f"scored {done} of {len(values)} rows; {left:.0f} s left", flush=True)
    return np.concatenate(found)


def _table(rows: Rows, scores: np.ndarray, order: np.ndarray) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("rank", "row", "score", "outlier", *rows.header))
    for rank, row in enumerate(order, start=1):
        cells = rows.cells[row] if rows.cells else ()
        writer.writerow((rank, row + 1, f"{scores[row]:.6g}", int(scores[row] > 0), *cells))
    return text.getvalue()


def _shown(rows: Rows, scores: np.ndarray, order: np.ndarray) -> str:
    names = rows.header[:CELLS]
    lines: list[tuple[Any, ...]] = []
    for rank, row in enumerate(order[:SHOWN], start=1):
        cells = rows.cells[row][:CELLS] if rows.cells else ()
        lines.append((rank, row + 1, float(scores[row]), *cells))
    return table(("rank", "row", "score", *names), lines)
