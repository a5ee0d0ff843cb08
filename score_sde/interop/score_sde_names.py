"""How score_sde_pytorch (commit cb1f359) and score_sde (in flax) name the tensors of DDPM, DDPM++ and NCSN++.

PyTorch numbers all modules, ``all_modules.4.Conv_0.weight``; flax numbers those of each class,
``ResnetBlockBigGANpp_0.Conv_0.kernel``. Inside a module their names agree.
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from typing import Any

import numpy as np

from score_sde.interop.base import Layout, Source, Sources
from score_sde.interop.score_sde_units import Unit, units
from score_sde.interop.transforms import Transform, conv, identity, joined, linear

# The classes of flax's modules; those of blocks and attention differ from network to network.
CLASSES = {
    "fourier": "GaussianFourierProjection",
    "dense": "Dense",
    "conv": "Conv",
    "norm": "GroupNorm",
    "down": "Downsample",
    "up": "Upsample",
    "combine": "Combine",
}
# In this order: where the number of levels is wrong, residual blocks tell, though others are missing too.
HINTS = {
    "GaussianFourierProjection*": "set embedding to SigmaEmbedding, or to PositionalEmbedding",
    "all_modules.0.*": "set embedding to SigmaEmbedding, PositionalEmbedding or None, or channels",
    "Dense_*": "set embedding to PositionalEmbedding or None, or channels",
    "Combine_*": "set progressive_input to InputSkip(), or not",
    "ResnetBlock*": "set blocks, multipliers, channels or how progressive_input combines",
    "AttnBlock*": "set attention_resolutions",
    "*sample_*": "set residual, progressive, progressive_input, resampling or, for DDPM, rescaling",
    "*Conv2d_0.*": "set resampling, residual, progressive_input, progressive, or blocks and multipliers",
    "*": "set blocks, multipliers, attention_resolutions, residual, progressive_input or progressive",
}


@dataclasses.dataclass(frozen=True)
class Dialect:
    """What the two originals call the arrays of a layer, and how they lay them out.

    Attributes:
        kernel: name of a convolution's or linear layer's weights.
        scale: name of a norm's.
        conv: from their convolutions to ours.
        linear: from their linear layers to ours.
        skip: what residual blocks call the layer on the skip, ``"Conv_2"`` or ``"NIN_0"``.
    """

    kernel: str
    scale: str
    conv: Transform
    linear: Transform
    skip: str

    def unit(self, unit: Unit, name: str) -> Sources:
        """Sources of a module of this name."""
        if unit.module is None:
            return {}
        inner: dict[str, Callable[[Any, str, str], Sources]] = {
            "fourier": self._fourier, "dense": self._dense, "conv": self._conv, "norm": self._norm,
            "down": self._resampled, "up": self._resampled, "combine": self._combined, "block": self._block,
            "attention": self._attention,
        }  # fmt: skip
        return inner[unit.kind](unit.module, unit.path, name)

    def _fourier(self, module: Any, path: str, name: str) -> Sources:
        return {f"{path}.frequencies": Source((f"{name}.W",))}

    def _dense(self, module: Any, path: str, name: str) -> Sources:
        return _weights(path, f"{name}.{self.kernel}", f"{name}.bias", self.linear)

    def _conv(self, module: Any, path: str, name: str) -> Sources:
        return _weights(path, f"{name}.{self.kernel}", f"{name}.bias", self.conv)

    def _norm(self, module: Any, path: str, name: str) -> Sources:
        return {
            f"{path}.scale": Source((f"{name}.{self.scale}",)),
            f"{path}.bias": Source((f"{name}.bias",)),
        }

    def _combined(self, module: Any, path: str, name: str) -> Sources:
        return self._conv(module, path, f"{name}.Conv_0")

    def _resampled(self, module: Any, path: str, name: str) -> Sources:
        """With a filter, the class of the convolution is the originals' own."""
        if hasattr(module.resampling, "kernel"):
            return _weights(path, f"{name}.Conv2d_0.weight", f"{name}.Conv2d_0.bias", self.conv)
        return self._conv(module, path, f"{name}.Conv_0")

    def _block(self, module: Any, path: str, name: str) -> Sources:
        found: Sources = {}
        for number in (0, 1):
            found |= self._norm(None, f"{path}.norm{number + 1}", f"{name}.GroupNorm_{number}")
            found |= self._conv(None, f"{path}.conv{number + 1}", f"{name}.Conv_{number}")
        if module.embed is not None:
            found |= self._dense(None, f"{path}.embed", f"{name}.Dense_0")
        if module.skip is None:
            return found
        if self.skip.startswith("NIN"):
            skip = f"{name}.{self.skip}"
            return found | _weights(f"{path}.skip", f"{skip}.W", f"{skip}.b", pointwise)
        return found | self._conv(None, f"{path}.skip", f"{name}.{self.skip}")

    def _attention(self, module: Any, path: str, name: str) -> Sources:
        found = self._norm(None, f"{path}.norm", f"{name}.GroupNorm_0")
        for ours, theirs in (("kernel", "W"), ("bias", "b")):
            names = tuple(f"{name}.NIN_{number}.{theirs}" for number in range(3))
            found[f"{path}.qkv.{ours}"] = Source(names, joined(identity))
            found[f"{path}.out.{ours}"] = Source((f"{name}.NIN_3.{theirs}",))
        return found


def pointwise(w: np.ndarray) -> np.ndarray:
    """A product of channels as a convolution of one pixel: (in, out) -> (1, 1, in, out)."""
    if w.ndim != 2:
        raise ValueError(f"a matrix was expected, not {w.ndim} axes")
    return w[None, None]


def _weights(path: str, kernel: str, bias: str, transform: Transform) -> Sources:
    return {f"{path}.kernel": Source((kernel,), transform), f"{path}.bias": Source((bias,))}


def torch_names(network: Any, first: int = 0) -> Iterator[tuple[Unit, str]]:
    """Each module and its name in PyTorch, numbered from ``first``."""
    listed = (unit for unit in units(network) if unit.listed)
    return ((unit, f"all_modules.{number}") for number, unit in enumerate(listed, first))


def flax_names(network: Any, classes: dict[str, str]) -> Iterator[tuple[Unit, str]]:
    """Each module and its name in flax; ``classes`` are those of blocks and attention."""
    seen: Counter[str] = Counter()
    for unit in units(network):
        kind = {**CLASSES, **classes}[unit.kind]
        yield unit, f"{kind}_{seen[kind]}"
        seen[kind] += 1


def _torch(title: str, skip: str, block: tuple[int, ...], unused: int | None = None) -> Layout:
    """The first residual block has one of the numbers ``block``.

    ``unused``: the network is not told the noise, and so many modules that it does not use come first. Its
    blocks have layers for an embedding all the same.
    """
    dialect = Dialect("weight", "weight", conv, linear, skip)
    ignored = ("sigmas",) if unused is None else ("sigmas", "all_modules.0.W", "*.Dense_0.*")

    def recognises(names: Collection[str]) -> bool:
        first = next((n for n in range(5) if f"all_modules.{n}.GroupNorm_0.weight" in names), None)
        return first in block and _any(names, ".Conv_2.weight") == (skip == "Conv_2")

    def sources(network: Any) -> Sources:
        found: Sources = {}
        for unit, name in torch_names(network, unused or 0):
            found |= dialect.unit(unit, name)
        return found

    return Layout(
        title=f"{title} of score_sde_pytorch", recognises=recognises, sources=sources, ignored=ignored,
        hints=HINTS,
    )  # fmt: skip


def _flax(title: str, block: str, attention: str, skip: str) -> Layout:
    dialect = Dialect("kernel", "scale", identity, identity, skip)

    def recognises(names: Collection[str]) -> bool:
        return any(name.startswith(f"{block}_") for name in names)

    def sources(network: Any) -> Sources:
        found: Sources = {}
        for unit, name in flax_names(network, {"block": block, "attention": attention}):
            found |= dialect.unit(unit, name)
        return found

    return Layout(
        title=f"{title} of score_sde", recognises=recognises, sources=sources,
        ignored=("GaussianFourierProjection_0.W",),  # unused where the network is not told the noise
        hints=HINTS,
    )  # fmt: skip


def _any(names: Collection[str], end: str) -> bool:
    return any(name.endswith(end) for name in names)


PLUS = "DDPM++ or NCSN++ with blocks of BigGAN"
PLAIN = "DDPM++ or NCSN++ with blocks of DDPM"
LAYOUTS = (
    *(
        _torch(title, skip, block, unused)
        for title, skip in ((PLUS, "Conv_2"), (f"DDPM, or {PLAIN}", "NIN_0"))
        for block, unused in (((3, 4), None), ((1,), 0), ((2,), 1))
    ),
    _flax(PLUS, "ResnetBlockBigGANpp", "AttnBlockpp", "Conv_2"),
    _flax(PLAIN, "ResnetBlockDDPMpp", "AttnBlockpp", "NIN_0"),
    _flax("DDPM", "ResnetBlockDDPM", "AttnBlock", "NIN_0"),
)
