"""Networks: flax modules that map (x, noise labels, condition) to an array like x."""

from score_sde.networks.base import Params, partition
from score_sde.networks.mlp import MLP
from score_sde.networks.unet import UNet

__all__ = ["MLP", "Params", "UNet", "partition"]
