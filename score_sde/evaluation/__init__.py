"""Measuring models: density baselines, sample metrics, legibility, memorisation, pictures, reports.

Names are imported on first use: scikit-learn and matplotlib take seconds that ``--help`` must not pay.
"""

import importlib
from typing import Any

_NAMES_OF = {
    "baselines": ("BitsPerDim", "ladder", "standard", "strongest"),
    "diameter": ("Diameter", "largest_distance"),
    "distances": (
        "Distance",
        "PrecisionRecall",
        "frechet_distance",
        "frechet_gaussian",
        "mmd_squared",
        "precision_recall",
        "sample_distances",
        "sliced_wasserstein",
    ),
    "legibility": ("Judge", "Legibility", "assess_legibility", "train_judge"),
    "features": ("ClassifierFeatures", "Features", "Inception", "Pixels"),
    "moments": ("Moments", "frechet", "load_moments", "moments_of", "save_moments"),
    "summary": ("Summary",),
    "memorization": ("Memorization", "check_memorization", "nearest_neighbors"),
    "pictures": ("save_animation", "save_comparison", "save_grid", "save_strip"),
    "plots": (
        "save_density",
        "save_histograms",
        "save_ladder",
        "save_neighbor_distances",
        "save_scatter",
        "save_training_curves",
    ),
    "report": ("distances_table", "ladder_table", "table", "to_jsonable", "with_error", "write_json"),
}
_MODULE_OF = {name: module for module, names in _NAMES_OF.items() for name in names}

__all__ = sorted([*_MODULE_OF, *_NAMES_OF])


def __getattr__(name: str) -> Any:
    if name in _NAMES_OF:
        return importlib.import_module(f"{__name__}.{name}")
    if name in _MODULE_OF:
        return getattr(importlib.import_module(f"{__name__}.{_MODULE_OF[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
