"""Exact likelihood of held-out examples, in bits per dimension and nats, and whether the solver matters."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import jax
import numpy as np

from score_sde.data.base import Example
from score_sde.data.batches import in_order
from score_sde.divergence import Divergence, Hutchinson
from score_sde.errors import InputError
from score_sde.experiment.measures.base import Measure, Measurement, Subject
from score_sde.integrators.adaptive import Adaptive
from score_sde.integrators.base import Integrator
from score_sde.likelihood import LikelihoodReport, evaluate_likelihood
from score_sde.pytree import static
from score_sde.typing import Array, Key


class Likelihood(Measure):
    """Bits per dimension by the instantaneous change of variables (Song et al. 2021, section 4.3).

    ``solver`` does the first ``n_examples`` of ``split`` (None: all); ``refined`` does the first batch again
    with the same dequantisation and probes, so that the difference is the solver's alone.
    """

    split: str = static("test")
    solver: Integrator = Adaptive(rtol=1e-4, atol=1e-4)
    refined: Integrator = Adaptive(rtol=1e-5, atol=1e-5)
    divergence: Divergence = Hutchinson()
    t_min: float = 1e-5
    batch_size: int = static(128)
    n_examples: int | None = static(None)

    def __post_init__(self) -> None:
        if self.n_examples is not None and self.n_examples < 2:
            raise InputError("Likelihood.n_examples", self.n_examples, "at least 2, or None for all")

    def __call__(self, subject: Subject) -> Measurement:
        """``bits_per_dim``, ``bits_per_dim_stderr`` (over examples), nats, evaluations, refinement."""
        source = subject.data.split(self.split).first(self.n_examples)
        batches = list(in_order(source, min(self.batch_size, len(source))))
        solve = self._compiled(subject, self.solver)
        reports = [solve(i, batch) for i, batch in enumerate(batches)]
        nats = np.concatenate([np.asarray(report.nats) for report in reports])
        bits = np.asarray(subject.data.units.dequantized.bits_per_dim(nats, math.prod(subject.data.shape)))
        mean, error = float(bits.mean()), float(bits.std(ddof=1) / np.sqrt(len(bits)))
        moved = self._moved(subject, batches[0], bits)
        values: dict[str, Any] = {
            "bits_per_dim": mean,
            "bits_per_dim_stderr": error,
            "nats": float(nats.mean()),
            "likelihood_evaluations": float(np.mean([np.mean(r.evaluations) for r in reports])),
            "bits_per_dim_moved_by_refining_the_solver": moved,
        }
        note = f"{len(bits)} examples; refining the solver moves it by {moved:+.4f}"
        return Measurement(values, [("bits/dim", mean, error, note)])

    def _moved(self, subject: Subject, batch: Example, bits: np.ndarray) -> float:
        nats = np.asarray(self._compiled(subject, self.refined)(0, batch).nats)
        refined = subject.data.units.dequantized.bits_per_dim(nats, math.prod(subject.data.shape))
        return float(np.mean(np.asarray(refined) - bits[: len(nats)]))

    def _compiled(self, subject: Subject, solver: Integrator) -> Callable[[int, Example], LikelihoodReport]:
        """The report of the i-th batch of raw data; compiles once for each size of batch."""

        @jax.jit
        def run(key: Key, batch: dict[str, Array]) -> LikelihoodReport:
            x, cond = subject.encoded(jax.random.fold_in(key, 0), batch, subject.data.units.dequantized)
            return evaluate_likelihood(
                subject.model,
                x,
                jax.random.fold_in(key, 1),
                solver=solver,
                divergence=self.divergence,
                t_min=self.t_min,
                cond=cond,
            )

        def report(index: int, batch: Example) -> LikelihoodReport:
            subject.report(f"likelihood: batch {index + 1}, {len(batch['x'])} examples")
            return run(jax.random.fold_in(subject.key("likelihood"), index), batch)

        return report
