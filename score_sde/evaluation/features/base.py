"""What a feature extractor is."""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np

from score_sde.pytree import Pytree


class Features(Pytree, ABC):
    """Numbers that describe an example: what Frechet distances and the like compare."""

    @property
    def name(self) -> str:
        """What statistics of these features are labelled with; those of other names do not compare."""
        return type(self).__name__

    @abstractmethod
    def __call__(self, examples: np.ndarray) -> np.ndarray:
        """(B, *event) in data units -> (B, features) in float64."""
