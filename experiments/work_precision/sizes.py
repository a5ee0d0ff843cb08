"""How much of everything is measured, by subject."""

from __future__ import annotations

from typing import NamedTuple

from experiments.work_precision.solvers import PC, REFERENCE
from experiments.work_precision.subjects import MIXTURE, Amounts

LONG = ("DDIM", "Ancestral", "UniPC(terms=2)", "DPMSolverPP2M(churn=1)")  # take long counts, too


class Scope(NamedTuple):
    """What of one subject is measured.

    Attributes:
        counts: evaluations that all solvers may take.
        long_counts: of LONG and of predictor-correctors.
        tolerances: how many of an adaptive solver's, the loosest first.
        seeds: sets of draws.
        draws: of each seed.
        weight: how much longer an evaluation takes than one of the mixture, roughly.
        every_reference: whether all predictor-correctors take the reference's evaluations, not it alone.
    """

    counts: tuple[int, ...]
    long_counts: tuple[int, ...]
    tolerances: int
    seeds: int
    draws: int
    weight: float = 1.0
    every_reference: bool = True


SCOPES = {
    MIXTURE: Scope((1, 2, 3, 4, 5, 6, 8, 10, 15, 20, 50, 100), (), 5, 80, 250),
    "digits": Scope((2, 4, 5, 6, 8, 10, 20), (50, 100), 2, 5, 99, 20),
    "fashion_mnist": Scope((5, 10), (20,), 1, 4, 50, 200, every_reference=False),  # 12 times the pixels
}
FAST_SCOPE = Scope((2, 8), (), 5, 2, 60)
FAST_NETWORK = Scope((), (), 0, 2, 16, 20)


class Size(NamedTuple):
    """How much of everything."""

    variant: str = ""  # of configurations
    scopes: dict[str, Scope] = SCOPES
    reference: int = 1000  # evaluations of the predictor-correctors that all are held against
    projections: int = 100
    learnt_from: int = 10_000  # examples at most, by the classifier
    names: tuple[str, ...] = ()  # some solvers only

    def amounts(self, subject: str) -> Amounts:
        """What results of one table have in common."""
        scope = self.scopes[subject]
        return Amounts(scope.seeds, scope.draws, self.projections, self.learnt_from)

    def counts(self, subject: str) -> list[int]:
        """All numbers of evaluations that a subject's table shows."""
        scope = self.scopes[subject]
        return sorted({*scope.counts, *scope.long_counts, self.reference})

    def counts_of(self, subject: str, solver: str) -> list[int]:
        """Those of one solver: on the mixture all take the reference's number, too."""
        scope = self.scopes[subject]
        corrected = solver.startswith(PC) and "MALA" not in solver
        full = subject == MIXTURE or solver == REFERENCE or (corrected and scope.every_reference)
        more = scope.long_counts if corrected or solver in LONG else ()
        return sorted({*scope.counts, *more, *([self.reference] if full else [])})


FAST = Size(
    "tiny",
    {MIXTURE: FAST_SCOPE, "digits": FAST_NETWORK, "fashion_mnist": FAST_NETWORK},
    reference=8,
    projections=20,
    learnt_from=1000,
    names=("DDIM", REFERENCE, "AdaptiveSDE"),
)
