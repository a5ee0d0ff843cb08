"""Finding anomalies: the scores of diffusion models beside classical detectors, on tables and images."""
