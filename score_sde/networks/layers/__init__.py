"""The layers that networks are built from, channels last.

Parameters are float32; ``dtype`` is what a layer computes in. Layers are plain functions of their
arguments: no hidden state, and randomness (dropout) only from a key that the caller gives.
"""

from score_sde.networks.layers.attention import SelfAttention, attend
from score_sde.networks.layers.blocks import (
    PLAIN,
    SCALE_SHIFT,
    Added,
    Modulation,
    ResidualBlock,
    ScaleShift,
    Style,
)
from score_sde.networks.layers.convolution import Conv
from score_sde.networks.layers.convolving import convolve
from score_sde.networks.layers.dropout import dropout, split_or_none
from score_sde.networks.layers.embeddings import (
    FourierEmbedding,
    LabelEmbedding,
    PositionalEmbedding,
    SigmaEmbedding,
    label_embedding,
)
from score_sde.networks.layers.heads import HEADS_OF_64, ConstantHeads, Heads, HeadsOf, WholeHeads
from score_sde.networks.layers.hourglass import (
    Decoder,
    Encoder,
    Plan,
    attended_levels,
    require_example,
    require_shape,
)
from score_sde.networks.layers.initializers import (
    fan_in_bias_init,
    fan_in_uniform_init,
    fan_out_normal_init,
    lecun_normal_init,
    normal_init,
    uniform_init,
    zero_bias_init,
)
from score_sde.networks.layers.instance_norms import (
    InstanceNorm,
    InstanceNormPlus,
    LevelNormPlus,
    VarianceNorm,
)
from score_sde.networks.layers.interpolation import (
    BILINEAR,
    AlignedBilinear,
    Bilinear,
    Interpolation,
    Nearest,
)
from score_sde.networks.layers.linear import DType, Linear
from score_sde.networks.layers.mapping import ClassTable, Mapping
from score_sde.networks.layers.neighbourhoods import neighbourhood_max, neighbourhood_mean
from score_sde.networks.layers.norms import GroupNorm
from score_sde.networks.layers.output_pyramids import (
    TOP_OUTPUT,
    OutputPyramid,
    OutputResidual,
    OutputSkip,
    TopOutput,
)
from score_sde.networks.layers.pools import (
    ATTENTION_POOL,
    AttentionPool,
    MeanPool,
    NormedSpatialPool,
    Pool,
    SpatialPool,
)
from score_sde.networks.layers.pyramids import (
    NO_INPUT,
    SUM,
    Combination,
    Concatenation,
    InputPyramid,
    InputResidual,
    InputSkip,
    NoInput,
    Sum,
)
from score_sde.networks.layers.refinenet import RefineNet, RefineStyle
from score_sde.networks.layers.resample import (
    FIR,
    NAIVE,
    PLAIN_RESAMPLING,
    Naive,
    Plain,
    Resampling,
    average_pool,
    nearest_upsample,
)
from score_sde.networks.layers.rescaling import (
    RESCALING_BLOCKS,
    RESCALING_RESAMPLED_CONVOLUTIONS,
    Rescaling,
    RescalingBlocks,
    RescalingConvolutions,
    RescalingFilters,
    RescalingResampledConvolutions,
)

__all__ = [
    "ATTENTION_POOL",
    "BILINEAR",
    "FIR",
    "HEADS_OF_64",
    "NAIVE",
    "NO_INPUT",
    "PLAIN",
    "PLAIN_RESAMPLING",
    "RESCALING_BLOCKS",
    "RESCALING_RESAMPLED_CONVOLUTIONS",
    "SCALE_SHIFT",
    "SUM",
    "TOP_OUTPUT",
    "Added",
    "AlignedBilinear",
    "AttentionPool",
    "Bilinear",
    "ClassTable",
    "Combination",
    "Concatenation",
    "ConstantHeads",
    "Conv",
    "DType",
    "Decoder",
    "Encoder",
    "FourierEmbedding",
    "GroupNorm",
    "Heads",
    "HeadsOf",
    "InputPyramid",
    "InputResidual",
    "InputSkip",
    "InstanceNorm",
    "InstanceNormPlus",
    "Interpolation",
    "LabelEmbedding",
    "LevelNormPlus",
    "Linear",
    "Mapping",
    "MeanPool",
    "Modulation",
    "Naive",
    "Nearest",
    "NoInput",
    "NormedSpatialPool",
    "OutputPyramid",
    "OutputResidual",
    "OutputSkip",
    "Plain",
    "Plan",
    "Pool",
    "PositionalEmbedding",
    "RefineNet",
    "RefineStyle",
    "Resampling",
    "Rescaling",
    "RescalingBlocks",
    "RescalingConvolutions",
    "RescalingFilters",
    "RescalingResampledConvolutions",
    "ResidualBlock",
    "ScaleShift",
    "SelfAttention",
    "SigmaEmbedding",
    "SpatialPool",
    "Style",
    "Sum",
    "TopOutput",
    "VarianceNorm",
    "WholeHeads",
    "attend",
    "attended_levels",
    "average_pool",
    "convolve",
    "dropout",
    "fan_in_bias_init",
    "fan_in_uniform_init",
    "fan_out_normal_init",
    "label_embedding",
    "lecun_normal_init",
    "nearest_upsample",
    "neighbourhood_max",
    "neighbourhood_mean",
    "normal_init",
    "require_example",
    "require_shape",
    "split_or_none",
    "uniform_init",
    "zero_bias_init",
]
