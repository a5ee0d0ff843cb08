"""What a computation costs, read from its jaxpr: nothing is allocated, compiled or run."""

from score_sde.experiment.accounting.flops import Flops, count_flops
from score_sde.experiment.accounting.gradient import GradientCost, gradient_cost
from score_sde.experiment.accounting.memory import bytes_of

__all__ = ["Flops", "GradientCost", "bytes_of", "count_flops", "gradient_cost"]
