"""Configurations: data that names Python objects and their arguments.

A configuration is a tree of ``call(Target, **arguments)`` and ``bind(Target, **arguments)``;
``build`` turns it into the objects. A researcher's own ``my_paper.sdes:Mine`` is a target like any
other: there is nothing to register.
"""

from score_sde.config.base import marker
from score_sde.config.build import build, check
from score_sde.config.describe import bind, call
from score_sde.config.files import load_config
from score_sde.config.override import override
from score_sde.config.storage import differences, from_json, to_json

__all__ = [
    "bind",
    "build",
    "call",
    "check",
    "differences",
    "from_json",
    "load_config",
    "marker",
    "override",
    "to_json",
]
