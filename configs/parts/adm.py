"""What the runs of Dhariwal and Nichol 2021 have in common, and their networks."""

from configs.parts.measures import batch_of, fid, loss
from configs.parts.variants import is_tiny, pick, require_variant
from score_sde.config import bind, call
from score_sde.denoisers import Clipped, LearnedRange, NoisePrediction, NoisyClassifier, StepLabels
from score_sde.experiment import Experiment
from score_sde.experiment.measures import Accuracy
from score_sde.experiment.trained import trained
from score_sde.guidance import Unlabelled
from score_sde.networks import ADM, ADMClassifier
from score_sde.networks.layers import HeadsOf
from score_sde.objectives import HybridLoss, NoisyClassification, UniformSteps
from score_sde.samplers import Ancestral, LearnedVariance, Sampler, Sections, Transformed
from score_sde.sdes import DiscreteVP, LinearBetas
from score_sde.training import (
    ClassLabels,
    ConstantEMA,
    GuidedLabels,
    Linear,
    NoEMA,
    Plan,
    Unconditional,
    adam,
)
from score_sde.training.augmentations import RandomFlip

CHAIN = 1000  # steps of all their chains


def diffusion(
    variant, *, name, data, betas=LinearBetas, learning_rate=1e-4, guidance=None, sampling_steps=250,
    sampling_batch=16, condition=Unconditional, split="validation", **parts,
):  # fmt: skip
    """A diffusion model with learned variances; ``guidance``: a classifier's file and a scale, or None.

    Where the model has no classes, they are those that the classifier is told, and kept from the model.
    """
    require_variant(variant, *(() if guidance is None else ("guided", "guided_fid")))
    fields, distance = fid(variant, name)
    guide = guided(*guidance) if variant.startswith("guided") else {}
    sampler = respaced(pick(variant, sampling_steps, 4), **guide)
    if guide and condition is Unconditional:
        sampler, condition = call(Transformed, change=bind(Unlabelled.of), sampler=sampler), GuidedLabels
    defaults = {
        "data": data,
        "sde": chain(betas),
        "model": bind(LearnedRange, precondition=call(NoisePrediction, labels=step_labels())),
        "objective": call(HybridLoss, steps=CHAIN),
        "optimizer": call(adam, learning_rate=learning_rate, clip_norm=None),
        "ema": call(ConstantEMA, decay=0.9999),
        "condition": call(condition) if isinstance(condition, type) else condition,
        "augmentation": call(RandomFlip),
        "sampler": sampler,
        "measures": (loss(variant, data, split=split), *distance),
        "n_samples": pick(variant, 64, 4),
        "sampling_batch": pick(variant, sampling_batch, 4),
    }
    return call(Experiment, **defaults | fields | parts)


def classifier(variant, *, data, steps, betas=LinearBetas, learning_rate=3e-4, weight_decay=0.05, **parts):
    """A classifier of noisy images, with a rate that falls to 0."""
    require_variant(variant)
    schedule = call(Linear, steps=steps)
    batch = pick(variant, batch_of(data), 16)
    defaults = {
        "data": data,
        "sde": chain(betas),
        "model": bind(NoisyClassifier, labels=step_labels()),
        "objective": call(NoisyClassification, times=call(UniformSteps, steps=CHAIN)),
        "optimizer": call(
            adam, learning_rate=learning_rate, weight_decay=weight_decay, clip_norm=None, schedule=schedule
        ),
        "ema": call(NoEMA),
        "condition": call(ClassLabels),
        "augmentation": call(RandomFlip),
        "sampler": None,
        "measures": tuple(call(Accuracy, split="validation", top=top, batch_size=batch) for top in (1, 5)),
    }
    return call(Experiment, **defaults | parts)


def chain(betas):
    """1000 steps, linear or cosine."""
    return call(DiscreteVP, betas=call(betas), steps=CHAIN)


def step_labels():
    """0 .. 999."""
    return call(StepLabels, steps=CHAIN)


def respaced(steps, **guide):
    """Some of the chain's steps, evenly spaced, with the learned variances and estimates cut to [-1, 1]."""
    predictor = call(Ancestral, variance=call(LearnedVariance), **guide)
    sampler = call(Sampler, predictor=predictor, grid=call(Sections, chain=CHAIN), n_steps=steps)
    return call(Transformed, change=bind(Clipped.of, low=-1.0, high=1.0), sampler=sampler)


def guided(classifier_file, scale):
    """Classifier guidance by the run of a file here, trained into the directory that its card names."""
    workdir = "runs/" + classifier_file.removeprefix("configs/").removesuffix(".py")
    return {"guide": call(trained, config=classifier_file, workdir=workdir), "guide_scale": scale}


def unet(
    variant, *, kind=ADM, channels=256, multipliers, blocks=2, attention=(32, 16, 8), heads=None, **options
):
    """Their U-Net; small ones have 32 channels, the number of groups in its norms."""
    return bind(
        kind,
        channels=pick(variant, channels, 32),
        multipliers=pick(variant, multipliers, (1, 2)),
        blocks=pick(variant, blocks, 1),
        attention_resolutions=pick(variant, attention, (4,)),
        heads=call(HeadsOf, size=pick(variant, 64, 32)) if heads is None else heads,
        **options,
    )


def encoder(variant, *, multipliers, blocks=2, **options):
    """The first half of the U-Net, with attention over its last level in place of a mean."""
    kind = ADMClassifier
    return unet(variant, kind=kind, channels=128, multipliers=multipliers, blocks=blocks, **options)


def plan(variant, *, steps, batch_size, checkpoint_every=10_000):
    """Checkpoints as often as theirs."""
    if is_tiny(variant):
        return call(Plan, steps=2, batch_size=4, log_every=1, checkpoint_every=2, snapshot_every=2)
    return call(
        Plan,
        steps=steps,
        batch_size=batch_size,
        log_every=50,
        checkpoint_every=checkpoint_every,
        snapshot_every=checkpoint_every,
        keep_every=10 * checkpoint_every,
    )
