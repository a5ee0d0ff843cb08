"""Every configuration builds, and its network has the published number of parameters.

Expected: tests/data/param_counts.json, counted in the original implementations. Nothing is allocated.
"""

import functools
import json

import jax
import pytest
from config_files import experiment, load, names, text_of

from score_sde.networks.base import count, initialise

DIGITS = {"digits", "digits_autoencoder", "digits_classifier", "digits_conditional", "digits_few_step"}
WITH_POSITIONS = {  # which are kept and not trained
    "digits_dit",
    "digits_latent_dit",
    "fashion_mnist_dit",
    "fashion_mnist_latent_dit",
}
OURS = {*DIGITS, "digits_reversible", "fashion_mnist", "fashion_mnist_autoencoder", "patches"}  # no paper's
EDM = {
    "edm/cifar10_uncond_vp": "cifar10-32 ddpmpp label_dim=0 augment_dim=9 channel_mult=2,2,2",
    "edm/cifar10_cond_vp": "cifar10-32 ddpmpp label_dim=10 augment_dim=9 channel_mult=2,2,2",
    "edm/cifar10_uncond_ve": "cifar10-32 ncsnpp label_dim=0 augment_dim=9 channel_mult=2,2,2",
    "edm/cifar10_cond_ve": "cifar10-32 ncsnpp label_dim=10 augment_dim=9 channel_mult=2,2,2",
    "edm/ffhq_64_vp": "ffhq/afhq-64 ddpmpp label_dim=0 augment_dim=9 channel_mult=1,2,2,2",
    "edm/ffhq_64_ve": "ffhq/afhq-64 ncsnpp label_dim=0 augment_dim=9 channel_mult=1,2,2,2",
    "edm/afhqv2_64_vp": "ffhq/afhq-64 ddpmpp label_dim=0 augment_dim=9 channel_mult=1,2,2,2",
    "edm/afhqv2_64_ve": "ffhq/afhq-64 ncsnpp label_dim=0 augment_dim=9 channel_mult=1,2,2,2",
    "edm/imagenet_64": "imagenet-64 adm label_dim=1000 augment_dim=0",
}
ADM = {
    "adm/imagenet_64": "unet 64 cond",
    "adm/imagenet_128": "unet 128 cond",
    "adm/imagenet_256": "unet 256 cond",
    "adm/imagenet_256_unconditional": "unet 256 uncond",
    "adm/imagenet_512": "unet 512 cond",
    "adm/imagenet_64_classifier": "classifier 64",
    "adm/imagenet_128_classifier": "classifier 128",
    "adm/imagenet_256_classifier": "classifier 256",
    "adm/imagenet_512_classifier": "classifier 512",
    "adm/imagenet_64_to_256": "upsampler 64->256",
    "adm/imagenet_128_to_512": "upsampler 128->512",
    # LSUN's networks have the options of the unconditional one (README of guided-diffusion)
    **dict.fromkeys(
        ["adm/lsun_bedroom", "adm/lsun_cat", "adm/lsun_horse", "adm/lsun_horse_no_dropout"],
        "unet 256 uncond",
    ),
}
LATENTS = "({0}x{0}x4 latent), 1000 classes, learn_sigma"
DIT = {
    "dit/imagenet_256": f"DiT-XL/2 256px {LATENTS.format(32)}",
    "dit/imagenet_512": f"DiT-XL/2 512px {LATENTS.format(64)}",
    "sit/imagenet_256": f"DiT-XL/2 256px {LATENTS.format(32)}",
}
# DDPM++ that is told log sigma by as many Fourier features as NCSN++ is: the first product of the embedding
# has 256 inputs for 128, so 128 * 512 more parameters than the network that is told the time.
ADDED = {
    "ve/cifar10_ddpmpp": ("vp/cifar10_ddpmpp", 0),
    "ve/cifar10_ddpmpp_continuous": ("vp/cifar10_ddpmpp_continuous", 128 * 512),
    "ve/cifar10_ddpmpp_deep_continuous": ("vp/cifar10_ddpmpp_deep_continuous", 128 * 512),
}
REFINENETS = {name for name in names() if name.startswith(("ve/ncsn/", "ve/ncsnv2/"))}


@pytest.fixture(scope="module")
def published(reference_data):
    return json.loads((reference_data / "param_counts.json").read_text())


@functools.cache
def counted(network, shape, name):
    """By the network's configuration, which many runs share."""
    factory = experiment(name).network
    return count(jax.eval_shape(lambda: initialise(factory, seed=0, shape=shape)))


def counts(name):
    """Trained numbers, and all."""
    return counted(text_of(load(name).network), experiment(name).data.shape, name)


@pytest.mark.parametrize("name", names())
def test_the_count_is_the_published_one(name, published):
    if name in OURS:
        assert counts(name)[0] == counts(name)[1] > 0
    elif name in WITH_POSITIONS:
        assert 0 < counts(name)[0] < counts(name)[1]
    elif name in REFINENETS:
        assert counts(name) == (refinenet(name),) * 2
    elif name in EDM:
        assert counts(name)[0] == published["edm"][EDM[name]]["trainable"]
    elif name in ADM:
        assert counts(name)[0] == published["guided_diffusion"][ADM[name]]["trainable"]
    elif name in DIT:
        told = published["DiT"][DIT[name]]
        assert counts(name) == (told["trainable"], told["total"])
    elif name == "sit/imagenet_512":  # its last layer has no outputs for a variance: 2 * 2 * 4 fewer
        told = published["DiT"][DIT["dit/imagenet_512"]]
        assert counts(name)[1] == told["total"] - 16 * (1152 + 1)
    elif name in ADDED:
        like, more = ADDED[name]
        assert counts(name)[0] == published["score_sde_jax"][like]["total"] + more
    else:
        assert counts(name)[1] == published["score_sde_jax"][name]["total"]
        torch = published["score_sde_pytorch"].get(name)
        assert torch is None or counts(name) == (torch["trainable"], torch["total"])


def test_every_published_configuration_is_here(published):
    assert set(published["score_sde_jax"]) <= set(names())
    assert set(published["score_sde_pytorch"]) <= set(names())
    assert set(published["guided_diffusion"]) == set(ADM.values())
    assert len([name for name in names() if name.startswith(("vp/", "ve/", "subvp/"))]) == 39 + len(ADDED)


# ---------------------------------------------------------------- NCSN and NCSNv2: no published counts
#
# Counted from the papers' descriptions: Song and Ermon 2020, table 3 (the list of blocks and their
# channels), and RefineNet's blocks with the changes of Song and Ermon 2019, appendix A. Convolutions are
# 3 x 3 throughout, those on skips of blocks that do not dilate 1 x 1; those inside refinement have no bias.

TABLE_3 = {  # (channels, dilation) of each pair of residual blocks, and of the refinement blocks
    64: ([(128, 1), (256, 1), (256, 2), (256, 4)], [256, 256, 128, 128]),
    128: ([(128, 1), (256, 1), (256, 1), (512, 2), (512, 4)], [512, 256, 256, 128, 128]),
}


def conv(n_in, n_out, size=3, bias=True):
    return size * size * n_in * n_out + bias * n_out


def residual(n_in, n_out, down, dilation, norm):
    middle = n_in if down else n_out
    skip = conv(n_in, n_out, 3 if dilation > 1 else 1) if down or n_in != n_out else 0
    return norm(n_in) + conv(n_in, middle) + norm(middle) + conv(middle, n_out) + skip


def refine(inputs, width, norm, blocks_after):
    """Residual units of two convolutions, a sum of all inputs, two chained pools, units again."""

    def unit(channels):
        return 2 * (conv(channels, channels, bias=False) + norm(channels))

    adapted = sum(2 * unit(channels) for channels in inputs)
    summed = sum(conv(channels, width) + norm(channels) for channels in inputs) if len(inputs) > 1 else 0
    pooled = 2 * (conv(width, width, bias=False) + norm(width))
    return adapted + summed + pooled + blocks_after * unit(width)


def refinenet(name):
    """From the tables alone; the configuration says only the resolution, NCSN or NCSNv2, and the levels."""
    config, size = load(name), experiment(name).data.shape[0]
    levels = dict(config.network).get("n_levels")
    # InstanceNorm++ has alpha, beta and gamma for each channel, and NCSN's for each level and channel too;
    # NCSNv2's refinement has no norms.
    outer = (lambda n: 3 * n * levels) if levels else (lambda n: 3 * n)
    inner = outer if levels else (lambda n: 0)
    stages, refined = TABLE_3[128 if size == 128 else 64]
    total, channels, outputs = conv(3, 128), 128, []
    for index, (width, dilation) in enumerate(stages):
        total += residual(channels, width, index > 0, dilation, outer)
        total += residual(width, width, False, dilation, outer)
        channels = width
        outputs.append(width)
    below = None
    for index, (own, width) in enumerate(zip(reversed(outputs), refined, strict=True)):
        inputs = [own] if below is None else [own, below]
        total += refine(inputs, width, inner, blocks_after=3 if index == len(refined) - 1 else 1)
        below = width
    return total + outer(128) + conv(128, 3)
