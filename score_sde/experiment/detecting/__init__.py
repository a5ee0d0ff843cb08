"""Anomaly detection from the command line: learn from a file of rows, rank those of another."""

from score_sde.experiment.detecting.run import Detection, detect

__all__ = ["Detection", "detect"]
