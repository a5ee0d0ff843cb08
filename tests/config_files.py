"""The configuration files, found by walking ``configs``."""

import functools
from pathlib import Path

from score_sde.config import build, load_config, to_json

ROOT = Path(__file__).parent.parent / "configs"
SHARED = ("parts/", "default_")  # what several share: no runs
OTHER = (*SHARED, "anomaly")  # and what describes no Experiment


def names():
    """Paths below ``configs`` of all runs, without ``.py``."""
    found = [path.relative_to(ROOT).as_posix() for path in sorted(ROOT.rglob("*.py"))]
    return [name[:-3] for name in found if not name.startswith(OTHER) and not name.endswith("__init__.py")]


def load(name, variant=""):
    return load_config(f"{ROOT / name}.py:{variant}" if variant else f"{ROOT / name}.py")


@functools.cache
def experiment(name, variant=""):
    return build(load(name, variant))


def text_of(part):
    """A part of a configuration as text, to tell equal ones."""
    return to_json(part)
