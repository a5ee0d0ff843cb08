"""What the runs of DiT (Peebles and Xie 2023) and SiT (Ma et al. 2024) have in common.

A variant is words with ``_`` between them: the size (``s``, ``b``, ``l``, ``xl``) and the patch (2, 4, 8),
then whatever ``configs/parts/variants.py`` and the run card say: ``configs/dit/imagenet_256.py:b_4_guided``.
"""

from configs.parts.measures import INCEPTION, loss
from configs.parts.variants import is_tiny, pick
from score_sde.config import bind, call
from score_sde.data import Latents, Synthetic
from score_sde.dequantization import Rescaled
from score_sde.errors import InputError
from score_sde.experiment import Experiment
from score_sde.experiment.inception import decoded_inception
from score_sde.experiment.measures import Frechet
from score_sde.guidance import FirstChannelsClassifierFree
from score_sde.networks.layers import Reversible
from score_sde.samplers import Transformed
from score_sde.training import ClassLabels, ConstantEMA, Plan, adam

SIZES = {"s": (384, 12, 6), "b": (768, 12, 12), "l": (1024, 24, 16), "xl": (1152, 28, 16)}
PATCHES = ("2", "4", "8")
CLASSES = 1000
AUTOENCODER = (
    "data/sd-vae-ft-ema.safetensors"  # diffusion_pytorch_model.safetensors of stabilityai/sd-vae-ft-ema
)


def words(variant, *known):
    """The words of a variant: its size and patch (xl and 2 where there are none), and a set of the others."""
    said = variant.split("_") if variant else []
    sizes, patches = [w for w in said if w in SIZES], [w for w in said if w in PATCHES]
    others = [w for w in said if w not in (*sizes, *patches)]
    known = ("fid", "guided", "reversible", *known)
    alone = said == ["tiny"]
    if not alone and (len(sizes) > 1 or len(patches) > 1 or not set(others) <= set(known)):
        first = f"after a size ({', '.join(SIZES)}) and a patch ({', '.join(PATCHES)})"
        expected = (
            f"one of tiny, {', '.join(known)}, {first}, with _ between them; tiny stands alone; or none"
        )
        raise InputError("variant", variant, expected)
    return sizes[0] if sizes else "xl", int(patches[0]) if patches else 2, set(others)


def updates(size, patch, longest):
    """How long it was trained: XL/2 for the published samples, the other sizes to compare them."""
    return longest if (size, patch) == ("xl", 2) else 400_000


def backbone(kind, variant, *, size, patch, outputs=2):
    """DiT or SiT of a published size, perhaps reversible; the small one has two blocks of 32 channels."""
    width, depth, heads = pick(variant, SIZES[size], (32, 2, 2))
    held = {"layers": call(Reversible)} if "reversible" in variant.split("_") else {}
    return bind(
        kind, patch=patch, width=width, depth=depth, heads=heads, n_classes=CLASSES, outputs=outputs, **held
    )


def run(variant, *, pixels, steps, others, sampler, **parts):
    """An experiment on latents of ImageNet; guided by 1.5 where the variant says so."""
    data = latents(variant, pixels)
    if "guided" in others:
        change = bind(FirstChannelsClassifierFree.of, scale=1.5, null=CLASSES)
        sampler = call(Transformed, change=change, sampler=sampler)
    fields, distance = fid(pixels) if "fid" in others else ({}, ())
    defaults = {
        "data": data,
        "optimizer": call(adam, learning_rate=1e-4, clip_norm=None),
        "ema": call(ConstantEMA, decay=0.9999),
        "condition": call(ClassLabels, drop=0.1),
        "training": plan(variant, steps=steps),
        "sampler": sampler,
        "measures": (loss(variant, data, split="validation"), *distance),
        "n_samples": pick(variant, 64, 4),
        "sampling_batch": pick(variant, 16, 4),
    }
    return call(Experiment, **defaults | fields | parts)


def latents(variant, pixels):
    """ImageNet as ``experiments/latents`` wrote it: 4 channels, an eighth of the pixels along each side."""
    if is_tiny(variant):
        units = call(Rescaled, levels=256)
        return call(Synthetic, shape=(8, 8, 4), n_classes=CLASSES, units=units)
    side = pixels // 8
    return call(Latents, path=f"data/imagenet_{pixels}_latents", shape=(side, side, 4), n_classes=CLASSES)


def fid(pixels):
    """FID of decoded samples against the statistics of the images, which ADM's configuration writes."""
    features = call(decoded_inception, path=INCEPTION, autoencoder=AUTOENCODER, size=pixels)
    statistics = f"runs/data/imagenet_{pixels}/inspect/statistics.npz"
    measure = call(Frechet, statistics=statistics, features=features, n_samples=50_000)
    return {"features": features}, (measure,)


def plan(variant, *, steps):
    """Batches of 256, and checkpoints as often as theirs."""
    if is_tiny(variant):
        return call(Plan, steps=2, batch_size=4, log_every=1, checkpoint_every=2, snapshot_every=2)
    return call(
        Plan,
        steps=steps,
        batch_size=256,
        log_every=100,
        checkpoint_every=50_000,
        snapshot_every=50_000,
        keep_every=400_000,
    )
