"""How long a run is, and at which steps it logs, saves and shows samples."""

from __future__ import annotations

from score_sde.errors import InputError
from score_sde.pytree import Pytree, static


class Plan(Pytree):
    """Counts of updates that divide one another, so that results do not depend on where a run was cut.

    ``log_every`` and ``snapshot_every`` are multiples of ``steps_per_call``, ``checkpoint_every`` one of
    ``log_every`` (the mean in a log row then never spans a checkpoint), ``steps`` one of ``steps_per_call``.

    Attributes:
        steps: updates in the whole run.
        steps_per_call: updates in one dispatch to the device.
        log_every: updates whose mean makes one row of the log.
        checkpoint_every: updates between checkpoints; the end has one too.
        snapshot_every: updates between snapshots (sample grids); the end has one too.
        batch_size: examples in one update, over all devices.
        keep_last: how many of the latest checkpoints are kept.
        keep_every: checkpoints of steps divisible by this are kept for good; None for none.
    """

    steps: int = static()
    steps_per_call: int = static(1)
    log_every: int = static(50)
    checkpoint_every: int = static(1000)
    snapshot_every: int = static(1000)
    batch_size: int = static(128)
    keep_last: int = static(2)
    keep_every: int | None = static(None)

    def __post_init__(self) -> None:
        for name in ("steps", "steps_per_call", "log_every", "checkpoint_every", "snapshot_every"):
            if getattr(self, name) < 1:
                raise InputError(f"training.{name}", getattr(self, name), "a positive number of updates")
        if self.batch_size < 1:
            raise InputError("training.batch_size", self.batch_size, "a positive number of examples")
        self._require_multiple("steps", "steps_per_call")
        self._require_multiple("log_every", "steps_per_call")
        self._require_multiple("snapshot_every", "steps_per_call")
        self._require_multiple("checkpoint_every", "log_every")

    def snapshot_due(self, step: int) -> bool:
        """Whether samples are shown after ``step`` updates."""
        return step % self.snapshot_every == 0 or step == self.steps

    def checkpoint_due(self, step: int) -> bool:
        """Whether the state is saved after ``step`` updates."""
        return step % self.checkpoint_every == 0 or step == self.steps

    def log_due(self, step: int) -> bool:
        """Whether a row is written after ``step`` updates."""
        return step % self.log_every == 0 or step == self.steps

    def _require_multiple(self, name: str, unit: str) -> None:
        value, divisor = getattr(self, name), getattr(self, unit)
        if value % divisor:
            nearest = -(-value // divisor) * divisor
            expected = f"a multiple of training.{unit} = {divisor}"
            raise InputError(f"training.{name}", value, expected, f"take {nearest}, or change {unit}")
