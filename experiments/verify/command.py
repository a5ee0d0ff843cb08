"""From the words of the command line to parts, and what the laws find of them."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from experiments.parts import Changes, built, part
from score_sde import samplers, sdes, verification
from score_sde.config import to_json
from score_sde.errors import InputError
from score_sde.evaluation.report import write_json
from score_sde.verification import Finding

KINDS = {
    "sde": (sdes.SDE, sdes),
    "predictor": (samplers.Predictor, samplers),
    "corrector": (samplers.Corrector, samplers),
}
USUAL = ("VP", "VE", "RectifiedFlow")  # what predictors and correctors are tried on


class Case(NamedTuple):
    """What is held to laws: what it is called, and what its laws find, in the order of asking."""

    title: str
    findings: Iterator[Finding]


def verify(given: Mapping[str, str], changes: Mapping[str, Changes], workdir: Path) -> list[str]:
    """Print what holds and write ``verify.json``; the names of the laws that do not."""
    described = {
        kind: part(kind, _importable(kind, name), *KINDS[kind], changes[kind]) for kind, name in given.items()
    }
    parts = {kind: built(kind, node, KINDS[kind][0]) for kind, node in described.items()}
    rows = []
    for case in _cases(parts):
        print(case.title, flush=True)
        for finding in case.findings:
            print(line(finding), flush=True)
            rows.append({"part": case.title, **finding._asdict()})
    failed = [f"{row['part']}: {row['law']}" for row in rows if not row["holds"]]
    named = {kind: json.loads(to_json(node)) for kind, node in described.items()}
    write_json(workdir / "verify.json", {"parts": named, "laws": rows, "failed": failed})
    print(f"{len(failed)} of {len(rows)} laws do not hold" if failed else f"all {len(rows)} laws hold")
    return failed


def line(finding: Finding) -> str:
    """One line for a law."""
    verdict = "holds" if finding.holds else "FAILS"
    known = not math.isnan(finding.measured)
    number = f": {finding.measured:.3g} (allowed {finding.allowed:g})" if known else ""
    return f"  {verdict}  {finding.law:<20} {finding.told}{number}"


def _cases(parts: Mapping[str, Any]) -> Iterable[Case]:
    tried = [parts["sde"]] if "sde" in parts else [getattr(sdes, name)() for name in USUAL]
    if "sde" in parts:
        yield Case(_name(parts["sde"]), verification.verify_sde(parts["sde"]))
    for kind in ("predictor", "corrector"):
        for sde in tried if kind in parts else ():
            found = getattr(verification, f"verify_{kind}")(parts[kind], sde)
            yield Case(f"{_name(parts[kind])} on {_name(sde)}", found)


def _name(part: Any) -> str:
    return type(part).__name__


def _importable(kind: str, name: str) -> str:
    """``path/to/file.py:Class`` as ``file:Class``, importable from now on; other names as they are."""
    path, _, inside = name.rpartition(":")
    if not path.endswith(".py"):
        return name
    file = Path(path).resolve()
    if not file.is_file():
        raise InputError(f"--{kind}", name, f"a file that exists, with {inside} in it")
    sys.path.insert(0, str(file.parent))
    return f"{file.stem}:{inside}"
