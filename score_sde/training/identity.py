"""Whose directory is it: the configuration stored beside the checkpoints, and a lock for its one writer."""

from __future__ import annotations

import fcntl
import json
import os
import pathlib
from collections.abc import Mapping, Sequence
from typing import IO, Any

import jax

from score_sde.errors import InputError

FILE = "config.json"
REMEDY = "choose another --workdir, or go back to the configuration it was made with"


def claim(directory: pathlib.Path, config: Mapping[str, Any], steps: Sequence[int]) -> IO[str]:
    """Make the directory this configuration's and this process's own; returns the lock to keep open.

    The lock is the kernel's: it goes with the process, however that ends.

    Raises:
        InputError: cannot be written, holds another configuration's checkpoints, or is in use.
    """
    try:
        directory.mkdir(parents=True, exist_ok=True)
        lock = open(directory / f".lock_{jax.process_index()}", "a")  # noqa: SIM115 (held until close)
    except OSError as error:
        raise unwritable(directory, error) from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        lock.close()
        expected = "a directory in which no other process trains"
        raise InputError("checkpoints", str(directory), expected, "wait for it or end it") from error
    try:
        check_identity(directory, config, steps)
        if jax.process_index() == 0:
            write_whole(directory / FILE, json.dumps(config, indent=2, sort_keys=True) + "\n")
    except InputError:
        lock.close()
        raise
    return lock


def check_identity(directory: pathlib.Path, config: Mapping[str, Any], steps: Sequence[int]) -> None:
    """Raise InputError where the directory's checkpoints were made with another configuration."""
    file = directory / FILE
    if not steps:
        return
    try:
        stored = json.loads(file.read_text())
    except (OSError, ValueError) as error:
        raise InputError("configuration", str(file), f"readable JSON ({error})", REMEDY) from error
    lines = differences(stored, json.loads(json.dumps(config)))
    if lines:
        expected = f"checkpoints of this configuration (they differ in {'; '.join(lines)})"
        raise InputError("checkpoints", str(directory), expected, REMEDY)


def differences(stored: Any, wanted: Any, path: str = "") -> list[str]:
    """The fields that differ between two nested dictionaries, as ``name: stored there, wanted here``."""
    if isinstance(stored, dict) and isinstance(wanted, dict):
        names = sorted(stored.keys() | wanted.keys())
        pairs = ((f"{path}.{name}".lstrip("."), name) for name in names)
        missing = "(absent)"
        return [
            line
            for full, name in pairs
            for line in differences(stored.get(name, missing), wanted.get(name, missing), full)
        ]
    return [] if stored == wanted else [f"{path}: {stored!r} there, {wanted!r} here"]


def write_whole(file: pathlib.Path, text: str) -> None:
    """Write a file so that a process killed meanwhile leaves the old one or the new one, never half."""
    temporary = file.with_name(f".{file.name}.tmp")
    try:
        temporary.write_text(text)
        os.replace(temporary, file)
    except OSError as error:
        raise unwritable(file, error) from error


def unwritable(path: pathlib.Path, error: OSError) -> InputError:
    """The error of a file or directory that cannot be written."""
    expected = f"a path that can be written ({error.strerror})"
    remedy = "free some space, change its permissions or use another --workdir"
    return InputError("output", str(path), expected, remedy)
