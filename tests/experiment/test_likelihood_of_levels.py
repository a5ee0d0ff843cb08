"""Bits per dimension of a model that was trained on pixels without noise are measured on cells."""

import jax.numpy as jnp
import numpy as np
import pytest
from scipy.stats import norm

from score_sde.data.base import ArraySource, Dataset
from score_sde.denoisers import Gaussian
from score_sde.dequantization import Rescaled
from score_sde.divergence import ExactDivergence
from score_sde.errors import InputError
from score_sde.experiment.measures import Likelihood, Subject
from score_sde.integrators import FixedStep, RungeKutta4
from score_sde.sdes import VP
from score_sde.training import Unconditional

LEVELS, MEAN, STD = 8, 0.5, 0.6


class Levels(Dataset):
    """One pixel of eight levels in [0, 1], as the VE models of Song et al. 2021 have them."""

    def __init__(self, count):
        x = np.random.default_rng(0).integers(0, LEVELS, (count, 1))
        super().__init__(
            shape=(1,), units=Rescaled(levels=LEVELS, low=0.0), splits={"test": ArraySource(x=x)}
        )


def bits(tmp_path, count, **options):
    model = Gaussian(sde=VP(beta_max=40.0), mean=jnp.full(1, MEAN), covariance=STD**2 * jnp.eye(1))
    solver = FixedStep(n_steps=100, method=RungeKutta4())
    measure = Likelihood(
        solver=solver, refined=solver, divergence=ExactDivergence(), batch_size=500, **options
    )
    parts = {"objective": None, "draw": None, "folder": tmp_path, "seed": 0, "condition": Unconditional()}
    values = measure(Subject(model=model, data=Levels(count), report=lambda line: None, **parts)).values
    return values["bits_per_dim"], values["bits_per_dim_stderr"]


@pytest.mark.usefixtures("x64")
def test_bits_are_those_of_pixels_spread_over_their_cells(tmp_path):
    """-log2 of the density at (n + u) / 8 over 8, by scipy; at n / 7, where it was trained, it is another."""
    u = (np.arange(1000) + 0.5) / 1000
    raw = Levels(2000).split("test").arrays()["x"]
    law = norm(MEAN, STD)
    expected = np.mean(-(law.logpdf((raw + u) / LEVELS) - np.log(LEVELS)) / np.log(2))
    trained = np.mean(-(law.logpdf(raw / (LEVELS - 1)) - np.log(LEVELS - 1)) / np.log(2))
    found, _ = bits(tmp_path, 2000)
    assert found == pytest.approx(expected, abs=0.02)
    assert trained != pytest.approx(expected, abs=0.1)


@pytest.mark.usefixtures("x64")
def test_the_first_examples_alone(tmp_path):
    few, error = bits(tmp_path, 2000, n_examples=100)
    assert (few, error) == bits(tmp_path, 100)
    with pytest.raises(InputError, match=r"Likelihood\.n_examples = 1"):
        Likelihood(n_examples=1)
