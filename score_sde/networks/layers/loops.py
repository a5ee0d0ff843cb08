"""How the blocks of a reversible tower are held, and gone through there and back."""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
from flax import nnx

Step = Callable[..., tuple[Any, Any]]


class Loop(ABC):
    """Blocks one after the other."""

    @abstractmethod
    def held(self, blocks: Sequence[Any]) -> Any:
        """The blocks as an attribute of a module, whose name its parameters bear."""

    @abstractmethod
    def parts(self, held: Any) -> Any:
        """What the loop goes through, a pytree."""

    @abstractmethod
    def forward(self, step: Step, carry: Any, parts: Any) -> tuple[Any, Any]:
        """``carry, kept = step(carry, block, number)`` for each, the first first; all that was kept."""

    @abstractmethod
    def backward(self, step: Step, carry: Any, parts: Any, kept: Any) -> tuple[Any, Any]:
        """``carry, gradient = step(carry, block, number, kept)``, the last first; gradients as ``parts``."""


@dataclasses.dataclass(frozen=True)
class InLoop(Loop):
    """A loop of the program over parameters that are stacked: one block is compiled, whatever the depth."""

    def held(self, blocks: Sequence[Any]) -> Any:
        """A block whose parameters have a first axis more."""
        return jax.tree.map(lambda *leaves: jnp.stack(leaves), *blocks)

    def parts(self, held: Any) -> Any:
        """It."""
        return held

    def forward(self, step: Step, carry: Any, parts: Any) -> tuple[Any, Any]:
        """A scan."""
        return jax.lax.scan(lambda carry, each: step(carry, *each), carry, _numbered(parts))

    def backward(self, step: Step, carry: Any, parts: Any, kept: Any) -> tuple[Any, Any]:
        """A scan that begins at the end."""
        each = (*_numbered(parts), kept)
        return jax.lax.scan(lambda carry, each: step(carry, *each), carry, each, reverse=True)


@dataclasses.dataclass(frozen=True)
class WrittenOut(Loop):
    """Each block in the program by itself: for convolutions on a CPU.

    XLA's CPU backend compiles the gradients of kernels inside a loop to code that is 20 to 100 times slower.
    """

    def held(self, blocks: Sequence[Any]) -> Any:
        """A list."""
        return nnx.List(blocks)

    def parts(self, held: Any) -> Any:
        """A tuple."""
        return tuple(held)

    def forward(self, step: Step, carry: Any, parts: Any) -> tuple[Any, Any]:
        """All."""
        kept = []
        for number, block in enumerate(parts):
            carry, one = step(carry, block, number)
            kept.append(one)
        return carry, kept

    def backward(self, step: Step, carry: Any, parts: Any, kept: Any) -> tuple[Any, Any]:
        """All; a step begins when the one before is done, or all would be rebuilt before any is let go."""
        gradients: list[Any] = []
        for number, block in reversed(list(enumerate(parts))):
            carry, gradient = step(jax.lax.optimization_barrier(carry), block, number, kept[number])
            gradients.insert(0, gradient)
        return carry, tuple(gradients)


IN_LOOP, WRITTEN_OUT = InLoop(), WrittenOut()


def _numbered(parts: Any) -> tuple[Any, jax.Array]:
    return parts, jnp.arange(len(jax.tree.leaves(parts)[0]))
