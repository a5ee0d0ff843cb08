"""The options of the original implementations, as networks and denoisers of this package."""

from score_sde.interop.options.dit import dit_denoiser, dit_network, sit_denoiser, sit_network
from score_sde.interop.options.edm import edm_denoiser, edm_network
from score_sde.interop.options.guided_diffusion import guided_diffusion_denoiser, guided_diffusion_network
from score_sde.interop.options.score_sde import score_sde_denoiser, score_sde_network

__all__ = [
    "dit_denoiser",
    "dit_network",
    "edm_denoiser",
    "edm_network",
    "guided_diffusion_denoiser",
    "guided_diffusion_network",
    "score_sde_denoiser",
    "score_sde_network",
    "sit_denoiser",
    "sit_network",
]
