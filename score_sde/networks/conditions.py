"""The parts of a condition: class labels alone, or a dictionary of what a network is told."""

from __future__ import annotations

from collections.abc import Mapping

import jax.numpy as jnp

from score_sde.errors import InputError
from score_sde.typing import Array, Condition

# (B,) class labels; (B, n) augmentation labels; (B, h, w, C) images; (B,) noise labels of where a step ends;
# (B, *space, n) further channels of x
NAMES = ("label", "augment", "low_res", "end", "beside")


def part(cond: Condition, name: str) -> Array | None:
    """What ``cond`` says under ``name``; an array by itself is the class labels.

    Raises:
        InputError: a dictionary with a name that no network knows.
    """
    if not isinstance(cond, Mapping):
        return _whole(cond) if name == "label" else None
    unknown = sorted(set(cond) - set(NAMES))
    if unknown:
        raise InputError("cond", unknown[0], f"one of {', '.join(NAMES)}", "rename the key")
    return _whole(cond.get(name)) if name == "label" else cond.get(name)


def _whole(label: Array | None) -> Array | None:
    if label is not None and not jnp.issubdtype(jnp.asarray(label).dtype, jnp.integer):
        expected, remedy = "integer class labels", "of one-hot rows give jnp.argmax(rows, axis=-1)"
        raise InputError("dtype of cond", jnp.asarray(label).dtype.name, expected, remedy)
    return label


REMEDIES = {
    "label": "n_classes=...",
    "augment": "augment_dim=...",
    "low_res": "a super-resolution network",
    "end": "networks.Interval",
    "beside": "networks.Beside",
}


def require_only(cond: Condition, *names: str, network: str) -> None:
    """Raise InputError if ``cond`` holds something that this network was not built to be told."""
    for name in NAMES:
        if name not in names and part(cond, name) is not None:
            raise InputError(
                f"cond of {network}", name, "nothing of this name", f"build it with {REMEDIES[name]}"
            )
