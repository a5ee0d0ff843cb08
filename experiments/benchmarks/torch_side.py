"""The PyTorch side of ``networks.py``: a network and what trains it, timed on demand.

Run by ``networks.py`` with a Python that has torch, and diffusers for U-Nets. The argument is a network as
JSON. It writes its facts, and then for every line, the name of an action, the seconds that one took: JSON, a
line each.
"""

from __future__ import annotations

import copy
import json
import sys
import time
from typing import Any

import torch
from torch.utils.flop_counter import FlopCounterMode


def build(size: dict[str, Any]) -> Any:
    """The network of that name."""
    if size["network"] == "dit":
        from torch_dit import DiT as Network
    else:
        from torch_unet import UNet as Network  # needs diffusers
    return Network(**size)


class Training:
    """The network, Adam and an exponential moving average."""

    def __init__(self, size: dict[str, Any]) -> None:
        self.device, self.arithmetic, self.calls = size["device"], size["arithmetic"], size["calls"]
        self.network = build(size).to(self.device)
        if self.device == "cuda":
            self.network = self.network.to(memory_format=torch.channels_last)
        self.average = copy.deepcopy(self.network).requires_grad_(False)
        self.optimizer = torch.optim.Adam(self.network.parameters(), lr=2e-4, fused=True)
        side, _, channels = size["shape"]
        self.shape = (size["batch"], channels, side, side)
        self.run = torch.compile(self.network) if size["mode"] == "compile" else self.network
        self.actions = {"step": self.step, "evaluate": self.evaluate}
        for name, (part, x) in self.network.parts(size["batch"]).items():
            self.actions |= self.part(name, part, x.to(self.device))

    def step(self) -> None:
        """Forward, backward, Adam, average."""
        self.network.train()
        clean, noise, labels = self.rand(*self.shape), self.noise(), 999 * self.rand(self.shape[0])
        self.optimizer.zero_grad(set_to_none=True)
        with self.cast():
            loss = (self.run(0.6 * clean + 0.8 * noise, labels) - noise).square().mean()
        loss.backward()
        self.optimizer.step()
        with torch.no_grad():
            torch._foreach_lerp_(list(self.average.parameters()), list(self.network.parameters()), 1e-4)

    def evaluate(self) -> None:
        """The network on a batch, without gradients."""
        self.network.eval()
        with torch.no_grad(), self.cast():
            self.run(self.noise(), 999 * self.rand(self.shape[0]))

    def part(self, name: str, module: Any, x: torch.Tensor) -> dict[str, Any]:
        """What evaluates a part of the network, and what takes its gradient, to its input as well."""

        def evaluate() -> None:
            with torch.no_grad(), self.cast():
                module(x)

        def gradient() -> None:
            with self.cast():
                loss = module(x.requires_grad_()).square().mean()
            torch.autograd.grad(loss, [x, *module.parameters()])

        return {name: evaluate, f"{name}_gradient": gradient}

    def time(self, action: str) -> float:
        """Seconds a call: wall time of some, to the end of their computations, over their number."""
        function = self.actions[action]
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
