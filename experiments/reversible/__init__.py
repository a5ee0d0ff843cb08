"""Reversible towers beside ordinary ones: memory, time, errors and trained models."""
