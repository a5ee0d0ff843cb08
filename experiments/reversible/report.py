"""Tables of reversible towers beside others, what was aimed at, and the picture."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from experiments.reversible.ways import PLAIN, REVERSIBLE
from score_sde.evaluation.files import replace_file
from score_sde.evaluation.report import table, with_error

MIB = 2**20
GROWTH, SAVING, GRADIENT, SLOWER = 1.05, 5.0, 1e-5, 1.6  # at most, at least, at most, at most
COLORS = ("#23272e", "#9aa3ad", "#b6c48f", "#7fa650", "#3f8f4f", "#d9782d", "#3b6ea8")
SIZES = (9, 8, 7, 6, 5, 4, 3)  # of marks, so that what lies below can be seen
Results = dict[str, Any]


def text(results: Results) -> str:
    """Everything that was measured, and the verdict where all that it asks for was."""
    texts = {"memory": memory_text, "speed": speed_text, "errors": errors_text, "training": training_text}
    parts = [tell(results) for name, tell in texts.items() if name in results]
    return "\n\n".join([*parts, *(["\n".join(verdicts(results))] if judged(results) else [])])


def judged(results: Results) -> bool:
    """Whether the targets can be judged."""
    return {"memory", "speed", "errors"} <= set(results)


def memory_text(results: Results) -> str:
    """MiB by XLA's account, then by the system's, at each depth."""
    depths = sorted({row["depth"] for row in results["memory"]})
    found = {(row["way"], row["depth"]): row for row in results["memory"]}
    ways = dict.fromkeys(row["way"] for row in results["memory"])
    heads = ("MiB of a step", *(f"XLA, {n}" for n in depths), *(f"resident, {n}" for n in depths))
    rows = [
        (
            way,
            *(f"{found[way, n]['temporaries'] / MIB:.1f}" for n in depths),
            *(_mib(found[way, n]["resident"]) for n in depths),
        )
        for way in ways
    ]
    weights = [f"{found[PLAIN, n]['parameters'] / MIB:.1f}" for n in depths]
    return table(heads, [*rows, ("parameters (as many gradients)", *weights, *weights)])


def speed_text(results: Results) -> str:
    """Seconds of a step."""
    rows = [(row["way"], f"{row['seconds']:.3f}", f"{row['ratio']:.2f}") for row in results["speed"]]
    depth = results["speed"][0]["depth"]
    return table((f"step, depth {depth}", "seconds", "over the plain one's"), rows)


def errors_text(results: Results) -> str:
    """Of rebuilt activations, and of gradients."""
    heads = ("blocks and streams", "depth", "rebuilt, relative", "the same", "gradient, relative")
    rows = [
        (row["kind"], row["depth"], f"{row['rebuilt']:.1e}", f"{row['exact']:.2%}", f"{row['gradient']:.1e}")
        for row in results["errors"]
    ]
    return table(heads, sorted(rows, key=lambda row: row[0]))


def training_text(results: Results) -> str:
    """What was trained."""
    heads = ("digits", "parameters", "loss", "bits/dim", "seconds of training")
    rows = []
    for name, run in results["training"].items():
        cells = [
            with_error(run[key]["mean"], run[key]["half_width"]) if key in run else "-"
            for key in ("loss", "bits_per_dim")
        ]
        rows.append((name, run["parameters"], *cells, f"{run['train_seconds']['mean']:.0f}"))
    return table(heads, rows)


def figures(results: Results) -> dict[str, float]:
    """What targets are about."""
    sizes = {(row["way"], row["depth"]): row["temporaries"] for row in results["memory"]}
    depths = sorted({depth for _, depth in sizes})
    middle = 32 if 32 in depths else depths[-1]
    ratios = {row["way"]: row["ratio"] for row in results["speed"]}
    return {
        "growth": sizes[REVERSIBLE, depths[-1]] / sizes[REVERSIBLE, depths[0]],
        "saving": sizes[PLAIN, middle] / sizes[REVERSIBLE, middle],
        "gradient": max(row["gradient"] for row in results["errors"] if row["kind"] == "float32"),
        "slower": ratios[REVERSIBLE],
    }


def verdicts(results: Results) -> list[str]:
    """A line for each target."""
    found, depths = figures(results), sorted({row["depth"] for row in results["memory"]})
    middle = 32 if 32 in depths else depths[-1]

    def line(what: str, value: str, aim: str, met: bool) -> str:
        return f"{what}: {value}, {'reached' if met else 'MISSED'} ({aim})"

    growth, saving, gradient, slower = (found[key] for key in ("growth", "saving", "gradient", "slower"))
    return [
        line(f"memory from depth {depths[0]} to {depths[-1]}", f"times {growth:.3f}", f"at most {GROWTH}",
             growth <= GROWTH),
        line(f"plain memory over reversible at depth {middle}", f"{saving:.1f}", f"at least {SAVING:.0f}",
             saving >= SAVING),
        line("gradients from ordinary ones", f"{gradient:.1e}", f"at most {GRADIENT:.0e}",
             gradient <= GRADIENT),
        line("step over the plain one's", f"{slower:.2f}", f"at most {SLOWER}", slower <= SLOWER),
    ]  # fmt: skip


def save_picture(path: Path, results: Results) -> Path:
    """Memory against depth, and errors of rebuilt activations against depth."""
    figure = Figure(figsize=(11, 5), layout="constrained")
    canvas = FigureCanvasAgg(figure)
    left, right = figure.subplots(1, 2)
    _draw_memory(left, results["memory"])
    _draw_errors(right, results["errors"])
    for axis in (left, right):
        axis.spines[["top", "right"]].set_visible(False)
        axis.legend(frameon=False, fontsize=8, ncols=2, loc="upper center", bbox_to_anchor=(0.5, -0.13))
    return replace_file(path, lambda stream: canvas.print_figure(stream, format="png", dpi=110))


def _draw_memory(axis: Any, rows: list[dict[str, Any]]) -> None:
    ways = dict.fromkeys(row["way"] for row in rows)
    for color, size, way in zip(COLORS, SIZES, ways, strict=False):
        own = sorted((row["depth"], row["temporaries"] / MIB) for row in rows if row["way"] == way)
        axis.plot(*zip(*own, strict=True), color=color, marker="o", markersize=size, label=way)
    _depths(axis, [row["depth"] for row in rows])
    axis.set(yscale="log", ylabel="temporaries of a training step by XLA, MiB")


def _draw_errors(axis: Any, rows: list[dict[str, Any]]) -> None:
    floor = 0.3 * min((row["rebuilt"] for row in rows if row["rebuilt"] > 0), default=1e-9)
    kinds = dict.fromkeys(row["kind"] for row in rows)
    for color, size, kind in zip(COLORS[::-1], SIZES, kinds, strict=False):
        own = sorted((row["depth"], row["rebuilt"]) for row in rows if row["kind"] == kind)
        exact = not any(value for _, value in own)
        label, style = (f"{kind}: none", ":") if exact else (kind, "-")
        shown = [(depth, value or floor) for depth, value in own]
        axis.plot(*zip(*shown, strict=True), style, color=color, marker="o", markersize=size, label=label)
    _depths(axis, [row["depth"] for row in rows])
    axis.set(yscale="log", ylabel="relative error of rebuilt activations")


def _depths(axis: Any, depths: list[int]) -> None:
    ticks = sorted(set(depths))
    axis.set_xscale("log", base=2)
    axis.set_xticks(ticks, [str(n) for n in ticks])
    axis.set_xlabel("blocks")


def _mib(size: float | None) -> str:
    return "-" if size is None else f"{size / MIB:.0f}"
