"""Solvers of ordinary differential equations over batches, fixed and adaptive."""

from diffrax import Dopri5, Tsit5

from score_sde.integrators.adaptive import Adaptive
from score_sde.integrators.base import Integrator, Solution, VectorField
from score_sde.integrators.fixed import FixedStep
from score_sde.integrators.in_log_snr import InLogSNR
from score_sde.integrators.methods import Euler, Heun, Method, RungeKutta4
from score_sde.integrators.multistep import AdamsBashforth
from score_sde.integrators.nodes import GivenNodes, LogSNRNodes, Nodes, UniformNodes, WarpedNodes

__all__ = [
    "AdamsBashforth",
    "Adaptive",
    "Dopri5",
    "Euler",
    "FixedStep",
    "GivenNodes",
    "Heun",
    "InLogSNR",
    "Integrator",
    "LogSNRNodes",
    "Method",
    "Nodes",
    "RungeKutta4",
    "Solution",
    "Tsit5",
    "UniformNodes",
    "VectorField",
    "WarpedNodes",
]
