"""The networks that are timed against PyTorch's, and their parts."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
from flax import nnx

from score_sde import networks

DROPOUT = 0.1  # of the U-Nets


@dataclasses.dataclass(frozen=True)
class UNet:
    """DDPM++ beside diffusers' ``UNet2DModel`` of the same size."""

    channels: int
    multipliers: tuple[int, ...]
    blocks: int
    attention_resolutions: tuple[int, ...] = (16,)
    shape: tuple[int, int, int] = (32, 32, 3)

    def make(self, dtype: Any) -> nnx.Module:
        """Ours."""
        options = {name: value for name, value in dataclasses.asdict(self).items() if name != "shape"}
        return networks.NCSNpp(self.shape, dropout=DROPOUT, dtype=dtype, **options, rngs=nnx.Rngs(0))

    @property
    def told(self) -> dict[str, Any]:
        """What PyTorch's side is told."""
        return {"network": "unet", "dropout": DROPOUT, **dataclasses.asdict(self)}

    def parts(self, network: Any, batch: int) -> dict[str, tuple[Callable[..., Any], Any]]:
        """None."""
        del network, batch
        return {}


@dataclasses.dataclass(frozen=True)
class Transformer:
    """DiT without classes beside the same in PyTorch, with fused attention on both sides."""

    width: int
    depth: int
    heads: int
    patch: int
    shape: tuple[int, int, int] = (32, 32, 4)

    def make(self, dtype: Any) -> nnx.Module:
        """Ours."""
        options = {name: value for name, value in dataclasses.asdict(self).items() if name != "shape"}
        return networks.DiT(self.shape, outputs=1, dtype=dtype, **options, rngs=nnx.Rngs(0))

    @property
    def told(self) -> dict[str, Any]:
        """What PyTorch's side is told."""
        return {"network": "dit", **dataclasses.asdict(self)}

    def parts(self, network: Any, batch: int) -> dict[str, tuple[Callable[..., Any], Any]]:
        """The attention and the feed-forward of one block, and the tokens that they are given."""
        tokens = (self.shape[0] // self.patch) * (self.shape[1] // self.patch)
        x = jnp.sin(jnp.arange(batch * tokens * self.width, dtype=jnp.float32))
        x = x.reshape(batch, tokens, self.width)
        block = network.blocks.each[0]
        return {"attention": (block.attention, x), "mlp": (block.mlp, x)}


CONTESTS: dict[str, UNet | Transformer] = {
    "published": UNet(channels=128, multipliers=(1, 2, 2, 2), blocks=4),  # vp/cifar10_ddpmpp_continuous
    "small": UNet(channels=32, multipliers=(1, 2, 2), blocks=2),
    "dit_s_2": Transformer(width=384, depth=12, heads=6, patch=2),
}
