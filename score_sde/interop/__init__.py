"""Weights that papers' authors released, and ours for others."""

from score_sde.interop.base import Layout, Source, Sources, Tensors, fill, load_tensors
from score_sde.interop.diffusers_names import autoencoder_kl, autoencoder_kl_network
from score_sde.interop.layouts import LAYOUTS
from score_sde.interop.loading import load
from score_sde.interop.options import (
    dit_denoiser,
    dit_network,
    edm_denoiser,
    edm_network,
    guided_diffusion_denoiser,
    guided_diffusion_network,
    score_sde_denoiser,
    score_sde_network,
    sit_denoiser,
    sit_network,
)
from score_sde.interop.safetensors import load_network, save_network
from score_sde.interop.weights import Weights, read_weights

__all__ = [
    "LAYOUTS",
    "Layout",
    "Source",
    "Sources",
    "Tensors",
    "Weights",
    "autoencoder_kl",
    "autoencoder_kl_network",
    "dit_denoiser",
    "dit_network",
    "edm_denoiser",
    "edm_network",
    "fill",
    "guided_diffusion_denoiser",
    "guided_diffusion_network",
    "load",
    "load_network",
    "load_tensors",
    "read_weights",
    "save_network",
    "score_sde_denoiser",
    "score_sde_network",
    "sit_denoiser",
    "sit_network",
]
