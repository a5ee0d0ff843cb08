"""Log-likelihoods of a batch on the device, beside the way of scipy on the host.

``python -m experiments.benchmarks.likelihood [--workdir=runs/digits] [--batch=64] [--rounds=5]`` needs a
trained run (``./launch.sh`` makes one), prints a table and writes ``likelihood.json`` beside this file. All
ways compute the same thing: the same model, data, probes, first time and tolerances. scipy's is that of the
original code: RK45 on the concatenated batch, one step size for all, the field jitted, numbers carried to the
host and back at each evaluation; here field and divergence come from one call, where the original made two,
which are timed too. The timings alternate in rounds; ratios are medians over rounds of one time over the
other's. The error of each is measured against a solution of far smaller steps in double precision.
"""

from __future__ import annotations

import functools
import pathlib
import statistics
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from absl import app, flags
from scipy.integrate import solve_ivp

from score_sde.config import build, load_config
from score_sde.divergence import Hutchinson
from score_sde.evaluation.report import table, write_json
from score_sde.experiment.base import restore
from score_sde.integrators import (
    AdamsBashforth,
    Adaptive,
    FixedStep,
    InLogSNR,
    LogSNRNodes,
    RungeKutta4,
    Tsit5,
)
from score_sde.likelihood import evaluate_likelihood

FLAGS = flags.FLAGS
flags.DEFINE_string("config", "configs/digits.py", "the configuration of the run")
flags.DEFINE_string("workdir", "runs/digits", "the trained run")
flags.DEFINE_integer("batch", 64, "examples of the test split")
flags.DEFINE_integer("rounds", 5, "alternations of the timings")
flags.DEFINE_float("tolerance", 1e-5, "absolute and relative, of all adaptive ways")
flags.DEFINE_float("t_min", 2.3e-5, "where the data are")
flags.DEFINE_string("out", str(pathlib.Path(__file__).with_name("likelihood.json")), "where the JSON goes")

HUTCHINSON = Hutchinson()
FINE = 256  # steps of the solution that errors are measured against
BASE = "scipy RK45 on the host"


class Problem(NamedTuple):
    """What all ways are given."""

    model: Any
    x: jax.Array
    key: Any
    t_min: float
    tolerance: float


class Answer(NamedTuple):
    """Nats of each example, and evaluations of the field (of the slowest example)."""

    nats: np.ndarray
    evaluations: int


def on_device(problem: Problem, solver: Any) -> Callable[[], Answer]:
    """``evaluate_likelihood``, compiled."""

    @jax.jit
    def run(model: Any, x: Any) -> Any:
        return evaluate_likelihood(
            model, x, problem.key, solver=solver, divergence=HUTCHINSON, t_min=problem.t_min
        )

    def answer() -> Answer:
        report = run(problem.model, problem.x)
        return Answer(np.asarray(report.nats), int(report.evaluations.max()))

    return answer


def on_host(problem: Problem, rate: Callable[..., Any]) -> Callable[[], Answer]:
    """scipy's RK45 over the whole batch and its log densities, in double precision on the host."""
    x, model = problem.x, problem.model
    probes, t_end = HUTCHINSON.draw(problem.key, x), model.sde.T
    log_prior = jax.jit(lambda latent: model.sde.prior(x.shape).log_prob(latent))

    def slope(t: float, y: np.ndarray) -> np.ndarray:
        state = jnp.asarray(y[: x.size].reshape(x.shape), x.dtype)
        parts = rate(model, state, jnp.full(len(x), t, x.dtype), probes)
        return np.concatenate([np.asarray(part, np.float64).ravel() for part in parts])

    def answer() -> Answer:
        start = np.concatenate([np.asarray(x, np.float64).ravel(), np.zeros(len(x))])
        solved = solve_ivp(
            slope,
            (problem.t_min, t_end),
            start,
            rtol=problem.tolerance,
            atol=problem.tolerance,
            method="RK45",
        )
        latent = jnp.asarray(solved.y[: x.size, -1].reshape(x.shape), x.dtype)
        return Answer(np.asarray(log_prior(latent)) + solved.y[x.size :, -1], solved.nfev)

    return answer


@jax.jit
def together(model: Any, x: Any, t: Any, probes: Any) -> Any:
    """Velocity and divergence from one forward derivative."""
    value, divergence = HUTCHINSON.estimate(probes, lambda x: model.velocity(x, t), x)
    return value, jnp.mean(divergence, axis=1)


@jax.jit
def velocity(model: Any, x: Any, t: Any) -> Any:
    """The first of the original's two calls."""
    return model.velocity(x, t)


@jax.jit
def backward(model: Any, x: Any, t: Any, probes: Any) -> Any:
    """The second: the divergence by the gradient of velocity . e."""
    probe = probes[:, 0]
    gradient = jax.grad(lambda x: jnp.sum(model.velocity(x, t) * probe))(x)
    return jnp.sum((gradient * probe).reshape(len(x), -1), axis=1)


def apart(model: Any, x: Any, t: Any, probes: Any) -> Any:
    """As the original code: two calls."""
    return velocity(model, x, t), backward(model, x, t, probes)


def ways(problem: Problem) -> dict[str, Callable[[], Answer]]:
    """All of them, by name; the first is what the others are compared with."""
    sde, tolerance = problem.model.sde, problem.tolerance
    adaptive = Adaptive(rtol=tolerance, atol=tolerance)
    tsit5 = Adaptive(solver=Tsit5(), rtol=tolerance, atol=tolerance)

    def even(steps: int) -> FixedStep:
        return FixedStep(n_steps=steps, method=RungeKutta4(), times=LogSNRNodes(sde=sde))

    def remembering(steps: int) -> InLogSNR:
        return InLogSNR(sde=sde, solver=AdamsBashforth(n_steps=steps))

    return {
        BASE: on_host(problem, together),
        "the same, as the original calls it": on_host(problem, apart),
        "Adaptive": on_device(problem, adaptive),
        "Adaptive, Tsit5": on_device(problem, tsit5),
        "16 RK4 steps even in log-SNR": on_device(problem, even(16)),
        "24 RK4 steps even in log-SNR": on_device(problem, even(24)),
        "32 RK4 steps even in log-SNR": on_device(problem, even(32)),
        **{
            f"{steps} Adams-Bashforth steps in log-SNR": on_device(problem, remembering(steps))
            for steps in (48, 64, 96)
        },
    }


class Given(Hutchinson):
    """The probes that another precision drew."""

    drawn: Any = None

    def draw(self, key: Any, x: Any) -> Any:
        """As they are, in x's precision."""
        return self.drawn.astype(x.dtype)


def exact(problem: Problem) -> np.ndarray:
    """Nats by small steps in double precision, with the same probes."""
    probes = HUTCHINSON.draw(problem.key, problem.x)
    with jax.enable_x64(True):
        wide = jax.tree.map(_widened, problem._replace(key=None))
        solver = FixedStep(n_steps=FINE, method=RungeKutta4(), times=LogSNRNodes(sde=wide.model.sde))
        run = jax.jit(functools.partial(evaluate_likelihood, t_min=problem.t_min))
        found = run(wide.model, wide.x, problem.key, solver=solver, divergence=Given(drawn=probes))
        return np.asarray(found.nats)


def _widened(leaf: Any) -> Any:
    floating = isinstance(leaf, jax.Array) and jnp.issubdtype(leaf.dtype, jnp.floating)
    return leaf.astype(jnp.float64) if floating else leaf


def measure(problem: Problem, rounds: int) -> dict[str, dict[str, float]]:
    """Seconds, ratio to the first way, evaluations, and the error in bits per dimension, of each way."""
    found = {name: (run, run()) for name, run in ways(problem).items()}  # compiled now
    truth = exact(problem)
    seconds: dict[str, list[float]] = {name: [] for name in found}
    for index in range(rounds):
        for name, (run, _) in found.items():
            began = time.perf_counter()
            run()
            seconds[name].append(time.perf_counter() - began)
        print(f"round {index + 1} of {rounds}", flush=True)
    scale = problem.x[0].size * np.log(2)
    return {
        name: {
            "seconds": statistics.median(seconds[name]),
            "times_faster": statistics.median(
                base / own for base, own in zip(seconds[BASE], seconds[name], strict=True)
            ),
            "evaluations": answer.evaluations,
            "error_bits_per_dim": float(np.mean(np.abs(answer.nats - truth)) / scale),
        }
        for name, (_, answer) in found.items()
    }


def main(argv: list[str]) -> None:
    """Measure, print, write."""
    del argv
    experiment = build(load_config(FLAGS.config))
    restored = restore(experiment, pathlib.Path(FLAGS.workdir))
    raw = experiment.data.split("test").first(FLAGS.batch).arrays()["x"]
    x = experiment.data.units.dequantized.encode(jax.random.key(0), raw)
    results = measure(
        Problem(restored.model, x, jax.random.key(1), FLAGS.t_min, FLAGS.tolerance), FLAGS.rounds
    )
    rows = [(name, *values.values()) for name, values in results.items()]
    print(table(("way", "seconds", "times faster", "evaluations", "error, bits/dim"), rows))
    facts = {
        "device": jax.devices()[0].device_kind,
        "jax": jax.__version__,
        "step": restored.step,
        "batch": len(x),
        "tolerance": FLAGS.tolerance,
        "rounds": FLAGS.rounds,
    }
    write_json(FLAGS.out, {**facts, "ways": results})
    print(f"wrote {FLAGS.out}")


if __name__ == "__main__":
    app.run(main)
