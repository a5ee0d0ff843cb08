"""The runs of Peebles and Xie 2023: a learnt variance on the chain of 1000 linear steps."""

from configs.parts.adm import chain, step_labels
from configs.parts.transformers import backbone, run, updates, words
from configs.parts.variants import pick
from score_sde.config import bind, call
from score_sde.denoisers import LearnedRange, NoisePrediction
from score_sde.networks import DiT
from score_sde.objectives import HybridLoss
from score_sde.samplers import Ancestral, LearnedVariance, Sampler, Sections
from score_sde.sdes import LinearBetas

CHAIN = 1000


def dit(variant, *, pixels, steps):
    """Their training of one size at one resolution, sampled by 250 ancestral steps."""
    size, patch, others = words(variant)
    predictor = call(Ancestral, variance=call(LearnedVariance))
    sampler = call(
        Sampler, predictor=predictor, grid=call(Sections, chain=CHAIN), n_steps=pick(variant, 250, 4)
    )
    return run(
        variant,
        pixels=pixels,
        steps=updates(size, patch, steps),
        others=others,
        sampler=sampler,
        sde=chain(LinearBetas),
        network=backbone(DiT, variant, size=size, patch=patch),
        model=bind(LearnedRange, precondition=call(NoisePrediction, labels=step_labels())),
        objective=call(HybridLoss, steps=CHAIN),
    )
