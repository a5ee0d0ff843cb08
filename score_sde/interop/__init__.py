"""Weights that papers' authors released, and ours for others."""
