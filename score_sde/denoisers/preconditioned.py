"""Networks as models: behind a preconditioning, or as the score itself."""

from __future__ import annotations

from typing import Any

import jax

from score_sde.arrays import expand, per_example
from score_sde.denoisers.base import Affine, Denoiser, Estimate, Labels, Preconditioning, ScoreModel
from score_sde.denoisers.labels import TimeLabels
from score_sde.errors import InputError
from score_sde.sdes.base import SDE
from score_sde.typing import Array, Batch, Condition, Key, Time


class Preconditioned(Denoiser):
    """D(x, t) = c_skip x + c_out F(c_in x, c_noise, cond), and the other conventions from the same F.

    The network is any callable ``network(x, labels, cond, key=key)`` with ``labels`` of shape
    (batch,): a flax module, an equinox module, or a plain function.
    """

    network: Any
    precondition: Preconditioning

    def __post_init__(self) -> None:
        object.__setattr__(self, "network", _as_pytree("Preconditioned.network", self.network))

    def __call__(self, x: Batch, t: Time, cond: Condition = None, *, key: Key | None = None) -> Batch:
        """E[x_0 | x_t = x]."""
        return self.estimate(x, t, cond, key=key).denoised

    def estimate(self, x: Batch, t: Time, cond: Condition = None, *, key: Key | None = None) -> Estimate:
        """All conventions from one evaluation of the network."""
        t = per_example(t, x)
        c_skip, c_out, c_in, c_noise = self.precondition(self.sde, t)
        output = self.network(expand(c_in, x) * x, c_noise, cond, key=key)

        def combine(pair: Affine) -> Array:
            return expand(pair.skip, x) * x + expand(pair.out, x) * output

        return Estimate(
            combine(Affine(c_skip, c_out)),
            combine(self.precondition.noise(self.sde, t)),
            combine(self.precondition.score(self.sde, t)),
            combine(self.precondition.velocity(self.sde, t)),
        )


class ScoreNetwork(ScoreModel):
    """A network whose output is the score: for processes without a closed kernel.

    ``network(x, labels, cond, key=key)`` as in ``Preconditioned``.
    """

    sde: SDE
    network: Any
    labels: Labels = TimeLabels()

    def __post_init__(self) -> None:
        object.__setattr__(self, "network", _as_pytree("ScoreNetwork.network", self.network))

    def score(self, x: Batch, t: Time, cond: Condition = None, *, key: Key | None = None) -> Batch:
        """network(x, label(t), cond)."""
        return self.network(x, self.labels(self.sde, per_example(t, x)), cond, key=key)


def _as_pytree(where: str, network: Any) -> Any:
    """Let a plain function pass through ``jax.jit`` as part of a model."""
    if not callable(network):
        raise InputError(where, network, "a callable network(x, labels, cond, key=key)")
    if jax.tree_util.all_leaves([network]):
        return jax.tree_util.Partial(network)
    return network
