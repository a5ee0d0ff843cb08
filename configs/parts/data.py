"""Data sets, in the units that the papers' models were trained on: [low, 1], without noise."""

from configs.parts.variants import is_tiny
from score_sde.config import call
from score_sde.data import TFDS, Synthetic
from score_sde.dequantization import Rescaled

PREPARED = "data"  # where --mode=prepare is told to write what tensorflow-datasets does not have


def images(variant, *, name, low=-1.0, n_classes=None, tiny=8, **options):
    """A data set of colour images by name; ``tiny`` is the size of the made-up ones in its place."""
    units = call(Rescaled, levels=256, low=low)
    if is_tiny(variant):
        return call(Synthetic, shape=(tiny, tiny, 3), n_classes=n_classes, units=units)
    return call(TFDS, name=name, n_classes=n_classes, units=units, **options)


def cifar10(variant, *, low=-1.0):
    """50,000 + 10,000 images of 32 pixels in ten classes."""
    return images(variant, name="cifar10", low=low, n_classes=10)


def celeba(variant, *, low=-1.0):
    """Faces: the middle 140 pixels, reduced to 64."""
    return images(variant, name="celeb_a", low=low, size=64, crop=140, resampling="bilinear")


def lsun(variant, category, *, low=-1.0, size=256):
    """One category of LSUN: the middle square, reduced."""
    return images(variant, name=f"lsun/{category}", low=low, size=size, resampling="bicubic")


def prepared(variant, name, *, low=-1.0, size, n_classes=None, tiny=8):
    """What ``--mode=prepare --to=data/NAME --resolution=SIZE`` wrote."""
    return images(
        variant, name=name, low=low, data_dir=PREPARED, size=size, n_classes=n_classes, tiny=tiny
    )  # fmt: skip


def imagenet(variant, *, size, resampling="bicubic", tiny=8):
    """ILSVRC 2012: the middle square, reduced; a thousand classes."""
    return images(
        variant, name="imagenet2012", size=size, resampling=resampling, n_classes=1000, tiny=tiny
    )  # fmt: skip
