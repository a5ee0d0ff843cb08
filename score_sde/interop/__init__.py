"""Weights that papers' authors released, and ours for others."""

from score_sde.interop.base import Layout, Source, Sources, Tensors, fill, load_tensors
from score_sde.interop.layouts import LAYOUTS
from score_sde.interop.loading import load
from score_sde.interop.safetensors import load_network, save_network
from score_sde.interop.weights import Weights, read_weights

__all__ = [
    "LAYOUTS",
    "Layout",
    "Source",
    "Sources",
    "Tensors",
    "Weights",
    "fill",
    "load",
    "load_network",
    "load_tensors",
    "read_weights",
    "save_network",
]
