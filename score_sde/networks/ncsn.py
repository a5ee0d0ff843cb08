"""The networks of Song and Ermon 2019 and 2020: NCSN and NCSNv2."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
from flax import nnx

from score_sde.errors import InputError
from score_sde.networks.conditions import require_only
from score_sde.networks.layers import (
    BILINEAR,
    DType,
    InstanceNormPlus,
    Interpolation,
    LevelNormPlus,
    RefineNet,
    RefineStyle,
    neighbourhood_max,
    neighbourhood_mean,
    require_example,
    require_shape,
)
from score_sde.typing import Array, Batch, Condition, Key, PerExample

Activation = Callable[[Array], Array]


class NCSN(nnx.Module):
    """The RefineNet of Song and Ermon 2019 (appendix A): all norms depend on the noise level.

    ``labels`` are numbers of noise levels, 0 (the largest) .. n_levels - 1. The output is the score itself.
    There is no dropout.

    Attributes:
        channels: level i has ``channels * multipliers[i]``.
        dilations: of the convolutions of each level; from the second level on, 1 halves the resolution.
        refined: channels of the blocks that put levels together, as multiples of ``channels``, the
            lowest level's first; None: as many as the lowest level has, then those of the level above
            each, as published. The authors' JAX code has (2, 2, 2, 1).
        ddof: 1 for weights of the authors' PyTorch code (see ``InstanceNormPlus``).
        interpolation: ``Bilinear()``, ``Nearest()``, or ``AlignedBilinear()`` for PyTorch's weights.
        input_scale, input_shift: the network sees input_scale x + input_shift: 2 and -1 bring data in
            [0, 1] to the published [-1, 1].

    Raises:
        InputError: multipliers, dilations or refined that do not go together; an axis that cannot be halved
            so often; x not of ``shape``; a condition.
    """

    def __init__(
        self,
        shape: tuple[int, ...] = (32, 32, 3),
        channels: int = 128,
        multipliers: Sequence[int] = (1, 2, 2, 2),
        dilations: Sequence[int] = (1, 1, 2, 4),
        refined: Sequence[int] | None = None,
        n_levels: int = 10,
        act: Activation = jax.nn.elu,
        ddof: int = 0,
        interpolation: Interpolation = BILINEAR,
        input_scale: float = 1.0,
        input_shift: float = 0.0,
        dtype: DType = jnp.float32,
        remat: bool = False,
        *,
        rngs: nnx.Rngs,
    ) -> None:
        self.shape = _checked("NCSN", shape, multipliers, dilations)
        self.input_scale, self.input_shift = input_scale, input_shift
        if n_levels < 1:
            raise InputError("NCSN.n_levels", n_levels, "a positive count", "give that of the noise levels")
        norm = functools.partial(LevelNormPlus, n_levels=n_levels, ddof=ddof)
        style = RefineStyle(
            rank=len(shape) - 1, norm=norm, refine_norm=norm, act=act, pool=neighbourhood_mean,
            interpolation=interpolation, dtype=dtype, remat=remat,
        )  # fmt: skip
        self.net = _net(shape[-1], channels, multipliers, dilations, refined, style, rngs)

    def __call__(
        self, x: Batch, labels: PerExample, cond: Condition = None, *, key: Key | None = None
    ) -> Batch:
        """(B, *shape), (B,) -> (B, *shape), of the dtype of x."""
        require_example("NCSN", x, self.shape)
        require_only(cond, network="NCSN")
        return self.net(self.input_scale * x + self.input_shift, labels).astype(x.dtype)


class NCSNv2(nnx.Module):
    """The RefineNet of Song and Ermon 2020 (appendix A), which is not told the noise.

    The output is sigma times the score: the division belongs to the preconditioning. For 128 pixels
    ``multipliers=(1, 2, 2, 4, 4)`` and ``dilations=(1, 1, 1, 2, 4)``, for 256 ``(1, 2, 2, 2, 4, 4)`` and
    ``(1, 1, 1, 1, 2, 4)``. There is no dropout. The attributes are those of ``NCSN``.

    Attributes:
        norm: ``norm(channels, rngs=rngs)``: ``InstanceNormPlus``, ``VarianceNorm`` or ``InstanceNorm``.

    Raises:
        InputError: multipliers, dilations or refined that do not go together; an axis that cannot be halved
            so often; x not of ``shape``; a condition.
    """

    def __init__(
        self,
        shape: tuple[int, ...] = (32, 32, 3),
        channels: int = 128,
        multipliers: Sequence[int] = (1, 2, 2, 2),
        dilations: Sequence[int] = (1, 1, 2, 4),
        refined: Sequence[int] | None = None,
        act: Activation = jax.nn.elu,
        norm: Callable[..., Any] = InstanceNormPlus,
        interpolation: Interpolation = BILINEAR,
        input_scale: float = 1.0,
        input_shift: float = 0.0,
        dtype: DType = jnp.float32,
        remat: bool = False,
        *,
        rngs: nnx.Rngs,
    ) -> None:
        self.shape = _checked("NCSNv2", shape, multipliers, dilations)
        self.input_scale, self.input_shift = input_scale, input_shift
        style = RefineStyle(
            rank=len(shape) - 1, norm=norm, act=act, pool=neighbourhood_max, interpolation=interpolation,
            dtype=dtype, remat=remat,
        )  # fmt: skip
        self.net = _net(shape[-1], channels, multipliers, dilations, refined, style, rngs)

    def __call__(
        self, x: Batch, labels: PerExample, cond: Condition = None, *, key: Key | None = None
    ) -> Batch:
        """(B, *shape), (B,) -> (B, *shape), of the dtype of x."""
        require_example("NCSNv2", x, self.shape)
        require_only(cond, network="NCSNv2")
        return self.net(self.input_scale * x + self.input_shift, labels).astype(x.dtype)


def _checked(
    where: str, shape: Sequence[int], multipliers: Sequence[int], dilations: Sequence[int]
) -> tuple[int, ...]:
    for name, values in (("multipliers", multipliers), ("dilations", dilations)):
        if not values or min(values) < 1:
            raise InputError(f"{where}.{name}", tuple(values), "positive numbers, one for each level")
    if len(dilations) != len(multipliers):
        raise InputError(f"{where}.dilations", tuple(dilations), f"{len(multipliers)}, one for each level")
    halvings = sum(dilation == 1 for dilation in dilations[1:])
    return require_shape(where, shape, 1 + halvings)


def _net(
    n_image: int,
    channels: int,
    multipliers: Sequence[int],
    dilations: Sequence[int],
    refined: Sequence[int] | None,
    style: RefineStyle,
    rngs: nnx.Rngs,
) -> RefineNet:
    above = [multipliers[max(level - 1, 0)] for level in reversed(range(len(multipliers) - 1))]
    outputs = (multipliers[-1], *above) if refined is None else tuple(refined)
    if len(outputs) != len(multipliers) or outputs[0] != multipliers[-1]:
        expected = f"{len(multipliers)} numbers, one for each level, the first {multipliers[-1]}"
        raise InputError("refined", outputs, expected)
    widths = [channels * m for m in multipliers]
    return RefineNet(n_image, widths, dilations, [channels * m for m in outputs], style, rngs=rngs)
