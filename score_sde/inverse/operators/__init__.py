"""What instruments see of an image: linear operators with adjoints and decompositions, and others."""

from score_sde.inverse.operators.average_pooling import AveragePooling
from score_sde.inverse.operators.bicubic_downsampling import BicubicDownsampling
from score_sde.inverse.operators.circular import Circular
from score_sde.inverse.operators.clipping import Clipping
from score_sde.inverse.operators.colorization import Colorization
from score_sde.inverse.operators.composed import Composed, LinearComposed
from score_sde.inverse.operators.convolution import Convolution
from score_sde.inverse.operators.dense import Dense
from score_sde.inverse.operators.fourier_sampling import FourierSampling
from score_sde.inverse.operators.function import Function
from score_sde.inverse.operators.gaussian_blur import GaussianBlur
from score_sde.inverse.operators.hadamard_sensing import HadamardSensing
from score_sde.inverse.operators.identity import Identity
from score_sde.inverse.operators.jpeg_like import JPEGLike
from score_sde.inverse.operators.mask import Mask
from score_sde.inverse.operators.motion_blur import MotionBlur
from score_sde.inverse.operators.phase_retrieval import PhaseRetrieval
from score_sde.inverse.operators.quantization import Quantization
from score_sde.inverse.operators.radon_transform import RadonTransform
from score_sde.inverse.operators.separable import Separable
from score_sde.inverse.operators.separable_blur import SeparableBlur
from score_sde.inverse.operators.stacked import LinearStacked, Stacked

__all__ = [
    "AveragePooling",
    "BicubicDownsampling",
    "Circular",
    "Clipping",
    "Colorization",
    "Composed",
    "Convolution",
    "Dense",
    "FourierSampling",
    "Function",
    "GaussianBlur",
    "HadamardSensing",
    "Identity",
    "JPEGLike",
    "LinearComposed",
    "LinearStacked",
    "Mask",
    "MotionBlur",
    "PhaseRetrieval",
    "Quantization",
    "RadonTransform",
    "Separable",
    "SeparableBlur",
    "Stacked",
]
