"""``score_sde.networks.DiT`` without classes in PyTorch: what ``networks.py`` is held against."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn
from torch.nn import functional

FEATURES = 256  # waves of the noise label


class Attention(nn.Module):
    """Of all tokens to all, by PyTorch's fused kernel."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads, self.qkv, self.out = heads, nn.Linear(width, 3 * width), nn.Linear(width, width)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(B, tokens, width) -> the same."""
        batch, tokens, width = x.shape
        parts = self.qkv(x).view(batch, tokens, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        mixed = functional.scaled_dot_product_attention(*parts.unbind())
        return self.out(mixed.transpose(1, 2).reshape(batch, tokens, width))


class Block(nn.Module):
    """Attention and feed-forward, each shifted, scaled and gated by what it is told."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width, elementwise_affine=False, eps=1e-6)
        self.attention = Attention(width, heads)
        self.mlp = nn.Sequential(
            nn.Linear(width, 4 * width), nn.GELU(approximate="tanh"), nn.Linear(4 * width, width)
        )
        self.modulation = nn.Linear(width, 6 * width)

    def forward(self, x: torch.Tensor, told: torch.Tensor) -> torch.Tensor:
        """(B, tokens, width), (B, width) -> (B, tokens, width)."""
        b1, a1, g1, b2, a2, g2 = self.modulation(told)[:, None].chunk(6, dim=-1)
        x = x + g1 * self.attention(self.norm(x) * (1 + a1) + b1)
        return x + g2 * self.mlp(self.norm(x) * (1 + a2) + b2)


class DiT(nn.Module):
    """Patches, positions, blocks and a head."""

    def __init__(self, shape: list[int], patch: int, width: int, depth: int, heads: int, **rest: Any) -> None:
        super().__init__()
        del rest
        side, _, channels = shape
        self.patch, self.grid, self.channels = patch, side // patch, channels
        self.tokens = nn.Conv2d(channels, width, patch, stride=patch)
        self.register_buffer("positions", torch.randn(1, self.grid**2, width))
        self.mapping = nn.Sequential(nn.Linear(FEATURES, width), nn.SiLU(), nn.Linear(width, width))
        self.blocks = nn.ModuleList(Block(width, heads) for _ in range(depth))
        self.norm = nn.LayerNorm(width, elementwise_affine=False, eps=1e-6)
        self.modulation, self.last = nn.Linear(width, 2 * width), nn.Linear(width, patch**2 * channels)

    def forward(self, x: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """(B, C, H, W), (B,) -> (B, C, H, W)."""
        powers = torch.exp(-9.21 * torch.arange(FEATURES // 2, device=x.device) / (FEATURES // 2))
        angles = labels[:, None] * powers
        told = functional.silu(self.mapping(torch.cat([angles.cos(), angles.sin()], dim=-1)))
        tokens = self.tokens(x).flatten(2).transpose(1, 2) + self.positions
        for block in self.blocks:
            tokens = block(tokens, told)
        shift, scale = self.modulation(told)[:, None].chunk(2, dim=-1)
        out = self.last(self.norm(tokens) * (1 + scale) + shift)
        out = out.view(len(x), self.grid, self.grid, self.patch, self.patch, self.channels)
        return out.permute(0, 5, 1, 3, 2, 4).reshape(x.shape)

    def parts(self, batch: int) -> dict[str, tuple[nn.Module, torch.Tensor]]:
        """The attention and the feed-forward of one block, and the tokens that they are given."""
        block, x = self.blocks[0], torch.randn(batch, self.grid**2, self.last.in_features)
        return {"attention": (block.attention, x), "mlp": (block.mlp, x)}
