"""Configuration files: Python with a function ``get_config``, and where in them a mistake is."""

from __future__ import annotations

import contextlib
import importlib.util
import inspect
import os
import re
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

from score_sde.config.base import marker
from score_sde.config.nearby import alternatives
from score_sde.errors import InputError


def load_config(given: str) -> Any:
    """The configuration that ``FILE.py`` or ``FILE.py:VARIANT`` returns from ``get_config``.

    A file in a folder with ``__init__.py`` is part of a package: what stands beside it can be imported under
    the package's name (``from configs.parts import ...``) from whatever directory the command is run.
    """
    file, colon, variant = given.rpartition(":") if ".py:" in given else (given, "", "")
    path = Path(file)
    if not path.is_file():
        raise InputError("--config", given, "a Python file", alternatives(path))
    with _reading(file):
        module = _module(path)
        if not callable(getattr(module, "get_config", None)):
            raise InputError(
                "get_config", None, "a function of this name", "it returns call(Experiment, ...)"
            )
        if colon and not inspect.signature(module.get_config).parameters:
            raise InputError("variant", variant, "no variant", "get_config() takes none")
        config = module.get_config(variant) if colon else module.get_config()
    if marker(config) is None:
        raise InputError(
            file, type(config).__name__, "call(...) from get_config()", "return call(Experiment)"
        )
    return config


@contextlib.contextmanager
def _reading(file: str) -> Iterator[None]:
    """Say of every mistake in a configuration file in which line it is."""
    try:
        yield
    except SyntaxError as error:
        place, text = f"{error.filename}:{error.lineno}", (error.text or "").strip()
        raise InputError(place, text, f"valid Python ({error.msg})") from error
    except InputError as error:
        told = _placed(file, error, error.where)
        raise InputError(told, error.value, error.expected, error.remedy) from error
    except Exception as error:
        told, what = _placed(file, error, ""), f"{type(error).__name__}: {error}"
        raise InputError(told, what, "a file that runs", "--verbosity=1 shows the traceback") from error


def _module(path: Path) -> ModuleType:
    """Run a configuration file as a module under its own name, so that its classes can be targets."""
    name = f"config_file_{re.sub(r'[^0-9A-Za-z]', '_', str(path.absolute()))}"
    root = str(_root(path))
    if root not in sys.path:
        sys.path.insert(0, root)
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def _root(path: Path) -> Path:
    """The directory from which the packages around a file are imported; its own if there are none."""
    folder = path.absolute().parent
    while (folder / "__init__.py").is_file():
        folder = folder.parent
    return folder


def _placed(file: str, error: BaseException, where: str) -> str:
    """``where``, after the line of the configuration file that led to the error."""
    frames = traceback.extract_tb(error.__traceback__)
    lines = [f.lineno for f in frames if os.path.exists(f.filename) and os.path.samefile(f.filename, file)]
    return " ".join(filter(None, [f"{file}:{lines[-1]}" if lines else f"{file}:", where]))
