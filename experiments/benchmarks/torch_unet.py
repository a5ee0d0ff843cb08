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
        self.device, self.arithmetic, self.calls = size["device"], size["arithmetic"], size["calls"]
        self.network = build(size).to(self.device)
        if self.device == "cuda":
            self.network = self.network.to(memory_format=torch.channels_last)
        self.average = copy.deepcopy(self.network).requires_grad_(False)
        self.optimizer = torch.optim.Adam(self.network.parameters(), lr=2e-4, fused=True)
        self.shape = (size["batch"], 3, size["resolution"], size["resolution"])
        self.run = torch.compile(self.network) if size["mode"] == "compile" else self.network

    def step(self) -> None:
        """Forward, backward, Adam, average."""
        self.network.train()
        clean, noise, labels = self.rand(*self.shape), self.noise(), 999 * self.rand(self.shape[0])
        self.optimizer.zero_grad(set_to_none=True)
        with self.cast():
            loss = (self.run(0.6 * clean + 0.8 * noise, labels).sample - noise).square().mean()
        loss.backward()
        self.optimizer.step()
        with torch.no_grad():
            torch._foreach_lerp_(list(self.average.parameters()), list(self.network.parameters()), 1e-4)

    def evaluate(self) -> None:
        """The network on a batch, without gradients."""
        self.network.eval()
        with torch.no_grad(), self.cast():
            self.run(self.noise(), 999 * self.rand(self.shape[0]))

    def time(self, action: str) -> float:
        """Seconds a call: wall time of some, to the end of their computations, over their number."""
        function = {"step": self.step, "evaluate": self.evaluate}[action]
        self.wait()
        began = time.perf_counter()
        for _ in range(self.calls):
            function()
        self.wait()
        return (time.perf_counter() - began) / self.calls

    def wait(self) -> None:
        """Until the device has computed all that it was given."""
        if self.device == "cuda":
            torch.cuda.synchronize()

    def cast(self) -> Any:
        """The arithmetic of the network's products."""
        return torch.autocast(self.device, dtype=torch.bfloat16, enabled=self.arithmetic == "bfloat16")

    def rand(self, *shape: int) -> torch.Tensor:
        """Uniform in [0, 1)."""
        return torch.rand(shape, device=self.device)

    def noise(self) -> torch.Tensor:
        """Standard normal images."""
        noise = torch.randn(self.shape, device=self.device)
        return noise.to(memory_format=torch.channels_last) if self.device == "cuda" else noise

    def facts(self) -> dict[str, Any]:
        """What is compared."""
        counter = FlopCounterMode(display=False)
        with counter, torch.no_grad():  # the network itself: a compiled one hides its operations
            self.network(self.noise(), 999 * self.rand(self.shape[0]))
        return {
            "torch": torch.__version__,
            "device": torch.cuda.get_device_name() if self.device == "cuda" else "cpu",
            "parameters": sum(parameter.numel() for parameter in self.network.parameters()),
            "gflop_per_evaluation": counter.get_total_flops() / 1e9,
        }


def main() -> None:
    size = json.loads(sys.argv[1])
    torch.set_num_threads(size["threads"])
    torch.manual_seed(0)
    rounds = size["arithmetic"] != "float32"  # to TF32: what is left in float32 beside bfloat16, as in JAX
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = rounds
    torch.backends.cudnn.benchmark = True
    training = Training(size)
    print(json.dumps(training.facts()), flush=True)
    for line in sys.stdin:
        print(json.dumps(training.time(line.strip())), flush=True)


if __name__ == "__main__":
    main()
