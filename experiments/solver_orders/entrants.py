"""Who is measured: every predictor of the package, and variants of those that have an order to choose."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from typing import Any

from score_sde import samplers
from score_sde.samplers import Predictor, predictors

TERMS = {"ExponentialMultistep": 4, "DEIS": 4, "AdamsBashforth": 4, "UniPC": 3, "SASolver": 3}


def entrants() -> list[Predictor]:
    """Predictors that move, with their defaults and their other orders."""
    found = [cls() for cls in classes()]
    found += [
        getattr(samplers, name)(terms=terms, **_more(name, terms))
        for name, most in TERMS.items()
        for terms in range(1, most + 1)
    ]
    found += [samplers.DPMSolverPP2M(churn=1.0), samplers.DPMSolverPP3M(churn=1.0)]
    found += [samplers.ExponentialMultistep(terms=terms, churn=1.0) for terms in (2, 3)]
    named = {label(each): each for each in found if each.order > 0}
    return [named[name] for name in sorted(named)]


def _more(name: str, terms: int) -> dict[str, Any]:
    return {"corrector_terms": terms, "churn": 0.0} if name == "SASolver" else {}


def classes() -> list[type[Predictor]]:
    """Every public class of ``score_sde.samplers.predictors``: a new file is found by being there."""
    found = set()
    for info in pkgutil.iter_modules(predictors.__path__):
        module = importlib.import_module(f"{predictors.__name__}.{info.name}")
        for name, member in inspect.getmembers(module, inspect.isclass):
            ours = member.__module__ == module.__name__ and not name.startswith("_")
            if ours and issubclass(member, Predictor) and not inspect.isabstract(member):
                found.add(member)
    return sorted(found, key=lambda cls: cls.__name__)


def label(predictor: Predictor) -> str:
    """Its name and what tells it from its variants."""
    told = [
        f"{field}={getattr(predictor, field)}"
        for field in ("terms", "corrector_terms")
        if hasattr(predictor, field)
    ]
    if hasattr(predictor, "churn"):
        told.append(f"churn={predictor.churn:g}")
    return f"{type(predictor).__name__}({', '.join(told)})" if told else type(predictor).__name__
