"""DiT-XL/2 on latents of ImageNet of 512 pixels, class-conditional (Peebles and Xie 2023).

Command: python -m score_sde.main --mode=train --config=configs/dit/imagenet_512.py \
    --workdir=runs/dit/imagenet_512
Data: imagenet2012 through a released autoencoder, once, as experiments/latents says: (64, 64, 4)
    for each image.
Published: 675 million parameters (table 4), 3 million updates of 256 (section 5.1). FID with guidance of 1.5
    (:guided): 3.04 (README of the authors' code), 250 steps.
Hardware: not published.
Guided: classifier-free with scale 1.5 on the first three channels; add :guided to the file.
Reversible: towers that rebuild their activations (docs/reversible.md), other weights than the published
    ones; add :reversible to the file.
Differs: the latents are drawn once, and their images are not mirrored; the original encodes every batch anew.
"""

from configs.parts.dit import dit


def get_config(variant=""):
    """The run card's configuration; variants as it and ``configs/parts/transformers.py`` say."""
    return dit(variant, pixels=512, steps=3_000_000)
