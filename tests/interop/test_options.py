"""The originals' own options make networks of the published sizes, and denoisers of the published kinds."""

import json
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from score_sde import samplers
from score_sde.denoisers import (
    DDPMPrecondition,
    EDMPrecondition,
    IDDPMPrecondition,
    LearnedRange,
    NoisePrediction,
    NoisyClassifier,
    ScoreTimesStd,
    SMLDPrecondition,
    VEPrecondition,
    VPPrecondition,
)
from score_sde.errors import InputError
from score_sde.interop import options
from score_sde.networks.base import count

COUNTS = json.loads((Path(__file__).parents[1] / "data" / "param_counts.json").read_text())
GUIDED = {name: entry for name, entry in COUNTS["guided_diffusion"].items() if "flags" in entry}
# The flags of the upsamplers are those of the README of openai/guided-diffusion, "Upsampling".
UPSAMPLER = {
    "num_channels": 192, "num_res_blocks": 2, "class_cond": True, "learn_sigma": True,
    "resblock_updown": True, "use_scale_shift_norm": True,
}  # fmt: skip
UPSAMPLERS = {
    "upsampler 64->256": {"large_size": 256, "attention_resolutions": "32,16,8", "num_heads": 4},
    "upsampler 128->512": {"large_size": 512, "attention_resolutions": "32,16", "num_head_channels": 64},
}


def shaped(make, given):
    return jax.eval_shape(lambda: make(given))


@pytest.mark.parametrize("name", COUNTS["score_sde_pytorch"])
def test_fields_of_score_sde_make_the_published_network(name):
    entry = COUNTS["score_sde_pytorch"][name]
    assert count(shaped(options.score_sde_network, entry["cfg"])) == (entry["trainable"], entry["total"])


@pytest.mark.parametrize("name", GUIDED)
def test_flags_of_guided_diffusion_make_the_published_network(name):
    entry = GUIDED[name]
    assert count(shaped(options.guided_diffusion_network, entry["flags"]))[1] == entry["total"]


@pytest.mark.parametrize("name", UPSAMPLERS)
def test_flags_of_upsamplers_make_the_published_network(name):
    network = shaped(options.guided_diffusion_network, {**UPSAMPLER, **UPSAMPLERS[name]})
    assert count(network)[1] == COUNTS["guided_diffusion"][name]["total"]


@pytest.mark.parametrize("classes", [0, 10])
@pytest.mark.parametrize("augmented", [0, 9])
def test_arguments_of_edm_make_the_published_network(classes, augmented):
    given = {
        "model_type": "SongUNet", "img_resolution": 32, "img_channels": 3, "label_dim": classes,
        "augment_dim": augmented, "channel_mult": [2, 2, 2], "encoder_type": "residual",
        "embedding_type": "fourier", "channel_mult_noise": 2, "resample_filter": [1, 3, 3, 1],
    }  # fmt: skip
    name = f"cifar10-32 ncsnpp label_dim={classes} augment_dim={augmented} channel_mult=2,2,2"
    assert count(shaped(options.edm_network, given))[0] == COUNTS["edm"][name]["total"]


@pytest.mark.parametrize(
    ("sde", "continuous", "kind"),
    [
        ("vpsde", True, NoisePrediction),
        ("vpsde", False, DDPMPrecondition),
        ("subvpsde", True, NoisePrediction),
        ("vesde", True, ScoreTimesStd),
        ("vesde", False, SMLDPrecondition),
    ],
)
def test_each_kind_of_training_of_score_sde(sde, continuous, kind):
    given = {"sde": sde, "continuous": continuous, "sigma_max": 348, "beta_max": 15.0}
    model = options.score_sde_denoiser(given, lambda x, labels, cond, key: x)
    assert type(model.precondition) is kind
    end = float(model.sde.sigma(1.0))  # Song et al. 2021: eq. 29 to 31 at t = 1
    decay = np.exp(-0.5 * (0.1 + 15.0) / 2)
    expected = {"vpsde": np.sqrt(1 - decay**2), "subvpsde": 1 - decay**2, "vesde": 348.0}[sde]
    np.testing.assert_allclose(end, expected, rtol=1e-5)


@pytest.mark.parametrize(
    ("name", "size", "scale"),
    [("ncsn", 8, 1.0), ("ncsnv2_64", 8, 100.0), ("ncsnv2_128", 16, 100.0), ("ncsnv2_256", 32, 100.0)],
)
def test_each_refinenet_of_score_sde(name, size, scale):
    """The score is F / sigma, sigma(0) = 0.01; in the first NCSN it is F (Song and Ermon 2019, section 4)."""
    given = {"name": name, "image_size": size, "nf": 4, "num_scales": 10, "sigma_max": 1.0}
    assert shaped(options.score_sde_network, given).shape == (size, size, 3)
    model = options.score_sde_denoiser(given, lambda x, labels, cond, key: x)
    np.testing.assert_allclose(model.score(jnp.ones((1, 2)), 0.0), scale, rtol=1e-5)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("EDMPrecond", EDMPrecondition),
        ("VPPrecond", VPPrecondition),
        ("VEPrecond", VEPrecondition),
        ("iDDPMPrecond", IDDPMPrecondition),
    ],
)
def test_each_preconditioning_of_edm(name, kind):
    tiny = {"img_resolution": 8, "model_channels": 8, "channel_mult": (1,), "num_blocks": 1, "class": name}
    model = options.edm_denoiser(tiny, options.edm_network(tiny, seed=0))
    assert type(model.precondition) is kind
    assert model(jnp.zeros((2, 8, 8, 3)), jnp.ones(2)).shape == (2, 8, 8, 3)


def test_classifiers_and_learned_ranges_of_guided_diffusion():
    tiny = {
        "image_size": 8, "model_channels": 32, "channel_mult": (1,), "num_res_blocks": 1,
        "attention_resolutions": (1,), "num_head_channels": 32, "out_channels": 6, "learn_sigma": True,
    }  # fmt: skip
    model = options.guided_diffusion_denoiser(tiny, options.guided_diffusion_network(tiny, seed=0))
    assert type(model) is LearnedRange
    assert model(jnp.zeros((2, 8, 8, 3)), jnp.ones(2)).shape == (2, 8, 8, 3)
    judge = {**tiny, "cls": "EncoderUNetModel", "pool": "attention", "noise_schedule": "cosine"}
    classifier = options.guided_diffusion_denoiser(judge, options.guided_diffusion_network(judge, seed=0))
    assert type(classifier) is NoisyClassifier
    assert classifier.logits(jnp.zeros((2, 8, 8, 3)), jnp.ones(2)).shape == (2, 6)


@pytest.mark.parametrize(("rescaled", "scale"), [(False, 1), (True, 20)])
def test_labels_of_a_respaced_chain(rescaled, scale):
    """``_WrappedModel`` of respace.py: timestep_map[i], times 1000 / 50 where it is told to.

    ``space_timesteps(50, "10")`` is round(i 49 / 9).
    """
    given = {"diffusion_steps": 50, "rescale_timesteps": rescaled}
    model = options.guided_diffusion_denoiser(given, lambda x, labels, cond, key: labels[:, None] + 0 * x)
    taken = samplers.Sections(chain=50)(model.sde, 10)[:-1]
    told = model.estimate(jnp.zeros((10, 1)), taken).noise[:, 0]
    steps = np.array([49, 44, 38, 33, 27, 22, 16, 11, 5, 0])
    np.testing.assert_allclose(told, scale * steps, atol=1e-3)


@pytest.mark.parametrize(
    ("make", "given", "named"),
    [
        (options.score_sde_network, {"progressive": "output-skip"}, "output_skip"),
        (options.score_sde_network, {"name": "ncsnp"}, "ncsnpp"),
        (options.score_sde_network, {"num_res_block": 2}, "num_res_blocks"),
        (options.score_sde_network, {"normalization": "InstanceNorm++"}, "groupnorm"),
        (options.score_sde_network, {"name": "ncsn", "framework": "tensorflow"}, "pytorch, jax"),
        (options.edm_network, {"model_type": "SongUNet"}, "img_resolution"),
        (options.edm_network, {"img_resolution": 8, "encoder_type": "skipped"}, "skip"),
        (options.guided_diffusion_network, {"image_size": 96}, "256"),
    ],
)
def test_options_that_the_originals_do_not_know(make, given, named):
    with pytest.raises(InputError, match=named):
        make(given)


def test_nothing_is_drawn_until_it_is_asked_for():
    """The published CIFAR-10 network has 61.8 million parameters."""
    network = options.score_sde_network({"embedding_type": "positional"})
    assert all(isinstance(leaf, jax.ShapeDtypeStruct) for leaf in jax.tree.leaves(network))
    with pytest.raises(InputError, match=r"interop\.load"):
        options.score_sde_denoiser({}, network)


def test_a_model_that_was_never_published_is_refused():
    with pytest.raises(InputError, match="scale_by_sigma"):
        options.score_sde_denoiser({"sde": "vesde", "scale_by_sigma": False}, lambda x, labels, cond, key: x)
