"""Systems that evolve in time, and what is known of their states from observations."""

from score_sde.dynamics.base import Flow, MarkovProcess, System
from score_sde.dynamics.ensemble_kalman import ensemble_kalman_filter
from score_sde.dynamics.forecasters import Forecaster, FromPast, FromSystem, Inpainted
from score_sde.dynamics.from_forecaster import FromForecaster
from score_sde.dynamics.in_units import InUnits
from score_sde.dynamics.kolmogorov_flow import KolmogorovFlow
from score_sde.dynamics.kuramoto_sivashinsky import KuramotoSivashinsky
from score_sde.dynamics.linear_gaussian import LinearGaussian, Smoothed, kalman_smoother
from score_sde.dynamics.lorenz63 import Lorenz63
from score_sde.dynamics.lorenz96 import Lorenz96
from score_sde.dynamics.particle_filter import Filtered, bootstrap_filter
from score_sde.dynamics.semilinear import Semilinear

__all__ = [
    "Filtered",
    "Flow",
    "Forecaster",
    "FromForecaster",
    "FromPast",
    "FromSystem",
    "InUnits",
    "Inpainted",
    "KolmogorovFlow",
    "KuramotoSivashinsky",
    "LinearGaussian",
    "Lorenz63",
    "Lorenz96",
    "MarkovProcess",
    "Semilinear",
    "Smoothed",
    "System",
    "bootstrap_filter",
    "ensemble_kalman_filter",
    "kalman_smoother",
]
