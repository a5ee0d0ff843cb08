"""The layers that networks are built from, channels last.

Parameters are float32; ``dtype`` is what a layer computes in. Layers are plain functions of their
arguments: no hidden state, and randomness (dropout) only from a key that the caller gives.
"""

from score_sde.networks.layers.attending import InBlocks, attend
from score_sde.networks.layers.attention import SelfAttention
from score_sde.networks.layers.blocks import (
    PLAIN,
    SCALE_SHIFT,
    Added,
    Modulation,
    ResidualBlock,
    ScaleShift,
    Style,
)
from score_sde.networks.layers.checks import require_counts
from score_sde.networks.layers.convolution import Conv, WrappingConv
from score_sde.networks.layers.convolving import convolve
from score_sde.networks.layers.depth import SCANNED, UNROLLED, Depth, Scanned, Unrolled
from score_sde.networks.layers.dropout import dropout, split_or_none
from score_sde.networks.layers.embeddings import (
    FourierEmbedding,
    LabelEmbedding,
    PositionalEmbedding,
    SigmaEmbedding,
    label_embedding,
)
from score_sde.networks.layers.feed_forward import FeedForward, SwiGLU
from score_sde.networks.layers.grouped import Grouped
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
    narrow_normal_init,
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
from score_sde.networks.layers.patches import patched, require_patches, unpatched
from score_sde.networks.layers.pools import (
    ATTENTION_POOL,
    AttentionPool,
    MeanPool,
    NormedSpatialPool,
    Pool,
    SpatialPool,
)
from score_sde.networks.layers.positions import (
    LEARNED,
    NO_POSITIONS,
    ROTARY,
    SINCOS,
    LearnedPositions,
    NoPositions,
    Positions,
    RotaryPositions,
    SinCosPositions,
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
from score_sde.networks.layers.reversible import Reversible
from score_sde.networks.layers.streams import FLOAT_STREAMS, FixedPointStreams, FloatStreams, Streams
from score_sde.networks.layers.token_blocks import (
    DIT_STYLE,
    MODERN_STYLE,
    UVIT_STYLE,
    AdaptiveBlock,
    AdaptiveHead,
    ModernStyle,
    PlainBlock,
    TokenAttention,
    TransformerStyle,
    UViTStyle,
)
from score_sde.networks.layers.token_embedding import TokenEmbedding
from score_sde.networks.layers.token_mapping import ClassAndNoneTable, token_mapping
from score_sde.networks.layers.token_norms import LayerNorm, RMSNorm, Standardize

__all__ = [
    "ATTENTION_POOL",
    "BILINEAR",
    "DIT_STYLE",
    "FIR",
    "FLOAT_STREAMS",
    "HEADS_OF_64",
    "LEARNED",
    "MODERN_STYLE",
    "NAIVE",
    "NO_INPUT",
    "NO_POSITIONS",
    "PLAIN",
    "PLAIN_RESAMPLING",
    "RESCALING_BLOCKS",
    "RESCALING_RESAMPLED_CONVOLUTIONS",
    "ROTARY",
    "SCALE_SHIFT",
    "SCANNED",
    "SINCOS",
    "SUM",
    "TOP_OUTPUT",
    "UNROLLED",
    "UVIT_STYLE",
    "AdaptiveBlock",
    "AdaptiveHead",
    "Added",
    "AlignedBilinear",
    "AttentionPool",
    "Bilinear",
    "ClassAndNoneTable",
    "ClassTable",
    "Combination",
    "Concatenation",
    "ConstantHeads",
    "Conv",
    "DType",
    "Decoder",
    "Depth",
    "Encoder",
    "FeedForward",
    "FixedPointStreams",
    "FloatStreams",
    "FourierEmbedding",
    "GroupNorm",
    "Grouped",
    "Heads",
    "HeadsOf",
    "InBlocks",
    "InputPyramid",
    "InputResidual",
    "InputSkip",
    "InstanceNorm",
    "InstanceNormPlus",
    "Interpolation",
    "LabelEmbedding",
    "LayerNorm",
    "LearnedPositions",
    "LevelNormPlus",
    "Linear",
    "Mapping",
    "MeanPool",
    "ModernStyle",
    "Modulation",
    "Naive",
    "Nearest",
    "NoInput",
    "NoPositions",
    "NormedSpatialPool",
    "OutputPyramid",
    "OutputResidual",
    "OutputSkip",
    "Plain",
    "PlainBlock",
    "Plan",
    "Pool",
    "PositionalEmbedding",
    "Positions",
    "RMSNorm",
    "RefineNet",
    "RefineStyle",
    "Resampling",
    "Rescaling",
    "RescalingBlocks",
    "RescalingConvolutions",
    "RescalingFilters",
    "RescalingResampledConvolutions",
    "ResidualBlock",
    "Reversible",
    "RotaryPositions",
    "ScaleShift",
    "Scanned",
    "SelfAttention",
    "SigmaEmbedding",
    "SinCosPositions",
    "SpatialPool",
    "Standardize",
    "Streams",
    "Style",
    "Sum",
    "SwiGLU",
    "TokenAttention",
    "TokenEmbedding",
    "TopOutput",
    "TransformerStyle",
    "UViTStyle",
    "Unrolled",
    "VarianceNorm",
    "WholeHeads",
    "WrappingConv",
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
    "narrow_normal_init",
    "nearest_upsample",
    "neighbourhood_max",
    "neighbourhood_mean",
    "normal_init",
    "patched",
    "require_counts",
    "require_example",
    "require_patches",
    "require_shape",
    "split_or_none",
    "token_mapping",
    "uniform_init",
    "unpatched",
    "zero_bias_init",
]
