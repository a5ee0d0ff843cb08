"""Handwritten digits with a reversible U-Net: minutes on two CPU cores.

Data: scikit-learn's 1,797 real 8x8 images, 17 levels (1,300 train, 200 validation, 297 test).
Command: python -m score_sde.main --mode=train --config=configs/digits_reversible.py \
    --workdir=runs/digits_reversible
Model: as configs/digits.py, with towers of residual blocks between the changes of resolution, whose
    activations the backward pass rebuilds instead of keeping (docs/reversible.md).
Options: :unrolled is the same U-Net with ordinary towers, which keep all activations.
Measured here: 526,209 parameters; 2.260 +- 0.069 bits/dim after 600 of its updates, ``:unrolled`` 2.294
    +- 0.027 (three seeds, by experiments/reversible), in about two minutes on one of two busy CPU cores. The
    whole run was not measured.
"""

from configs import digits
from score_sde.config import bind, call
from score_sde.errors import InputError
from score_sde.experiment import Experiment
from score_sde.networks import ReversibleUNet
from score_sde.networks.layers import Unrolled


def get_config(variant=""):
    """``configs/digits_reversible.py``, its ``:unrolled``, or ``:tiny`` for a run of seconds."""
    if variant not in ("", "tiny", "unrolled"):
        raise InputError("variant of configs/digits_reversible.py", variant, "tiny, unrolled, or none")
    tiny = variant == "tiny"
    parts = dict(digits.get_config("tiny" if tiny else "").items())
    del parts["target"]
    held = {"layers": call(Unrolled)} if variant == "unrolled" else {}
    parts["network"] = bind(
        ReversibleUNet,
        channels=8 if tiny else 32,
        multipliers=(1, 2),
        blocks=2,
        attention_resolutions=(4,),
        dropout=0.1,
        label_scale=40.0,
        **held,
    )
    return call(Experiment, **parts)
