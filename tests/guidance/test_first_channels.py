"""DiT's and SiT's guidance: ``forward_with_cfg`` of facebookresearch/DiT, in its own order of operations."""

import jax.numpy as jnp
import numpy as np
import pytest

from score_sde import denoisers, guidance, sdes
from score_sde.errors import InputError
from score_sde.interop import dit_denoiser

NULL, SCALE = 7, 4.0


def network(x, labels, cond, key=None):
    """Twice the channels; all depend on x and the class."""
    told = (cond % (NULL + 1)).astype(x.dtype).reshape(-1, 1, 1, 1)
    return jnp.concatenate([0.3 * x + 0.1 * told, jnp.tanh(x - 0.05 * told)], axis=-1)


def forward_with_cfg(x, labels, classes):
    """As theirs: both halves in one batch, three of the channels extrapolated, everything else as it is."""
    both = jnp.concatenate([x, x])
    told = jnp.concatenate([classes, jnp.full_like(classes, NULL)])
    out = network(both, labels, told)
    eps, rest = out[..., :3], out[..., 3:]
    cond, uncond = jnp.split(eps, 2)
    return jnp.concatenate([uncond + SCALE * (cond - uncond), rest[: len(x)]], axis=-1)


def test_guided_as_the_original():
    x = jnp.asarray(np.random.default_rng(0).standard_normal((2, 4, 4, 4)), jnp.float32)
    classes, t = jnp.array([1, 5]), jnp.array([0.3, 0.8])
    model = dit_denoiser({}, network)
    guided = guidance.FirstChannelsClassifierFree.of(model, SCALE, null=NULL)
    estimate, share = guided.estimate_with_range(x, t, classes)
    expected = forward_with_cfg(x, t, classes)
    np.testing.assert_allclose(estimate.noise, expected[..., :4], rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(share, 0.5 * (expected[..., 4:] + 1), rtol=1e-5, atol=1e-5)
    everywhere = guidance.ClassifierFree.of(model, SCALE, NULL).estimate(x, t, classes)
    np.testing.assert_allclose(everywhere.noise[..., :3], estimate.noise[..., :3], rtol=1e-5, atol=1e-5)
    assert jnp.min(jnp.abs(everywhere.noise - estimate.noise)[..., 3]) > 1e-3


def test_one_scale_for_each_example_and_mistakes():
    x, classes = jnp.ones((2, 4, 4, 4)), jnp.array([1, 5])
    model = dit_denoiser({}, network)
    guided = guidance.FirstChannelsClassifierFree.of(model, jnp.array([1.0, SCALE]), null=NULL)
    plain, both = model.estimate(x, 0.5, classes), guided.estimate(x, 0.5, classes)
    np.testing.assert_allclose(both.noise[0], plain.noise[0], rtol=1e-6)
    assert jnp.max(jnp.abs(both.noise[1] - plain.noise[1])) > 0.1
    with pytest.raises(InputError, match="channels = 0: expected a positive count"):
        guidance.FirstChannelsClassifierFree.of(model, 1.5, channels=0)
    exact = denoisers.Gaussian(sde=sdes.VP(), mean=jnp.zeros(2), covariance=jnp.eye(2))
    with pytest.raises(InputError, match="the classes to guide to"):
        guidance.FirstChannelsClassifierFree.of(exact, 1.5).score(jnp.ones((1, 2)), 0.5)
