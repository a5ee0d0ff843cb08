"""Steps of models that have learnt where the flow ends, not only how it moves."""

from score_sde.samplers.flow_maps.consistency_step import ConsistencyStep
from score_sde.samplers.flow_maps.mean_flow_step import MeanFlowStep

__all__ = ["ConsistencyStep", "MeanFlowStep"]
