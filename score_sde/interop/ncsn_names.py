"""How score_sde (in flax) and the authors' PyTorch code name the tensors of NCSN and NCSNv2.

PyTorch: ``res2.0.conv2.conv.weight``, ``refine3.adapt_convs.1.2_1_conv.weight``; flax, which numbers the
modules of each class inside a module: ``ResidualBlock_2.ConvMeanPool_0.Conv_0.kernel``.
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Collection, Iterator
from typing import Any

import numpy as np

from score_sde.interop.base import Layout, Source, Sources
from score_sde.interop.transforms import Transform, conv, identity

FORM = (
    "set refined, which the authors' JAX code has as (2, 2, 2, 1) where PyTorch has (2, 2, 1, 1): "
    "framework among the original's options"
)
HINTS = {
    "*msf.convs*": FORM,
    "*Conditional*": f"the weights are NCSN's: give that network, with n_levels; or {FORM}",
    "*embed*": "the weights are NCSN's: give that network, with n_levels",
    "*MSF*": FORM,
    "*alpha": "set norm to InstanceNormPlus or VarianceNorm",
    "*gamma": "set norm to InstanceNormPlus, VarianceNorm or InstanceNorm",
    "*": "set channels, multipliers, dilations or refined",
}
LEVELS = {6: ("1", "2", "3", "31", "4", "5")}  # what PyTorch calls the levels where it does not count
REFINED = {6: ("1", "2", "31", "3", "4", "5")}


@dataclasses.dataclass(frozen=True)
class Node:
    """A module of the original.

    Attributes:
        kind: its class in flax.
        torch: its name in PyTorch, below that of the module around it.
        path: of our module below the network.
        inside: the modules in it, in the order of flax's calls.
        leaf: ours, where there are none.
    """

    kind: str
    torch: str
    path: str
    inside: tuple[Node, ...] = ()
    leaf: Any = None


def root(network: Any) -> Node:
    """All modules of an ``NCSN`` or an ``NCSNv2``."""
    net, levels = network.net, len(network.net.levels)
    told = net.refine[0].output.norms is not None
    names = LEVELS.get(levels, tuple(str(i + 1) for i in range(levels)))
    refined = REFINED.get(levels, tuple(str(i + 1) for i in range(levels)))
    inside = [_conv(net.first, "begin_conv", "net.first")]
    for index, blocks in enumerate(net.levels):
        for number, block in enumerate(blocks):
            name, path = f"res{names[index]}.{number}", f"net.levels.{index}.{number}"
            inside.append(
                Node(
                    "ConditionalResidualBlock" if told else "ResidualBlock", name, path, _dilated(block, path)
                )
            )
    for index, block in enumerate(net.refine):
        path = f"net.refine.{index}"
        inside.append(
            Node(f"{_cond(told)}RefineBlock", f"refine{refined[index]}", path, _refine(block, path, told))
        )
    inside += [_norm(net.norm, "normalizer", "net.norm"), _conv(net.last, "end_conv", "net.last")]
    return Node("", "", "net", tuple(inside))


def _cond(told: bool) -> str:
    return "Cond" if told else ""


def _conv(module: Any, name: str, path: str) -> Node:
    return Node("Conv", name, path, leaf=module)


def _norm(module: Any, name: str, path: str) -> Node:
    if hasattr(module, "table"):
        kind = "ConditionalInstanceNorm2dPlus"
    elif hasattr(module, "gamma"):
        kind = "InstanceNorm2dPlus"
    else:
        kind = "InstanceNorm2d" if hasattr(module, "bias") else "VarianceNorm2d"
    return Node(kind, name, path, leaf=module)


def _dilated(block: Any, path: str) -> tuple[Node, ...]:
    nodes = [
        _norm(block.norm1, "normalize1", f"{path}.norm1"),
        _conv(block.conv1, "conv1", f"{path}.conv1"),
        _norm(block.norm2, "normalize2", f"{path}.norm2"),
    ]
    ends = [(block.conv2, "conv2"), (block.skip, "skip")]
    for module, ours in ends:
        theirs = "shortcut" if ours == "skip" else ours
        if module is None:
            continue
        if block.halves:
            inner = _conv(module, "conv", f"{path}.{ours}")
            nodes.append(Node("ConvMeanPool", theirs, f"{path}.{ours}", (inner,)))
        else:
            nodes.append(_conv(module, theirs, f"{path}.{ours}"))
    return tuple(nodes)


def _refine(block: Any, path: str, told: bool) -> tuple[Node, ...]:
    cond = _cond(told)
    nodes = []
    for index, units in enumerate(block.adapt):
        ours = f"{path}.adapt.{index}"
        nodes.append(Node(f"{cond}RCUBlock", f"adapt_convs.{index}", ours, _units(units, ours)))
    if block.fuse is not None:
        nodes.append(Node(f"{cond}MSFBlock", "msf", f"{path}.fuse", _chain(block.fuse, f"{path}.fuse")))
    nodes.append(Node(f"{cond}CRPBlock", "crp", f"{path}.chain", _chain(block.chain, f"{path}.chain")))
    output = _units(block.output, f"{path}.output")
    return (*nodes, Node(f"{cond}RCUBlock", "output_convs", f"{path}.output", output))


def _units(units: Any, path: str) -> tuple[Node, ...]:
    nodes = []
    for index, module in enumerate(units.convs):
        name = f"{index // 2 + 1}_{index % 2 + 1}"
        if units.norms is not None:
            nodes.append(_norm(units.norms[index], f"{name}_norm", f"{path}.norms.{index}"))
        nodes.append(_conv(module, f"{name}_conv", f"{path}.convs.{index}"))
    return tuple(nodes)


def _chain(chain: Any, path: str) -> tuple[Node, ...]:
    nodes = []
    for index, module in enumerate(chain.convs):
        if chain.norms is not None:
            nodes.append(_norm(chain.norms[index], f"norms.{index}", f"{path}.norms.{index}"))
        nodes.append(_conv(module, f"convs.{index}", f"{path}.convs.{index}"))
    return tuple(nodes)


def torch_leaves(node: Node, above: str = "") -> Iterator[tuple[Node, str]]:
    """Modules that hold tensors, and their names in PyTorch."""
    for inner in node.inside:
        name = f"{above}{inner.torch}"
        if inner.leaf is not None:
            yield inner, name
        yield from torch_leaves(inner, f"{name}.")


def flax_leaves(node: Node, above: str = "") -> Iterator[tuple[Node, str]]:
    """Modules that hold tensors, and their names in flax."""
    seen: Counter[str] = Counter()
    for inner in node.inside:
        name = f"{above}{inner.kind}_{seen[inner.kind]}"
        seen[inner.kind] += 1
        if inner.leaf is not None:
            yield inner, name
        yield from flax_leaves(inner, f"{name}.")


def flat(w: np.ndarray) -> np.ndarray:
    """One number for each channel, whatever the axes around them."""
    return w.reshape(-1)


def torch_sources(network: Any) -> Sources:
    """Sources of tensors of PyTorch's names."""
    found: Sources = {}
    for node, name in torch_leaves(root(network)):
        if node.kind == "Conv":
            found |= _kernel(node, f"{name}.weight", f"{name}.bias", conv)
        elif hasattr(node.leaf, "table"):
            found[f"{node.path}.table"] = Source((f"{name}.embed.weight",))
        elif node.kind == "VarianceNorm2d":
            found[f"{node.path}.scale"] = Source((f"{name}.alpha",))
        else:
            found |= _arrays(node, name)
    return found


def flax_sources(network: Any) -> Sources:
    """Sources of tensors of flax's names."""
    found: Sources = {}
    for node, name in flax_leaves(root(network)):
        if node.kind == "Conv":
            found |= _kernel(node, f"{name}.kernel", f"{name}.bias", identity)
        elif hasattr(node.leaf, "table"):
            found[f"{node.path}.table"] = Source((f"{name}.Embed_0.embedding",))
        else:
            found |= _arrays(node, name)
    return found


def _kernel(node: Node, kernel: str, bias: str, transform: Transform) -> Sources:
    found = {f"{node.path}.kernel": Source((kernel,), transform)}
    return found if node.leaf.bias is None else found | {f"{node.path}.bias": Source((bias,))}


def _arrays(node: Node, name: str) -> Sources:
    """A norm's arrays, of the same names in ours."""
    held = [array for array in ("alpha", "gamma", "beta", "scale", "bias") if hasattr(node.leaf, array)]
    return {f"{node.path}.{array}": Source((f"{name}.{array}",), flat) for array in held}


def _is_flax(names: Collection[str]) -> bool:
    return any(name.startswith(("RefineBlock_", "CondRefineBlock_")) for name in names)


LAYOUTS = (
    Layout(
        title="NCSN or NCSNv2 of score_sde_pytorch",
        recognises=lambda names: "begin_conv.weight" in names,
        sources=torch_sources,
        ignored=("sigmas",),
        hints=HINTS,
    ),
    Layout(title="NCSN or NCSNv2 of score_sde", recognises=_is_flax, sources=flax_sources, hints=HINTS),
)
