"""Networks that see further channels beside x."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
from flax import nnx

from score_sde.errors import InputError
from score_sde.networks.conditions import part
from score_sde.typing import Array, Batch, Condition, Key, PerExample


class Beside(nnx.Module):
    """Any network, of [x, cond["beside"]] along the channels; its first channels are the output.

    What is beside x is not scaled with the noise: known channels, such as the past of a forecast. The other
    parts of a condition go to the network. ``bind(Beside, network=bind(UNet), channels=2)`` makes one.

    Attributes:
        network: ``(shape=, rngs=)`` -> a network of as many more channels.
        channels: of what is beside.

    Raises:
        InputError: nothing beside x, or of another shape.
    """

    def __init__(
        self, network: Callable[..., Any], shape: tuple[int, ...], channels: int, *, rngs: nnx.Rngs
    ) -> None:
        if channels < 1:
            raise InputError("Beside.channels", channels, "a positive count")
        self.channels = channels
        self.network = network(shape=(*shape[:-1], shape[-1] + channels), rngs=rngs)

    def __call__(
        self, x: Batch, labels: PerExample, cond: Condition = None, *, key: Key | None = None
    ) -> Batch:
        """(B, *space, C), (B,), {"beside": (B, *space, channels)} -> (B, *space, C)."""
        beside = self._beside(x, cond)
        inner = jnp.concatenate([x, beside.astype(x.dtype)], axis=-1)
        return self.network(inner, labels, _others(cond), key=key)[..., : x.shape[-1]]

    def _beside(self, x: Batch, cond: Condition) -> Array:
        beside, shape = part(cond, "beside"), (*x.shape[:-1], self.channels)
        if beside is None or beside.shape != shape:
            found = None if beside is None else beside.shape
            remedy = "give cond={'beside': ...}"
            raise InputError("Beside: shape of cond['beside']", found, f"{shape}", remedy)
        return beside


def _others(cond: Condition) -> Condition:
    rest = {name: value for name, value in cond.items() if name != "beside"} if cond else {}
    return rest or None
