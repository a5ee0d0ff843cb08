"""A classifier of noisy digits, which guides the models of digits to a class: a minute on two CPU cores.

Data: scikit-learn's 1,797 real 8x8 images in ten classes (1,300 train, 200 validation, 297 test).
Command: python -m score_sde.main --mode=train --config=configs/digits_classifier.py \
    --workdir=runs/digits_classifier
Model: p(label | x_t) under the VP SDE, the classifier of Dhariwal and Nichol 2021 (the encoder of ADM's U-Net
    with attention over its last level) with two resolutions of 32 and 64 channels and one block at each. It
    learns at times uniform in [0, 1]; ``--mode=eval`` measures its accuracy by the amount of noise.
Measured here, by --mode=train and eval of this file: 378,186 parameters, 2,000 updates at some 35 a second;
    right for 99.0 +- 0.6 % of the test digits at t = 0, 84 % at 0.2, 38 % at 0.4, 11 % (chance: 10 %) at 0.8.
Guided by it: configs/digits_conditional.py:classifier_guided, and experiments/guidance.
"""

from configs.parts import small
from score_sde.config import bind, call
from score_sde.data import Digits
from score_sde.denoisers import NoisyClassifier
from score_sde.experiment import Experiment
from score_sde.experiment.measures import Accuracy
from score_sde.networks import ADMClassifier
from score_sde.networks.layers import HeadsOf
from score_sde.objectives import NoisyClassification, Stratified, UniformTimes
from score_sde.sdes import VP
from score_sde.training import ClassLabels, Cosine, WarmupEMA, adam

CLASSES = 10


def get_config(variant=""):
    """``configs/digits_classifier.py``, or ``:tiny`` for a run of seconds that only shows the way."""
    tiny = small.is_tiny("configs/digits_classifier.py", variant)
    steps = 4 if tiny else 2000
    return call(
        Experiment,
        data=call(Digits),
        sde=call(VP),
        network=bind(
            ADMClassifier,
            n_classes=CLASSES,
            channels=32,
            multipliers=(1, 2),
            blocks=1,
            attention_resolutions=(4,),
            dropout=0.1,
            heads=call(HeadsOf, size=32),
        ),
        model=bind(NoisyClassifier),
        objective=call(NoisyClassification, times=call(UniformTimes, batch=call(Stratified))),
        optimizer=call(
            adam,
            learning_rate=1e-3,
            weight_decay=0.05,
            warmup_steps=100,
            clip_norm=1.0,
            schedule=call(Cosine, steps=steps),
        ),
        ema=call(WarmupEMA, decay=0.999),
        training=small.plan(
            tiny=tiny,
            steps=steps,
            batch_size=32,
            steps_per_call=20,
            checkpoint_every=400,
            snapshot_every=2000,
        ),
        condition=call(ClassLabels),
        sampler=None,
        measures=(call(Accuracy, times=(0.0, 0.2, 0.4, 0.6, 0.8)),),
    )
