"""Dreams: pictures and films from models that were trained here.

Usage: python -m experiments.dream.run --workdir=runs/dream [--scenes=walk,style] [--picture=FILE]
           [--guide=FILE] [--runs=DIR] [--workers=N] [--fast]

Trains what it needs below --runs (configs/digits_conditional.py, and the texture of one picture,
experiments/dream/texture.py), plays the scenes, and writes for each a picture, mostly a film (MP4 where
ffmpeg is installed, GIF otherwise), and its numbers:

  process        the reverse process as a film
  interpolation  from one test digit to another on the arc between their noise, beside a cross-fade
  walk           noise that wanders and comes back to where it began: a film without end
  sketch         printed numerals become handwriting (SDEdit)
  bridge         each digit becomes the next class in the same hand (dual probability flows)
  panorama       a texture whose copies join, and a panorama (patches composed at every step)
  style          a picture made of the texture of another

--picture names the picture that the texture is learnt from, --guide the one that it is put on: an image
file, or a photograph that comes with scikit-learn or scikit-image. results.json and table.txt hold all
numbers. A scene that was played with the same flags is not played again: stopped, the same command goes on.
With two --workers, as on a CPU of two cores, both models are trained and played at the same time.
--fast shows the way in a minute, with models that have learnt nothing.
"""

from __future__ import annotations

import json
import pathlib
import sys
from collections.abc import Sequence
from functools import partial
from typing import Any

from absl import flags

from experiments.commands import flag_values, run_command
from experiments.workers import Job, cores, run_jobs

OF_DIGITS = ("process", "interpolation", "walk", "sketch", "bridge")
OF_TEXTURE = ("panorama", "style")
SCENES = (*OF_DIGITS, *OF_TEXTURE)


def run(stage: Any, scenes: Sequence[str] = SCENES, workers: int = 1) -> dict[str, Any]:
    """Play what is missing, scenes of one model beside the other's, and write the numbers; the results."""
    from score_sde.evaluation.files import replace_file
    from score_sde.evaluation.report import table, write_json

    parts = [[name for name in scenes if name in of] for of in (OF_TEXTURE, OF_DIGITS)]  # the longer first
    jobs = [Job(f"scenes {', '.join(names)}", partial(play, stage, names)) for names in parts if names]
    run_jobs(jobs, workers)
    found = {name: kept for name in SCENES if (kept := _kept(stage, name)) is not None}  # and of runs before
    results = {"size": stage.size._asdict(), "picture": stage.picture, "guide": stage.guide, "scenes": found}
    write_json(stage.workdir / "results.json", results)
    rows = [(name, what, value) for name, numbers in found.items() for what, value in numbers.items()]
    text = table(("scene", "what", "value"), rows)
    replace_file(stage.workdir / "table.txt", lambda stream: stream.write(f"{text}\n".encode()))
    print(text)
    return results


def play(stage: Any, scenes: Sequence[str]) -> None:
    """Some scenes, one after the other."""
    for name in scenes:
        played(stage, name)
        print(f"played {name}", flush=True)


def played(stage: Any, name: str) -> dict[str, float]:
    """The numbers of a scene, which is played unless it was."""
    import importlib

    from score_sde.evaluation.report import write_json

    if (kept := _kept(stage, name)) is not None:
        return kept
    numbers: dict[str, float] = importlib.import_module(f"experiments.dream.scenes.{name}").play(stage)
    write_json(_file(stage, name), {"settings": _settings(stage), "numbers": numbers})
    return numbers


def _kept(stage: Any, name: str) -> dict[str, float] | None:
    """The numbers of a scene that was played with the same flags."""
    file = _file(stage, name)
    kept = json.loads(file.read_text()) if file.is_file() else {}
    return dict(kept["numbers"]) if kept.get("settings") == _settings(stage) else None


def _file(stage: Any, name: str) -> pathlib.Path:
    folder: pathlib.Path = stage.workdir / "scenes"
    return folder / f"{name}.json"


def _settings(stage: Any) -> Any:
    """What its numbers depend on, as JSON gives it back."""
    return json.loads(json.dumps([stage.size, stage.picture, stage.guide]))


def defined() -> flags.FlagValues:
    """The flags of this command."""
    values = flag_values("runs/dream")
    flags.DEFINE_list("scenes", list(SCENES), f"some of {', '.join(SCENES)}", flag_values=values)
    flags.DEFINE_string("runs", None, "trained models; default: runs below --workdir", flag_values=values)
    flags.DEFINE_string("picture", None, "that a texture is learnt from", flag_values=values)
    flags.DEFINE_string("guide", None, "that the texture is put on", flag_values=values)
    flags.DEFINE_integer("workers", min(2, cores()), "processes; 1 on an accelerator", 1, flag_values=values)
    return values


def work(values: flags.FlagValues) -> None:
    """What the flags ask for; what they have wrong is told before anything is trained."""
    from experiments.dream.models import FAST, Size
    from experiments.dream.stage import Stage
    from experiments.dream.texture import require_pictures
    from score_sde.errors import InputError, did_you_mean

    for name in values.scenes:
        if name not in SCENES:
            raise InputError(
                "--scenes", name, f"some of {', '.join(SCENES)}", did_you_mean(name, list(SCENES))
            )
    if not values.scenes:
        raise InputError("--scenes", "", f"some of {', '.join(SCENES)}", "name one, or leave the flag out")
    require_pictures(values.picture, values.guide, values.fast)
    workdir = pathlib.Path(values.workdir)
    size = FAST if values.fast else Size()
    runs = pathlib.Path(values.runs or workdir / "runs")
    run(Stage(workdir, runs, size, values.picture, values.guide), values.scenes, values.workers)


def main(argv: list[str]) -> int:
    """The command line; its exit code."""
    values = defined()
    return run_command(argv, __doc__, values, lambda: work(values))


if __name__ == "__main__":
    sys.exit(main(sys.argv))
