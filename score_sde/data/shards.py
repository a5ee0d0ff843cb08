"""The files of a prepared data set: what was written where, and whether it is as it was written."""

from __future__ import annotations

import json
import os
import pathlib
import shlex
import zlib
from collections.abc import Mapping
from typing import Any, NamedTuple

from score_sde.errors import InputError

JOURNAL = "shards.json"


class Shard(NamedTuple):
    """Examples ``start .. stop - 1`` of a split, in a file of this name."""

    split: str
    file: str
    start: int
    stop: int


def read_journal(directory: pathlib.Path) -> dict[str, Any]:
    """What is known of the shards: ``made_from``, and ``shards`` by file name; empty where nothing is."""
    file = directory / JOURNAL
    if not file.is_file():
        return {}
    try:
        journal = json.loads(file.read_text())
        return {"made_from": dict(journal["made_from"]), "shards": dict(journal["shards"])}
    except (ValueError, KeyError, TypeError) as error:
        remedy = f"remove {directory} and prepare it again"
        raise InputError("data set", str(file), f"a readable list of shards ({error})", remedy) from error


def write_journal(directory: pathlib.Path, journal: Mapping[str, Any]) -> None:
    """Written whole or not at all, also where the process is killed meanwhile."""
    fresh = directory / f".{JOURNAL}"
    fresh.write_text(json.dumps(journal, indent=1) + "\n")
    os.replace(fresh, directory / JOURNAL)


def seal(file: pathlib.Path, examples: int) -> dict[str, int]:
    """What a shard's entry in the journal is: its examples, its bytes and their CRC-32."""
    return {"examples": examples, "bytes": file.stat().st_size, "crc32": checksum(file)}


def checksum(file: pathlib.Path) -> int:
    """CRC-32 of a file's bytes."""
    value = 0
    with open(file, "rb") as opened:
        while chunk := opened.read(2**22):
            value = zlib.crc32(chunk, value)
    return value


def fault(file: pathlib.Path, entry: Mapping[str, int], *, content: bool) -> str | None:
    """What is wrong with a shard, or None; ``content``: read it all, which takes a second for a GB."""
    if not file.is_file():
        return "is missing"
    if file.stat().st_size != entry["bytes"]:
        return f"has {file.stat().st_size} bytes for {entry['bytes']}"
    return "is damaged" if content and checksum(file) != entry["crc32"] else None


def require_whole(directory: pathlib.Path, split: str, *, content: bool) -> None:
    """Raise InputError naming the first shard of a split that is not as it was written.

    Data sets that ``--mode=prepare`` did not write have no journal, and pass.
    """
    journal = read_journal(directory)
    for name, entry in journal.get("shards", {}).items():
        wrong = fault(directory / name, entry, content=content) if entry["split"] == split else None
        if wrong:
            raise damaged(directory, name, wrong)


def damaged(directory: pathlib.Path, name: str, wrong: str) -> InputError:
    """The error of a shard that cannot be read, with the command that makes it again."""
    made_from = read_journal(directory).get("made_from")
    remedy = (
        f"make it again: {prepare_command(made_from, directory)}" if made_from else "prepare the data again"
    )
    return InputError("data shard", str(directory / name), f"a file as it was written: it {wrong}", remedy)


def prepare_command(made_from: Mapping[str, Any], directory: pathlib.Path) -> str:
    """The command line that makes a data set from ``from``, ``resolution``, ``channels`` and ``crop``."""
    options = {
        "mode": "prepare",
        "from": made_from["from"],
        "to": str(directory),
        "resolution": made_from["resolution"],
        "channels": made_from["channels"],
        "crop": made_from.get("crop"),
    }
    given = [f"--{name}={shlex.quote(str(value))}" for name, value in options.items() if value is not None]
    return " ".join(["python -m score_sde.main", *given])
