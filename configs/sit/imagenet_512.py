"""SiT-XL/2 on latents of ImageNet of 512 pixels, class-conditional (Ma et al. 2024).

Command: python -m score_sde.main --mode=train --config=configs/sit/imagenet_512.py \
    --workdir=runs/sit/imagenet_512
Data: imagenet2012 through a released autoencoder, once, as experiments/latents says: (64, 64, 4)
    for each image.
Published: 675 million parameters, those of DiT, less the outputs that the smaller network does not use. FID
    2.62, with guidance (abstract of arXiv 2401.08740v2).
Hardware: not published.
Guided: classifier-free with scale 1.5 on the first three channels; add :guided to the file.
Reversible: towers that rebuild their activations (docs/reversible.md), other weights than the published
    ones; add :reversible to the file.
Differs: the latents are drawn once, and their images are not mirrored; the original encodes every batch anew.
    How long it was trained is not published with it: as many updates as DiT of this size.
"""

from configs.parts.sit import sit


def get_config(variant=""):
    """The run card's configuration; variants as it and ``configs/parts/transformers.py`` say."""
    return sit(variant, pixels=512, steps=3_000_000, outputs=1)
