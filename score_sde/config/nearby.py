"""Which configuration file may have been meant by one that is not there."""

from __future__ import annotations

import difflib
from pathlib import Path

SHOWN = 3


def alternatives(path: Path) -> str:
    """The configuration of this name elsewhere, or of a similar one; or what there is, where none is similar.

    Looked at are the deepest folder of ``path`` that exists and the folders in it.
    """
    folder = path if path.is_dir() else next((above for above in path.parents if above.is_dir()), Path())
    files = sorted([*folder.glob("*.py"), *folder.glob("[!.]*/*.py")])
    moved = [file for file in files if file.name == path.name and _is_config(file)]
    if moved:
        return f"did you mean {' or '.join(map(str, moved[:SHOWN]))}?"
    places = [str(file.relative_to(folder)) for file in files]
    for place in difflib.get_close_matches(str(path.relative_to(folder)), places, n=SHOWN, cutoff=0.7):
        if _is_config(folder / place):
            return f"did you mean {folder / place}?"
    here = [str(file) for file in sorted(folder.glob("*.py")) if _is_config(file)]
    if not here:
        return "there is none here"
    more = f" and {len(here) - SHOWN} more" if len(here) > SHOWN else ""
    return f"there are {', '.join(here[:SHOWN])}{more}" if len(here) > 1 else f"there is {here[0]}"


def _is_config(file: Path) -> bool:
    try:
        return "def get_config(" in file.read_text(errors="replace")
    except OSError:
        return False
