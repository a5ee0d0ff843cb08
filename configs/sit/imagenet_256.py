"""SiT on latents of ImageNet of 256 pixels, class-conditional (Ma et al. 2024).

Command: python -m score_sde.main --mode=train --config=configs/sit/imagenet_256.py \
    --workdir=runs/sit/imagenet_256
Data: imagenet2012 through a released autoencoder, once, as experiments/latents says: (32, 32, 4)
    for each image.
Sizes: XL/2; any other is named after the file, s_2 s_4 s_8 b_2 b_4 b_8 l_2 l_4 l_8 xl_4 xl_8.
Paths and predictions: linear with velocities; :gvp and :vp are the other paths, :score and :noise the other
    predictions, as in configs/sit/imagenet_256.py:b_2_gvp_score; :ode samples by the probability flow.
Published: 675 million parameters, those of DiT; XL/2 7 million updates of 256, the others 400,000. FID of
    XL/2 with guidance of 1.5 (:guided): 2.06, by the SDE in 250 steps (README of the authors' code).
Hardware: not published.
Guided: classifier-free with scale 1.5 on the first three channels; add :guided to the file.
Reversible: towers that rebuild their activations (docs/reversible.md), other weights than the published
    ones; add :reversible to the file.
Differs: the latents are drawn once, and their images are not mirrored; the original encodes every batch anew.
    The probability flow ends at t = 0.001, where its code ends at 0 for velocities.
"""

from configs.parts.sit import sit


def get_config(variant=""):
    """The run card's configuration; variants as it and ``configs/parts/transformers.py`` say."""
    return sit(variant, pixels=256, steps=7_000_000)
