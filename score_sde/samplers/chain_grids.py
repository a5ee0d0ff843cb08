"""Some of the steps of a discrete chain: ADM's ``timestep_respacing``.

After i of N steps of a chain (``sdes.DiscreteVP``) it is t = i T / N; the label that the network is told,
counted from 0, is i - 1. A sampler over some of the steps takes the chain's own transitions between them.
"""

from __future__ import annotations

import jax.numpy as jnp

from score_sde.errors import InputError
from score_sde.pytree import static
from score_sde.samplers.base import Grid
from score_sde.samplers.checks import floating, require_whole
from score_sde.sdes.base import SDE
from score_sde.typing import Array


class Sections(Grid):
    """Evenly spaced steps in each of some equal sections of the chain, and then 0.

    ``Sections()`` in a sampler of 250 steps is ADM's "250"; ``Sections(sections=(10, 10, 30))`` in one of
    50 is "10,10,30" (Nichol and Dhariwal 2021, section 4; the first section is that of least noise).

    Attributes:
        chain: N, the steps that the model was trained at.
        sections: how many steps are taken in each; () means one section with all of them.
    """

    chain: int = static(1000)
    sections: tuple[int, ...] = static(())

    def __post_init__(self) -> None:
        require_whole("Sections.chain", self.chain, 1)
        for count in self.sections:
            require_whole("Sections.sections", count, 1)

    def __call__(self, sde: SDE, n_steps: int, start: Array | float | None = None) -> Array:
        """The times."""
        sections = self.sections or (n_steps,)
        if sum(sections) != n_steps:
            expected = f"counts with the sum n_steps = {n_steps}"
            raise InputError("Sections.sections", sections, expected, "change n_steps or the sections")
        return _times(sde, self.chain, section_steps(self.chain, sections), start)


class Strided(Grid):
    """Every k-th step of the chain from the first, and then 0, with k so that there are ``n_steps``.

    ``Strided()`` in a sampler of 25 steps is ADM's "ddim25" (Song et al. 2021, DDIM, appendix D.2, linear).

    Attributes:
        chain: N, the steps that the model was trained at.
    """

    chain: int = static(1000)

    def __post_init__(self) -> None:
        require_whole("Strided.chain", self.chain, 1)

    def __call__(self, sde: SDE, n_steps: int, start: Array | float | None = None) -> Array:
        """The times."""
        for stride in range(1, self.chain + 1):
            labels = range(0, self.chain, stride)
            if len(labels) == n_steps:
                return _times(sde, self.chain, list(labels), start)
        expected = f"a number of steps that a whole stride through {self.chain} gives"
        raise InputError("n_steps of Strided", n_steps, expected, "use Sections()")


def section_steps(chain: int, sections: tuple[int, ...]) -> list[int]:
    """The labels, from 0 to ``chain`` - 1, of the steps taken.

    The first sections are one step longer where the chain does not divide evenly. Places are added up
    one by one and rounded to even, as ADM's code does, so that ties fall alike.
    """
    size, longer = divmod(chain, len(sections))
    labels, begin = [], 0
    for index, count in enumerate(sections):
        length = size + (index < longer)
        if count > length:
            expected = f"at most {length}, the steps of that section"
            raise InputError("steps in a section of the chain", count, expected, "take fewer")
        stride = (length - 1) / (count - 1) if count > 1 else 1.0
        place = 0.0
        for _ in range(count):
            labels.append(begin + round(place))
            place += stride
        begin += length
    return labels


def _times(sde: SDE, chain: int, labels: list[int], start: Array | float | None) -> Array:
    steps = floating([label + 1 for label in reversed(labels)])
    times = jnp.append(steps * (sde.T / chain), 0)
    return times if start is None else times.at[0].set(start)
