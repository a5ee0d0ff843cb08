"""The log of a run: ``metrics.csv`` that survives kills exactly, and TensorBoard events."""

from __future__ import annotations

import pathlib
from collections.abc import Mapping, Sequence

from tensorboardX import SummaryWriter

from score_sde.errors import InputError
from score_sde.training.identity import unwritable, write_whole


class MetricsLog:
    """Appends rows to ``metrics.csv`` in ``directory`` and the same values to ``tensorboard/``.

    Opening it at ``step`` drops the rows after that step (and a torn last line): a run that was
    killed and goes on from the checkpoint of ``step`` writes them again, so none is lost or doubled.
    Every row reaches the operating system before ``write`` returns, so before any later checkpoint.

    Args:
        directory: the work directory.
        step: the step that training goes on from.
        fields: the columns after ``step``.

    Raises:
        InputError: cannot be written, or the file has other columns.
    """

    def __init__(self, directory: str | pathlib.Path, step: int, fields: Sequence[str]) -> None:
        self._fields = list(fields)
        self._path = pathlib.Path(directory) / "metrics.csv"
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            write_whole(self._path, _kept(self._path, step, ",".join(["step", *fields])))
            self._file = open(self._path, "a")  # noqa: SIM115 (open as long as the log is)
            folder = str(self._path.parent / "tensorboard")  # a file name has seconds only: add the step
            self._events = SummaryWriter(
                folder, purge_step=step + 1, flush_secs=10, filename_suffix=f".from_step_{step}"
            )
        except OSError as error:
            raise unwritable(self._path, error) from error

    def write(self, step: int, values: Mapping[str, float], **others: float) -> None:
        """Append the row of ``step``; ``others`` (timings) go to TensorBoard only.

        Floats are written so that they read back exactly, and timings stay out of the file, so that
        two runs of one configuration write the same bytes.
        """
        cells = [str(step), *(repr(float(values[name])) for name in self._fields)]
        try:
            self._file.write(",".join(cells) + "\n")
            self._file.flush()
        except OSError as error:
            raise unwritable(self._path, error) from error
        for name, value in {**values, **others}.items():
            self._events.add_scalar(name, float(value), step)

    def close(self) -> None:
        """Write out what is still held."""
        self._file.close()
        self._events.close()


def _kept(path: pathlib.Path, step: int, header: str) -> str:
    """The header and the complete rows up to ``step``."""
    lines = path.read_text().splitlines(keepends=True) if path.exists() else []
    whole = [line for line in lines if line.endswith("\n")]
    if whole and whole[0] != header + "\n":
        remedy = "move the file away or use another --workdir"
        raise InputError(f"columns of {path}", whole[0].strip(), header, remedy)
    return "".join([header + "\n", *(line for line in whole[1:] if _step(path, line) <= step)])


def _step(path: pathlib.Path, line: str) -> int:
    cell = line.split(",", 1)[0]
    if not cell.isdigit():
        raise InputError(f"line of {path}", line.strip(), "a step number first", "remove that line")
    return int(cell)
