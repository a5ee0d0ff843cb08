"""Networks as models: behind a preconditioning, or as the score itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import jax.numpy as jnp

from score_sde.arrays import expand, per_example
from score_sde.denoisers.base import Affine, Denoiser, Estimate, Labels, Preconditioning, ScoreModel
from score_sde.denoisers.callables import as_pytree
from score_sde.denoisers.ends import END, ending
from score_sde.denoisers.labels import TimeLabels
from score_sde.errors import InputError
from score_sde.sdes.base import SDE
from score_sde.typing import Array, Batch, Condition, Key, PerExample, Time


class Preconditioned(Denoiser):
    """D(x, t) = c_skip x + c_out F(c_in x, c_noise, cond), and the other conventions from the same F.

    The network is any callable ``network(x, labels, cond, key=key)`` with ``labels`` of shape
    (batch,): a flax module, an equinox module, or a plain function.
    """

    network: Any
    precondition: Preconditioning

    def __post_init__(self) -> None:
        object.__setattr__(self, "network", as_pytree("Preconditioned.network", self.network))

    def __call__(self, x: Batch, t: Time, cond: Condition = None, *, key: Key | None = None) -> Batch:
        """E[x_0 | x_t = x]."""
        return self.estimate(x, t, cond, key=key).denoised

    def estimate(self, x: Batch, t: Time, cond: Condition = None, *, key: Key | None = None) -> Estimate:
        """All conventions from one evaluation of the network."""
        return self.read(x, t, self.output(x, t, cond, key=key))

    def output(self, x: Batch, t: Time, cond: Condition = None, *, key: Key | None = None) -> Batch:
        """F(c_in x, c_noise, cond)."""
        _, _, c_in, c_noise = self.precondition(self.sde, per_example(t, x))
        return self.network(expand(c_in, x) * x, c_noise, cond, key=key)

    def read(self, x: Batch, t: Time, output: Batch) -> Estimate:
        """All conventions from what the network said of x at t."""
        if output.shape != x.shape:
            remedy = (
                "give the network as many outputs as x has channels, or take LearnedRange for twice as many"
            )
            raise InputError("shape of the network's output", output.shape, f"{x.shape}, as x has", remedy)
        t = per_example(t, x)
        c_skip, c_out, _, _ = self.precondition(self.sde, t)

        def combine(pair: Affine) -> Array:
            return expand(pair.skip, x) * x + expand(pair.out, x) * output

        return Estimate(
            combine(Affine(c_skip, c_out)),
            combine(self.precondition.noise(self.sde, t)),
            combine(self.precondition.score(self.sde, t)),
            combine(self.precondition.velocity(self.sde, t)),
        )


class LearnedRange(Preconditioned):
    """A network of twice the channels: F, and where a step's variance lies between its two bounds.

    The bounds of the step from t to s are those of x_s given x_t, the variance of the bridge (x_0 known)
    and that of the transition (x_0 from N(0, 1)); the second half of the output, from -1 to 1, says where
    in between the logarithm lies (Nichol and Dhariwal 2021, eq. 15).
    """

    def estimate(self, x: Batch, t: Time, cond: Condition = None, *, key: Key | None = None) -> Estimate:
        """All conventions from the first half of the output."""
        return self.estimate_with_range(x, t, cond, key=key)[0]

    def estimate_with_range(
        self, x: Batch, t: Time, cond: Condition = None, *, key: Key | None = None
    ) -> tuple[Estimate, Batch]:
        """The estimate, and the share of the upper bound in the log variance, 0 .. 1, for each value of x."""
        output = self.output(x, t, cond, key=key)
        if output.shape[-1] != 2 * x.shape[-1]:
            expected = f"twice the {x.shape[-1]} channels of x"
            raise InputError("channels of the network's output", output.shape[-1], expected)
        first, second = jnp.split(output, 2, axis=-1)
        return self.read(x, t, first), 0.5 * (second + 1)


class AverageVelocity(Preconditioned):
    """A network that is told where a step ends: its velocity is the mean of the flow's over the step.

    u(x_t, t, s) = (x_t - x_s) / (t - s) along the probability flow (Geng et al. 2025, eq. 3), read through
    the preconditioning's velocity. The end s is ``cond["end"]`` (``denoisers.ending``), a time; the network
    gets its noise label in the same place. Without an end s = t, where u is the velocity itself: then, and
    only then, the other conventions have their meaning, and the model is a denoiser like any other.
    """

    def output(self, x: Batch, t: Time, cond: Condition = None, *, key: Key | None = None) -> Batch:
        """F(c_in x, c_noise, cond with the noise label of the end)."""
        t = per_example(t, x)
        end = cond[END] if isinstance(cond, Mapping) and END in cond else t
        label = self.precondition(self.sde, per_example(end, x)).c_noise
        return super().output(x, t, ending(cond, label), key=key)


class Dequantizing(Preconditioned):
    """A preconditioned network with a dequantisation flow beside it (``networks.WithDequantization``).

    As a denoiser it is ``Preconditioned``; ``dequantize`` is the law q(u | raw) of variational
    dequantisation, which ``likelihood.LearntNoise`` draws from and ``likelihood.BoundLoss`` trains.
    """

    def __post_init__(self) -> None:
        super().__post_init__()
        if not hasattr(self.network, "dequantize"):
            expected = "a network with a dequantisation flow"
            remedy = "network=bind(networks.WithDequantization, network=bind(...))"
            raise InputError("Dequantizing.network", type(self.network).__name__, expected, remedy)

    def dequantize(self, x: Batch, noise: Batch) -> tuple[Batch, PerExample]:
        """Shares u in (0, 1) of the cells with middles ``x``, from normal noise, and log q(u | x)."""
        return self.network.dequantize(x, noise)


class ScoreNetwork(ScoreModel):
    """A network whose output is the score: for processes without a closed kernel.

    ``network(x, labels, cond, key=key)`` as in ``Preconditioned``.
    """

    sde: SDE
    network: Any
    labels: Labels = TimeLabels()

    def __post_init__(self) -> None:
        object.__setattr__(self, "network", as_pytree("ScoreNetwork.network", self.network))

    def score(self, x: Batch, t: Time, cond: Condition = None, *, key: Key | None = None) -> Batch:
        """network(x, label(t), cond)."""
        return self.network(x, self.labels(self.sde, per_example(t, x)), cond, key=key)
