"""Denoisers that are learnt from noisy draws alone, against the least error that there is."""

from experiments.denoise import mixtures


def test_noisy_draws_are_enough():
    """400 updates: within 0.5 dB of the posterior mean, the best linear one is 2.2 dB away."""
    found = mixtures.judged("blind: unbiased risk", 0.3, 0, 400)
    assert -0.02 < found["gap"] < 0.5
    assert mixtures.judged("normal law", 0.3, 0, 1)["gap"] > 2
