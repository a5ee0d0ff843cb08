"""DiT on latents of ImageNet of 256 pixels, class-conditional (Peebles and Xie 2023).

Command: python -m score_sde.main --mode=train --config=configs/dit/imagenet_256.py \
    --workdir=runs/dit/imagenet_256
Data: imagenet2012 through a released autoencoder, once, as experiments/latents says: (32, 32, 4)
    for each image.
Sizes: XL/2; any other is named after the file, s_2 s_4 s_8 b_2 b_4 b_8 l_2 l_4 l_8 xl_4 xl_8, as in
    configs/dit/imagenet_256.py:b_4, and :b_4_guided and so on.
Published: S 33, B 130, L 458 and XL 675 million parameters (table 4), XL/2 7 million updates of 256, the
    others 400,000. FID of XL/2 with guidance of 1.5 (:guided): 2.27 (README of the authors' code), 250 steps.
Hardware: TPU v3 pods, XL/2 at 5.7 updates a second on 256 chips (section 4).
Guided: classifier-free with scale 1.5 on the first three channels; add :guided to the file. The same
    weights: nothing is trained for it.
Reversible: towers that rebuild their activations (docs/reversible.md), other weights than the published
    ones; add :reversible to the file.
Differs: the latents are drawn once, and their images are not mirrored; the original encodes every batch anew.
"""

from configs.parts.dit import dit


def get_config(variant=""):
    """The run card's configuration; variants as it and ``configs/parts/transformers.py`` say."""
    return dit(variant, pixels=256, steps=7_000_000)
