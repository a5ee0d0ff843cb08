"""The scores that compete, for tables and for images, and what they are called."""

from __future__ import annotations

from typing import Any

from score_sde.anomaly import (
    PNG,
    AnomalyScore,
    CategoricalTime,
    Compressor,
    DiffusionReconstruction,
    InputComplexity,
    InverseGammaTime,
    LikelihoodRatio,
    MixtureOfNormals,
    MultiscaleScoreNorms,
    NearestTime,
    NegativeLogLikelihood,
    NoiseRange,
    NoiseShapes,
    OneStepReconstruction,
    ScoreNorms,
    Typicality,
    Zlib,
)
from score_sde.dequantization import Rescaled
from score_sde.divergence import Hutchinson

LIKELIHOOD = "likelihood"
NEIGHBOURS = "DTE-NP"
SHAPES = "noise shapes"
NO_NETWORK = (NEIGHBOURS, SHAPES)  # ask no model
OWN_NETWORK = ("DTE-C", "DTE-IG")  # train a network of their own
SMALLEST = {"tables": 0.3, "images": 0.05}  # sigma at which densities are taken
COMPRESSORS: dict[str, Compressor] = {"tables": Zlib(), "images": PNG()}  # made once: new ones compile anew
PAIRED = "likelihood ratio"  # needs a model of the background beside


def likelihood(kind: str, steps: int) -> NegativeLogLikelihood:
    """The density that all scores of likelihood take."""
    probes = {"tables": 4, "images": 1}[kind]
    return NegativeLogLikelihood(sigma=SMALLEST[kind], n_steps=steps, divergence=Hutchinson(probes=probes))


def contestants(kind: str, *, units: Any = None, steps: int = 10) -> dict[str, AnomalyScore]:
    """Scores of ``tables`` or ``images`` by name; ``steps`` of each likelihood.

    Noise levels are in units of the data: standard deviations of a column, or halves of black to white.
    """
    density = likelihood(kind, steps)
    images = kind == "images"
    levels = (0.05, 0.1, 0.2, 0.4, 0.8, 1.6) if images else (0.5, 1.0, 2.0)
    noise = (0.1, 0.3, 0.6) if images else (0.25, 0.5, 1.0)
    return {
        LIKELIHOOD: density,
        PAIRED: LikelihoodRatio(likelihood=density),
        "typicality": Typicality(likelihood=density),
        "complexity": InputComplexity(
            likelihood=density,
            compressor=COMPRESSORS[kind],
            units=Rescaled(levels=256, low=-5.0, high=5.0) if units is None else units,
        ),
        "MSMA": MultiscaleScoreNorms(
            norms=ScoreNorms(sigmas=levels), density=MixtureOfNormals(components=5 if images else 1)
        ),
        "DDPM reconstruction": DiffusionReconstruction(sigmas=noise[1:]),
        "one-step reconstruction": OneStepReconstruction(sigmas=noise),
        NEIGHBOURS: NearestTime(k=5),
        SHAPES: NoiseShapes(),
        "DTE-C": CategoricalTime(noise=NoiseRange(sigma_max=1.0)),
        "DTE-IG": InverseGammaTime(noise=NoiseRange(sigma_max=1.0)),
    }
