"""The layers that networks are built from, channels last.

Parameters are float32; ``dtype`` is what a layer computes in. Layers are plain functions of their
arguments: no hidden state, and randomness (dropout) only from a key that the caller gives.
"""

from score_sde.networks.layers.attention import SelfAttention, attend
from score_sde.networks.layers.blocks import PLAIN, Added, Modulation, ResidualBlock, ScaleShift, Style
from score_sde.networks.layers.convolution import Conv, convolve
from score_sde.networks.layers.dropout import dropout, split_or_none
from score_sde.networks.layers.embeddings import FourierEmbedding, LabelEmbedding, PositionalEmbedding
from score_sde.networks.layers.initializers import (
    fan_in_bias_init,
    fan_in_uniform_init,
    uniform_init,
    zero_bias_init,
)
from score_sde.networks.layers.linear import DType, Linear
from score_sde.networks.layers.norms import GroupNorm
from score_sde.networks.layers.resample import FIR, Plain, Resampling, average_pool, nearest_upsample

__all__ = [
    "FIR",
    "PLAIN",
    "Added",
    "Conv",
    "DType",
    "FourierEmbedding",
    "GroupNorm",
    "LabelEmbedding",
    "Linear",
    "Modulation",
    "Plain",
    "PositionalEmbedding",
    "Resampling",
    "ResidualBlock",
    "ScaleShift",
    "SelfAttention",
    "Style",
    "attend",
    "average_pool",
    "convolve",
    "dropout",
    "fan_in_bias_init",
    "fan_in_uniform_init",
    "nearest_upsample",
    "split_or_none",
    "uniform_init",
    "zero_bias_init",
]
