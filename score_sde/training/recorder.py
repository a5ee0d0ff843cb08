"""Reading the metrics of finished dispatches: log rows, progress, the stop at a loss that is not finite."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

import jax
import numpy as np

from score_sde.errors import InputError
from score_sde.training.metrics import MetricsLog
from score_sde.training.plan import Plan
from score_sde.training.progress import Progress
from score_sde.training.step import AllMetrics

FIELDS = ("loss", "grad_norm")
IN_FLIGHT = 2  # dispatches the host may be ahead: enough to keep the device busy, few to hold in memory


class DivergenceError(InputError):
    """The loss or its gradient stopped being finite."""


class Recorder:
    """Takes the metrics of each dispatch and reads them a little later, so that the device never waits.

    Args:
        plan: when rows are due.
        log: where rows go; None in the processes that write none.
        progress: told of every finished dispatch.
        last_good: the step of the last checkpoint, for the message of a divergence.
    """

    def __init__(
        self, plan: Plan, log: MetricsLog | None, progress: Progress, last_good: Callable[[], int | None]
    ) -> None:
        self._plan, self._log, self._progress, self._last_good = plan, log, progress, last_good
        self._pending: deque[tuple[int, AllMetrics]] = deque()
        self._window: list[dict[str, np.ndarray]] = []
        self._opened = time.monotonic()

    def add(self, step: int, metrics: AllMetrics) -> None:
        """Metrics (one value per update) of the dispatch that ends at ``step``."""
        self._pending.append((step, metrics))
        while len(self._pending) > IN_FLIGHT:
            self._read()

    def drain(self) -> None:
        """Wait for every dispatch and read it: the state is then known to be finite."""
        while self._pending:
            self._read()

    def _read(self) -> None:
        step, pending = self._pending.popleft()
        metrics = {name: np.asarray(value).reshape(-1) for name, value in jax.device_get(pending).items()}
        self._require_finite(step, metrics)
        self._window.append(metrics)
        self._progress.update(step, float(metrics["loss"][-1]))
        if self._plan.log_due(step):
            self._write_row(step)

    def _write_row(self, step: int) -> None:
        values = {name: np.concatenate([metrics[name] for metrics in self._window]) for name in FIELDS}
        now = time.monotonic()
        speed = len(values["loss"]) / max(now - self._opened, 1e-9)
        self._window, self._opened = [], now
        if self._log is not None:
            means = {name: float(np.mean(value, dtype=np.float64)) for name, value in values.items()}
            self._log.write(step, means, steps_per_second=speed)

    def _require_finite(self, step: int, metrics: dict[str, np.ndarray]) -> None:
        finite = metrics["finite"]
        if finite.all():
            return
        first = int(np.argmin(finite))
        where = f"loss at step {step - len(finite) + first + 1}"
        good = self._last_good()
        kept = "no checkpoint exists yet" if good is None else f"the last good checkpoint is step {good}"
        expected = f"a finite loss and gradient (norm {float(metrics['grad_norm'][first])})"
        remedy = f"{kept}; lower the learning rate or clip_norm"
        raise DivergenceError(where, float(metrics["loss"][first]), expected, remedy)
