"""Likelihoods: densities along the probability flow, bounds of the reverse SDE, probabilities of integers."""

from score_sde.likelihood.base import (
    Decoder,
    Density,
    Dequantizer,
    LogProb,
    Method,
    Placed,
    Spacing,
    bits_per_dim,
)
from score_sde.likelihood.bound_loss import BoundLoss
from score_sde.likelihood.dequantized import DequantizedBound, ImportanceWeightedBound
from score_sde.likelihood.dequantizers import LearntNoise, UniformNoise
from score_sde.likelihood.diffusion_bound import DiffusionBound, EvenLogSNR, EvenTime, NormalDecoder
from score_sde.likelihood.level_bound import LevelBound, LevelDecoder
from score_sde.likelihood.probability_flow import (
    LikelihoodReport,
    ProbabilityFlow,
    evaluate_likelihood,
    log_likelihood,
)

__all__ = [
    "BoundLoss",
    "Decoder",
    "Density",
    "DequantizedBound",
    "Dequantizer",
    "DiffusionBound",
    "EvenLogSNR",
    "EvenTime",
    "ImportanceWeightedBound",
    "LearntNoise",
    "LevelBound",
    "LevelDecoder",
    "LikelihoodReport",
    "LogProb",
    "Method",
    "NormalDecoder",
    "Placed",
    "ProbabilityFlow",
    "Spacing",
    "UniformNoise",
    "bits_per_dim",
    "evaluate_likelihood",
    "log_likelihood",
]
