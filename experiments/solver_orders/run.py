"""Orders of convergence: every predictor against an exact flow and exact moments.

Usage: python -m experiments.solver_orders.run --workdir=runs/solver_orders [--fast]

In float64, 16 to 512 steps equal in log(alpha / sigma). The flow is that of three normal laws in the plane,
whose denoiser is exact, solved by scipy's DOP853. Moments are those of one normal law, by the recursion that
they obey, so that the weak order of random steps has no sampling error. Strong orders of random steps are
those along fixed Brownian paths, towards the same predictor at 16 times the steps. The first steps of a
multi-step predictor, which are of lower order, are put on the exact flow. Writes orders.json, table.txt and
orders.png; the exit code is 1 if a deterministic predictor misses its nominal order by more than 0.15.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from absl import flags

from experiments.commands import flag_values, run_command

COUNTS, FAST_COUNTS = (16, 32, 64, 128, 256, 512), (256, 512)
SDES = ("VP", "VE", "RectifiedFlow")


def rows_of(counts: tuple[int, ...], names: tuple[str, ...]) -> list[dict[str, Any]]:
    """A row for each predictor."""
    import jax  # after its environment is set

    from experiments.solver_orders import measure, strong
    from experiments.solver_orders.entrants import entrants, label
    from score_sde import sdes

    rows, entered = [], entrants()
    with jax.enable_x64(True):
        flow = {name: measure.FlowErrors(getattr(sdes, name)(), counts) for name in names}
        moments = {name: measure.MomentErrors(getattr(sdes, name)(), counts) for name in names}
        paths = {name: strong.StrongErrors(getattr(sdes, name)(), counts) for name in names}
        for number, predictor in enumerate(entered):
            noisy = measure.is_random(predictor)
            kinds = {"flow": {} if noisy else flow, "moments": moments, "strong": paths if noisy else {}}
            row: dict[str, Any] = {"predictor": label(predictor), "evaluations": predictor.evaluations}
            row["order"] = predictor.order
            for kind, cases in kinds.items():
                row[kind] = {name: _measured(counts, case(predictor)) for name, case in cases.items()}
            rows.append(row)
            print(f"{number + 1}/{len(entered)} {row['predictor']}", flush=True)
    return rows


def _measured(counts: tuple[int, ...], errors: list[float]) -> dict[str, Any]:
    from experiments.solver_orders.measure import order

    return {"errors": errors, "order": order(counts, errors)}


def run(workdir: Path, counts: tuple[int, ...] = COUNTS, names: tuple[str, ...] = SDES) -> list[str]:
    """Measure and write all; the predictors that miss their order."""
    from experiments.solver_orders import report
    from score_sde.evaluation.files import replace_file
    from score_sde.evaluation.report import write_json

    rows = rows_of(counts, names)
    missed = report.misses(rows)
    write_json(workdir / "orders.json", {"steps": counts, "rows": rows, "missed": missed})
    text = report.text(rows, list(names))
    replace_file(workdir / "table.txt", lambda stream: stream.write(f"{text}\n".encode()))
    report.save_plot(workdir / "orders.png", rows, list(counts), names[0])
    print(text)
    print("\n".join(missed) or "every deterministic predictor has its nominal order")
    return missed


def main(argv: list[str]) -> int:
    """The command line; its exit code."""
    values: flags.FlagValues = flag_values("runs/solver_orders")
    missed: list[str] = []

    def work() -> None:
        small = (FAST_COUNTS, SDES[:1]) if values.fast else (COUNTS, SDES)
        missed.extend(run(Path(values.workdir), *small))

    return run_command(argv, __doc__, values, work) or int(bool(missed))


if __name__ == "__main__":
    sys.exit(main(sys.argv))
