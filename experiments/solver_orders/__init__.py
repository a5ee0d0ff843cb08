"""Orders of convergence of every predictor, measured."""
