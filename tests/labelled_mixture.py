"""A mixture whose components belong to classes: p(x), p(x | y) and p(y | x_t), all in closed form."""

import jax
import jax.numpy as jnp
import numpy as np

from score_sde.denoisers import Denoiser, GaussianMixture, NoisyClassifier
from score_sde.networks.conditions import part
from score_sde.pytree import static

WEIGHTS = np.array([0.2, 0.35, 0.15, 0.3])
MEANS = np.array([[-1.2, 0.3], [0.9, -0.5], [0.4, 1.1], [-0.2, -0.9]])
SPREADS = np.array([[[0.09, 0.02], [0.02, 0.05]], [[0.04, 0.0], [0.0, 0.16]]])[[0, 1, 1, 0]]
CLASSES = np.array([0, 1, 0, 2])  # of the components
NULL = 3


def mixture(sde, label=NULL):
    """p(x | label), or p(x)."""
    own = (label == NULL) | (label == CLASSES)
    return GaussianMixture(sde=sde, weights=WEIGHTS[own], means=MEANS[own], covariances=SPREADS[own])


class Exact(Denoiser):
    """E[x_0 | x_t, label], ``laws`` in the order of the labels; the last, or no label, is p(x)."""

    laws: tuple = ()

    @classmethod
    def of(cls, sde):
        return cls(sde=sde, laws=tuple(mixture(sde, label) for label in range(NULL + 1)))

    def __call__(self, x, t, cond=None, *, key=None):
        return self.estimate(x, t, cond, key=key).denoised

    def estimate(self, x, t, cond=None, *, key=None):
        label = part(cond, "label")
        if label is None:
            return self.laws[-1].estimate(x, t)
        found = [law.estimate(x, t) for law in self.laws]
        choose = jax.nn.one_hot(label, len(self.laws), dtype=x.dtype)
        return jax.tree.map(lambda *parts: jnp.einsum("bl,lb...->b...", choose, jnp.stack(parts)), *found)


class Bayes(NoisyClassifier):
    """The exact p(y | x_t), proportional to p(y) p(x_t | y)."""

    network: object = static(max)  # unused
    laws: tuple = ()

    def __post_init__(self):
        """Nothing to check."""

    @classmethod
    def of(cls, sde):
        return cls(sde=sde, laws=tuple(mixture(sde, label) for label in range(NULL)))

    def logits(self, x, t, *, key=None):
        weights = [WEIGHTS[label == CLASSES].sum() for label in range(NULL)]
        pairs = zip(weights, self.laws, strict=True)
        return jnp.stack([np.log(w) + law.log_prob(x, t) for w, law in pairs], axis=1)
