"""DDPM++ as nearly as diffusers has it: what ``networks.py`` is held against."""

from __future__ import annotations

from typing import Any

import torch
from diffusers import UNet2DModel
from torch import nn


class UNet(nn.Module):
    """Blocks that resample, one head, attention at the same sizes."""

    def __init__(self, **size: Any) -> None:
        super().__init__()
        resolution, channels = size["shape"][0], size["channels"]
        sizes = [resolution >> level for level in range(len(size["multipliers"]))]
        attended = [at in size["attention_resolutions"] for at in sizes]
        self.network = UNet2DModel(
            sample_size=resolution,
            block_out_channels=tuple(channels * m for m in size["multipliers"]),
            layers_per_block=size["blocks"],
            down_block_types=tuple("AttnDownBlock2D" if yes else "DownBlock2D" for yes in attended),
            up_block_types=tuple("AttnUpBlock2D" if yes else "UpBlock2D" for yes in reversed(attended)),
            downsample_type="resnet",
            upsample_type="resnet",
            attention_head_dim=channels * max(size["multipliers"]),
            norm_num_groups=min(channels // 4, 32),
            norm_eps=1e-6,
            dropout=size["dropout"],
        )

    def forward(self, x: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """(B, C, H, W), (B,) -> (B, C, H, W)."""
        return self.network(x, labels).sample

    def parts(self, batch: int) -> dict[str, tuple[nn.Module, torch.Tensor]]:
        """None."""
        del batch
        return {}
