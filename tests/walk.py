"""Finds every public concrete subclass in the package, so that a new class meets the laws by existing."""

import importlib
import inspect
import pkgutil

import score_sde


def concrete_subclasses(base: type, under: str = "score_sde") -> list[type]:
    """All non-abstract subclasses of ``base`` defined under the package, sorted by name."""
    package = importlib.import_module(under)
    found = set()
    for module_info in pkgutil.walk_packages(package.__path__, prefix=f"{under}."):
        if module_info.name.endswith("__main__"):
            continue
        module = importlib.import_module(module_info.name)
        for _, member in inspect.getmembers(module, inspect.isclass):
            public = not member.__name__.startswith("_") and member.__module__.startswith(score_sde.__name__)
            if issubclass(member, base) and not inspect.isabstract(member) and public:
                found.add(member)
    return sorted(found, key=lambda cls: cls.__name__)
