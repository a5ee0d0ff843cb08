"""The statistics of a trained model that DPM-Solver-v3 samples with."""
