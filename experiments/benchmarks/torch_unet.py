"""The PyTorch side of ``networks.py``: a U-Net of diffusers, timed on demand.

Run by ``networks.py`` with a Python that has torch and diffusers. The argument is a size as JSON. It writes
its facts, and then for every line ``step`` or ``evaluate`` that it reads the seconds that one took: JSON, a
line each.
"""

from __future__ import annotations

import copy
import json
import sys
import time
from collections.abc import Callable
from typing import Any

import torch
from diffusers import UNet2DModel
from torch.utils.flop_counter import FlopCounterMode


def build(size: dict[str, Any]) -> Any:
    """DDPM++ as nearly as diffusers has it: blocks that resample, one head, attention at the same sizes."""
    sizes = [size["resolution"] >> level for level in range(len(size["multipliers"]))]
    attended = [at in size["attention_resolutions"] for at in sizes]
    return UNet2DModel(
        sample_size=size["resolution"],
        block_out_channels=tuple(size["channels"] * m for m in size["multipliers"]),
        layers_per_block=size["blocks"],
        down_block_types=tuple("AttnDownBlock2D" if yes else "DownBlock2D" for yes in attended),
        up_block_types=tuple("AttnUpBlock2D" if yes else "UpBlock2D" for yes in reversed(attended)),
        downsample_type="resnet",
        upsample_type="resnet",
        attention_head_dim=size["channels"] * max(size["multipliers"]),
        norm_num_groups=min(size["channels"] // 4, 32),
        norm_eps=1e-6,
        dropout=size["dropout"],
    )


class Training:
    """The network, Adam and an exponential moving average."""

    def __init__(self, size: dict[str, Any]) -> None:
        self.network = build(size)
        self.average = copy.deepcopy(self.network).requires_grad_(False)
        self.optimizer = torch.optim.Adam(self.network.parameters(), lr=2e-4, fused=True)
        self.shape = (size["batch"], 3, size["resolution"], size["resolution"])

    def step(self) -> None:
        """Forward, backward, Adam, average."""
        self.network.train()
        clean, noise = torch.rand(self.shape), torch.randn(self.shape)
        labels = 999 * torch.rand(len(clean))
        self.optimizer.zero_grad(set_to_none=True)
        (self.network(0.6 * clean + 0.8 * noise, labels).sample - noise).square().mean().backward()
        self.optimizer.step()
        with torch.no_grad():
            torch._foreach_lerp_(list(self.average.parameters()), list(self.network.parameters()), 1e-4)

    def evaluate(self) -> None:
        """The network on a batch, without gradients."""
        self.network.eval()
        with torch.no_grad():
            self.network(torch.randn(self.shape), 999 * torch.rand(self.shape[0]))

    def facts(self) -> dict[str, Any]:
        """What is compared."""
        counter = FlopCounterMode(display=False)
        with counter:
            self.evaluate()
        return {
            "torch": torch.__version__,
            "parameters": sum(parameter.numel() for parameter in self.network.parameters()),
            "gflop_per_evaluation": counter.get_total_flops() / 1e9,
        }


def seconds(function: Callable[[], Any]) -> float:
    """Wall time of a call."""
    began = time.perf_counter()
    function()
    return time.perf_counter() - began


def main() -> None:
    size = json.loads(sys.argv[1])
    torch.set_num_threads(size["threads"])
    torch.manual_seed(0)
    training = Training(size)
    actions = {"step": training.step, "evaluate": training.evaluate}
    print(json.dumps(training.facts()), flush=True)
    for line in sys.stdin:
        print(json.dumps(seconds(actions[line.strip()])), flush=True)


if __name__ == "__main__":
    main()
