"""Data sets made from pictures: ``--mode=prepare``."""

from score_sde.data.preparing.prepare import open_originals, prepare

__all__ = ["open_originals", "prepare"]
