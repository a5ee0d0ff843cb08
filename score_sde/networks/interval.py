"""Networks that are told where a step ends beside where it begins."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flax import nnx

from score_sde.errors import InputError
from score_sde.networks.conditions import part
from score_sde.networks.layers import LabelEmbedding, Linear
from score_sde.typing import Array, Batch, Condition, Key, PerExample


class Interval(nnx.Module):
    """Any network with a ``LabelEmbedding`` (``UNet``, ``MLP``), told of ``cond["end"]``, a noise label, too.

    What is embedded beside the labels is their difference to the end, as Geng et al. 2025 found best; its
    last layer starts at zero, so that a trained ``network`` begins as what it was, whatever the end.
    ``bind(Interval, network=bind(UNet, channels=32))`` makes one.

    Raises:
        InputError: a network without such an embedding.
    """

    def __init__(self, network: Callable[..., Any], shape: tuple[int, ...], *, rngs: nnx.Rngs) -> None:
        self.network = network(shape=shape, rngs=rngs)
        told: Any = getattr(self.network, "embedding", None)
        if not hasattr(told, "linear1"):
            name = type(self.network).__name__
            raise InputError(
                "Interval.network", name, "a network with a LabelEmbedding", "UNet and MLP have one"
            )
        self.network.embedding = IntervalEmbedding(told, rngs=rngs)

    def __call__(
        self, x: Batch, labels: PerExample, cond: Condition = None, *, key: Key | None = None
    ) -> Batch:
        """(B, *shape), (B,) -> (B, *shape)."""
        return self.network(x, labels, cond, key=key)


class IntervalEmbedding(nnx.Module):
    """A ``LabelEmbedding``, plus W_2 act(W_1 e(labels - end)) of the same features e; W_2 starts at zero."""

    def __init__(self, told: LabelEmbedding, *, rngs: nnx.Rngs) -> None:
        n_features, n_out = told.linear1.kernel.shape
        dtype = told.linear1.dtype
        self.told = told
        self.linear1 = Linear(n_features, n_out, dtype=dtype, rngs=rngs)
        self.linear2 = Linear(n_out, n_out, init_scale=0.0, dtype=dtype, rngs=rngs)

    def __call__(self, labels: Array, cond: Condition = None) -> Array:
        """(B,) labels and what is told -> (B, n_out); without an end the step has no length."""
        end = part(cond, "end")
        gap = labels - (labels if end is None else end)
        features = self.told.embedding(gap).astype(self.linear1.kernel.dtype)
        return self.told(labels, part(cond, "label")) + self.linear2(self.told.act(self.linear1(features)))
