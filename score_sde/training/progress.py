"""How far training is: a bar on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import sys
import time
from typing import Protocol, TextIO

from tqdm import tqdm


class Progress(Protocol):
    """Told after each dispatch how far training is."""

    def update(self, step: int, loss: float) -> None:
        """``step`` updates are done; ``loss`` is that of the last."""

    def close(self) -> None:
        """Training has ended."""


class Bar:
    """A bar with the loss, steps per second and the time left."""

    def __init__(self, total: int, initial: int, stream: TextIO) -> None:
        self._bar = tqdm(
            total=total, initial=initial, unit="step", file=stream, dynamic_ncols=True, smoothing=0.1
        )

    def update(self, step: int, loss: float) -> None:
        """Redraw (ten times a second at most)."""
        self._bar.set_postfix(loss=f"{loss:.4g}", refresh=False)
        self._bar.update(step - self._bar.n)

    def close(self) -> None:
        """Leave the bar as it is."""
        self._bar.close()


class Lines:
    """A plain line at most every ``seconds``, and at the end: for log files."""

    def __init__(self, total: int, initial: int, stream: TextIO, seconds: float = 10.0) -> None:
        self._total, self._stream, self._seconds = total, stream, seconds
        self._printed, self._mark = time.monotonic(), (initial, time.monotonic())

    def update(self, step: int, loss: float) -> None:
        """Print where the interval has passed."""
        now = time.monotonic()
        if now - self._printed < self._seconds and step < self._total:
            return
        since_step, since = self._mark
        speed = (step - since_step) / max(now - since, 1e-9)
        left = (self._total - step) / max(speed, 1e-9)
        print(
            f"step {step}/{self._total}  loss {loss:.4g}  {speed:.1f} steps/s  {left:.0f} s left",
            file=self._stream,
            flush=True,
        )
        self._printed, self._mark = now, (step, now)

    def close(self) -> None:
        """Nothing to do."""


class Silent:
    """Says nothing: every process but the first."""

    def update(self, step: int, loss: float) -> None:
        """Nothing."""

    def close(self) -> None:
        """Nothing."""


def make_progress(total: int, initial: int = 0, stream: TextIO | None = None) -> Progress:
    """A bar where ``stream`` (None: standard error) is a terminal, lines where it is not."""
    stream = sys.stderr if stream is None else stream
    return Bar(total, initial, stream) if stream.isatty() else Lines(total, initial, stream)
