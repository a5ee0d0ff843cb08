"""What a computation costs, read from its jaxpr: nothing is allocated, compiled or run."""

from score_sde.experiment.accounting.flops import Flops, count_flops
from score_sde.experiment.accounting.memory import bytes_of, saved_bytes

__all__ = ["Flops", "bytes_of", "count_flops", "saved_bytes"]
