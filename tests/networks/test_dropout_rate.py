"""Rates of dropout that are no rates."""

import jax
import jax.numpy as jnp
import pytest

from score_sde.errors import InputError
from score_sde.networks.layers import dropout


@pytest.mark.parametrize("rate", [-0.1, 1.0, 1.5, 0.0005])
def test_an_impossible_rate_is_refused(rate):
    with pytest.raises(InputError, match="dropout"):
        dropout(jax.random.key(0), jnp.ones((2, 2)), rate)
