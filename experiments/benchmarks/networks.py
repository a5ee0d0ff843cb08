"""One training step and one evaluation of DDPM++ or DiT, here and in PyTorch, in the same run.

``python -m experiments.benchmarks.networks [--sizes=published,small,dit_s_2] [--rounds=7] [--threads=2]
[--torch_python=.../bin/python]`` prints a table and one line of JSON, and writes ``networks.json`` beside
this file. A training step is forward, backward, Adam and the exponential moving average, by the step
that ``train`` runs; of DiT-S/2 on latents of 32x32 also one block's attention and feed-forward, and their
gradients. PyTorch's network is diffusers' ``UNet2DModel`` of the same size, or the DiT of ``torch_dit.py``,
in a process of its own: it needs a Python that has torch and diffusers (``pip install torch diffusers``), by
default this one. The timings alternate in rounds, so that the ratio of their medians holds where a machine's
speed drifts; the two processes have the same processors. What is timed follows one of its kind at once, as in
training: memory that a process gave back while it waited may cost it seconds to get again.

On an NVIDIA GPU: ``--device=cuda --batch=128 --calls=10``. ``--arithmetic`` is that of both networks:
``float32``, ``tf32`` (float32 whose products a GPU rounds to TF32; JAX's own default there) or ``bfloat16``
(parameters in float32; PyTorch by autocast). PyTorch on a GPU has its images channels last;
``--torch_mode=compile`` compiles its network.
"""

from __future__ import annotations

import json
import os
import pathlib
import statistics
import subprocess
import sys
from typing import Any

import jax
from absl import app, flags

from experiments.benchmarks.contests import CONTESTS
from experiments.benchmarks.sides import Ours, Setting, Theirs
from score_sde.evaluation.report import table, write_json

HERE = pathlib.Path(__file__).parent
FLAGS = flags.FLAGS
flags.DEFINE_list("sizes", ["published", "small"], "which of published, small and dit_s_2")
flags.DEFINE_integer("rounds", 7, "alternations of the timings")
flags.DEFINE_integer("threads", 2, "processors for each side, on a CPU")
flags.DEFINE_integer("batch", 8, "images in a batch")
flags.DEFINE_enum("device", "cpu", ["cpu", "cuda"], "where both sides compute")
flags.DEFINE_enum("arithmetic", "float32", ["float32", "tf32", "bfloat16"], "of the networks' products")
flags.DEFINE_integer("calls", 1, "calls in a timing, which ends when the last one's computations do")
flags.DEFINE_enum("torch_mode", "eager", ["eager", "compile"], "how PyTorch runs its network")
flags.DEFINE_string("torch_python", sys.executable, "a Python that has torch and diffusers")
flags.DEFINE_string("out", str(HERE / "networks.json"), "where the JSON goes")


def has_torch(python: str) -> bool:
    """Whether that Python can import torch and diffusers."""
    check = (
        "import importlib.util as u, sys; sys.exit(not (u.find_spec('torch') and u.find_spec('diffusers')))"
    )
    return subprocess.run([python, "-c", check], check=False).returncode == 0


def measure(name: str, rounds: int, setting: Setting, python: str, mode: str) -> dict[str, Any]:
    """All figures of one size."""
    ours = Ours(CONTESTS[name], setting)
    results: dict[str, Any] = {"size": name, **setting._asdict(), "jax": ours.facts()}
    results["jax"].update(ours.compile())
    sides: dict[str, Any] = {"jax": ours}
    theirs = Theirs(python, CONTESTS[name], setting, mode) if has_torch(python) else None
    if theirs is not None:
        sides["torch"], results["torch"] = theirs, theirs.facts
    times: dict[tuple[str, str], list[float]] = {}
    for index in range(rounds + 1):
        for action in ours.actions:
            for side, runner in sides.items():
                runner.time(action)
                taken = runner.time(action)
                if index:  # the first round warms up
                    times.setdefault((side, action), []).append(taken)
    if theirs is not None:
        theirs.close()
    for (side, action), taken in times.items():
        results[side][f"{action}_seconds"] = statistics.median(taken)
        results[side][f"{action}_seconds_at_best"] = min(taken)
    return results


def rows(results: dict[str, Any]) -> list[tuple[str, str, str, str]]:
    """Figure, JAX, PyTorch, JAX over PyTorch."""
    ours, theirs, lines = results["jax"], results.get("torch", {}), []
    for name, value in ours.items():
        other = theirs.get(name)
        if not isinstance(value, str):
            ratio = "" if other is None else f"{value / other:.2f}"
            lines.append((name, f"{value:,.4g}", "" if other is None else f"{other:,.4g}", ratio))
    return lines


def settle() -> Setting:
    """Put this process where the flags say, before JAX starts."""
    setting = Setting(FLAGS.batch, FLAGS.threads, FLAGS.device, FLAGS.arithmetic, FLAGS.calls)
    jax.config.update("jax_enable_compilation_cache", False)
    if setting.device == "cuda":
        os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")  # PyTorch has the same GPU
        jax.config.update(
            "jax_default_matmul_precision", "highest" if setting.arithmetic == "float32" else None
        )
    elif hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: setting.threads])
    try:
        jax.config.update("jax_default_device", jax.devices(setting.device)[0])
    except RuntimeError as error:
        raise app.UsageError(f"--device={setting.device}: JAX finds none here ({error})") from error
    return setting


def main(argv: list[str]) -> None:
    """Measure, print, write."""
    del argv
    setting, everything = settle(), []
    for name in FLAGS.sizes:
        if name not in CONTESTS:
            raise app.UsageError(f"--sizes={name}: one of {', '.join(CONTESTS)}")
        results = measure(name, FLAGS.rounds, setting, FLAGS.torch_python, FLAGS.torch_mode)
        print(table((name, "JAX", "PyTorch", "ratio"), rows(results)))
        everything.append(results)
    if "torch" not in everything[0]:
        print(f"{FLAGS.torch_python} has no torch and diffusers: no comparison (--torch_python=...)")
    write_json(FLAGS.out, {"measurements": everything})
    print(json.dumps({"measurements": everything}))


if __name__ == "__main__":
    app.run(main)
