"""Handwritten digits: the main job, minutes on two CPU cores.

Data: scikit-learn's 1,797 real 8x8 images, 17 levels (1,300 train, 200 validation, 297 test).
Command: ./launch.sh, or
    python -m score_sde.main --mode=train --config=configs/digits.py --workdir=runs/digits
Model: VP SDE (Song et al. 2021), small U-Net in the manner of DDPM++, noise prediction. Half of the training
times are uniform in log-SNR, which is the likelihood's weighting, and half lie about sigma = alpha, where the
shape of a sample is decided: one model then serves both.
Measured here, by ./launch.sh on two CPU cores: 760,289 parameters, 4,000 updates in 229 s (the whole job with
its install 8 min 35 s), 1.874 +- 0.015 bits/dim on the test split, 82 % of samples legible to the judge
(real test digits: 93 %).
"""

from configs.parts import small
from score_sde.config import bind, call
from score_sde.data import Digits
from score_sde.denoisers import LogSNRLabels
from score_sde.divergence import Hutchinson
from score_sde.evaluation.baselines import Gaussian, PixelHistogram, Uniform
from score_sde.experiment import Experiment, LikelihoodPlan
from score_sde.experiment.measures import Distances, Ladder, Legible, Likelihood, Loss, Memorized
from score_sde.integrators import FixedStep, LogSNRNodes, RungeKutta4
from score_sde.likelihood import DequantizedBound, ProbabilityFlow
from score_sde.networks import UNet
from score_sde.samplers import Langevin
from score_sde.sdes import VP

T_MIN = 2.3e-5  # where log-SNR is 13, the largest that the objective trains


def get_config(variant=""):
    """``configs/digits.py``, or ``configs/digits.py:tiny`` for a run of seconds that only shows the way."""
    tiny = small.is_tiny("configs/digits.py", variant)
    steps, judged = (4, 16) if tiny else (4000, 500)
    return call(
        Experiment,
        **small.recipe(labels=call(LogSNRLabels), learning_rate=4e-3, steps=steps),
        data=call(Digits),
        network=bind(
            UNet,
            channels=8 if tiny else 32,
            multipliers=(1, 2),
            blocks=1,
            attention_resolutions=(4,),
            dropout=0.1,
            label_scale=40.0,
        ),
        training=small.plan(
            tiny=tiny,
            steps=steps,
            batch_size=32,
            steps_per_call=20,
            checkpoint_every=400,
            snapshot_every=2000,
        ),
        sampler=small.ancestral(steps=4 if tiny else 100, sigma_min=0.007, corrector=call(Langevin, snr=0.1)),
        measures=(
            call(Loss),
            call(
                Likelihood,
                solver=_flow(4 if tiny else 32),
                refined=_flow(8 if tiny else 64),
                divergence=call(Hutchinson, probes=1),
                t_min=T_MIN,
                n_examples=64 if tiny else None,
            ),
            _ladder(tiny),
            call(Legible, n_samples=judged, judged_by=300 if tiny else None),
            call(Memorized, n_samples=judged),
            call(Distances, n_samples=judged),
        ),
        likelihood=call(
            LikelihoodPlan,
            method=call(
                DequantizedBound,
                density=call(
                    ProbabilityFlow,
                    solver=_flow(4 if tiny else 32),
                    divergence=call(Hutchinson, probes=2),  # two tell their standard error
                    t_min=T_MIN,
                ),
            ),
        ),
        n_samples=8 if tiny else 100,
        sampling_batch=8 if tiny else 100,
    )


def _ladder(tiny):
    """All densities, or those that are fitted in a moment."""
    quick = (call(Uniform), call(PixelHistogram), call(Gaussian))
    return call(Ladder, baselines=quick) if tiny else call(Ladder)


def _flow(n_steps):
    return call(FixedStep, n_steps=n_steps, method=call(RungeKutta4), times=call(LogSNRNodes, sde=call(VP)))
