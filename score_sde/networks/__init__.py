"""Networks: flax modules that map (x, noise labels, condition) to an array like x."""

from score_sde.networks.adm import ADM, ADMSuperResolution
from score_sde.networks.adm_classifier import ADMClassifier
from score_sde.networks.autoencoder_kl import AutoencoderKL
from score_sde.networks.base import Params, partition
from score_sde.networks.beside import Beside
from score_sde.networks.ddpm import DDPM
from score_sde.networks.dequantization_flow import DequantizationFlow, WithDequantization
from score_sde.networks.dhariwal_unet import DhariwalUNet
from score_sde.networks.dit import DiT, SiT
from score_sde.networks.frames import FramesAsChannels
from score_sde.networks.interval import Interval
from score_sde.networks.mlp import MLP
from score_sde.networks.ncsn import NCSN, NCSNv2
from score_sde.networks.ncsnpp import NCSNpp
from score_sde.networks.perceptron import Perceptron
from score_sde.networks.reversible_unet import ReversibleUNet
from score_sde.networks.song_unet import SongUNet
from score_sde.networks.temporal_unet import TemporalUNet
from score_sde.networks.unet import UNet
from score_sde.networks.uvit import UViT
from score_sde.networks.wideresnet import WideResNet

__all__ = [
    "ADM",
    "DDPM",
    "MLP",
    "NCSN",
    "ADMClassifier",
    "ADMSuperResolution",
    "AutoencoderKL",
    "Beside",
    "DequantizationFlow",
    "DhariwalUNet",
    "DiT",
    "FramesAsChannels",
    "Interval",
    "NCSNpp",
    "NCSNv2",
    "Params",
    "Perceptron",
    "ReversibleUNet",
    "SiT",
    "SongUNet",
    "TemporalUNet",
    "UNet",
    "UViT",
    "WideResNet",
    "WithDequantization",
    "partition",
]
