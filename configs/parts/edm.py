"""What all runs of Karras et al. 2022 have in common (their configuration F), and two of their networks."""

from configs.parts.measures import fid, loss
from configs.parts.variants import is_tiny, pick, require_variant
from score_sde.arrays import sum_per_example
from score_sde.config import bind, call
from score_sde.denoisers import EDMPrecondition, Preconditioned
from score_sde.experiment import Experiment
from score_sde.networks import SongUNet
from score_sde.networks.layers import FIR, FourierEmbedding, InputResidual
from score_sde.objectives import DenoisingScoreMatching, EDMWeighting, LogNormalSigma
from score_sde.samplers import ChurnedHeun, Karras, Sampler, ToZero
from score_sde.sdes import EDM
from score_sde.training import ClassLabels, HalfLifeEMA, Plan, Unconditional, adam
from score_sde.training.augmentations import KarrasAugmentation

AUGMENT_DIM = 9  # labels of the augmentation pipeline that the network is told


def experiment(
    variant, *, name, data, network, training, sampler, n_classes=None, images_of_half_life=0.5e6,
    learning_rate, split="train", **parts,
):  # fmt: skip
    """The run; rates and averages are counted in images, as published."""
    require_variant(variant)
    fields, distance = fid(variant, name)
    batch_size = training.batch_size
    defaults = {
        "data": data,
        "sde": call(EDM),
        "network": network,
        "model": bind(Preconditioned, precondition=call(EDMPrecondition, sigma_data=0.5)),
        "objective": call(
            DenoisingScoreMatching,
            times=call(LogNormalSigma, mean=-1.2, std=1.2),
            weight=call(EDMWeighting, sigma_data=0.5),
            reduction=sum_per_example,
        ),
        "optimizer": call(
            adam, learning_rate=learning_rate, warmup_steps=10e6 / batch_size, clip_norm=None, infinite=1e5
        ),
        "ema": call(HalfLifeEMA, half_life=images_of_half_life / batch_size, ramp_up=0.05),
        "condition": call(Unconditional) if n_classes is None else call(ClassLabels),
        "training": training,
        "sampler": sampler,
        "measures": (loss(variant, data, split=split), *distance),
        "n_samples": pick(variant, 64, 4),
        "sampling_batch": pick(variant, 64, 4),
    }
    return call(Experiment, **defaults | fields | parts)


def augmentation(p):
    """Flips, scaling, rotation, stretching and shifts, of which the network is told."""
    return call(KarrasAugmentation, p=p)


def ddpmpp(variant, *, multipliers, dropout, n_classes=None):
    """DDPM++ in EDM's form: what it calls VP."""
    return _song(variant, multipliers=multipliers, dropout=dropout, n_classes=n_classes)


def ncsnpp(variant, *, multipliers, dropout, n_classes=None):
    """NCSN++ in EDM's form: what it calls VE."""
    parts = {
        "embedding": bind(FourierEmbedding),
        "noise_multiplier": 2,
        "encoder": call(InputResidual),
        "resampling": call(FIR),
    }
    return _song(variant, multipliers=multipliers, dropout=dropout, n_classes=n_classes, **parts)


def plan(variant, *, images, batch_size, steps_per_call=5, log_every=125, checkpoint_every=12_500):
    """As many updates as make this number of images."""
    if is_tiny(variant):
        return call(Plan, steps=2, batch_size=4, log_every=1, checkpoint_every=2, snapshot_every=2)
    return call(
        Plan,
        steps=-(-int(images) // batch_size),
        batch_size=batch_size,
        steps_per_call=steps_per_call,
        log_every=log_every,
        checkpoint_every=checkpoint_every,
        snapshot_every=checkpoint_every,
        keep_every=4 * checkpoint_every,
    )


def heun(variant, *, steps, **churn):
    """Algorithm 2 on sigma from 80 to 0.002 with rho = 7, and then 0; without churn it is algorithm 1."""
    steps = pick(variant, steps, 4)
    return call(
        Sampler,
        predictor=call(ChurnedHeun, N=steps, **churn),
        grid=call(ToZero, grid=call(Karras, sigma_min=0.002, sigma_max=80.0, rho=7.0)),
        n_steps=steps,
    )


def _song(variant, *, multipliers, dropout, n_classes, **parts):
    return bind(
        SongUNet,
        channels=pick(variant, 128, 32),
        multipliers=pick(variant, multipliers, (1, 2)),
        blocks=pick(variant, 4, 1),
        attention_resolutions=pick(variant, (16,), (4,)),
        dropout=dropout,
        n_classes=n_classes,
        augment_dim=AUGMENT_DIM,
        **parts,
    )
