"""Anomaly detection: scores of a diffusion model, and a scikit-learn estimator that trains and uses one."""

from score_sde.anomaly.base import AnomalyScore, Recipe, time_of
from score_sde.anomaly.batches import in_batches
from score_sde.anomaly.complexity import PNG, Compressor, InputComplexity, Zlib
from score_sde.anomaly.detector import DiffusionOutlierDetector
from score_sde.anomaly.diffusion_time import CategoricalTime, InverseGammaTime, NearestTime, NoiseRange
from score_sde.anomaly.likelihood import NegativeLogLikelihood
from score_sde.anomaly.likelihood_ratio import LikelihoodRatio, WithBackground, perturbed
from score_sde.anomaly.noise_shapes import NoiseShapes
from score_sde.anomaly.norm_densities import MixtureOfNormals, NearestRows, NormDensity
from score_sde.anomaly.recipes import MLPRecipe
from score_sde.anomaly.reconstruction import DiffusionReconstruction, OneStepReconstruction
from score_sde.anomaly.score_norms import MultiscaleScoreNorms, ScoreNorms
from score_sde.anomaly.typicality import Typicality

__all__ = [
    "PNG",
    "AnomalyScore",
    "CategoricalTime",
    "Compressor",
    "DiffusionOutlierDetector",
    "DiffusionReconstruction",
    "InputComplexity",
    "InverseGammaTime",
    "LikelihoodRatio",
    "MLPRecipe",
    "MixtureOfNormals",
    "MultiscaleScoreNorms",
    "NearestRows",
    "NearestTime",
    "NegativeLogLikelihood",
    "NoiseRange",
    "NoiseShapes",
    "NormDensity",
    "OneStepReconstruction",
    "Recipe",
    "ScoreNorms",
    "Typicality",
    "WithBackground",
    "Zlib",
    "in_batches",
    "perturbed",
    "time_of",
]
