"""Score-based generative models through stochastic differential equations, in JAX."""

__version__ = "0.1.0"
