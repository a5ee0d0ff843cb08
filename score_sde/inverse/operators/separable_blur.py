"""Any matrices along rows and columns."""

from __future__ import annotations

from typing import Any

import numpy as np

from score_sde.errors import InputError
from score_sde.inverse.operators.separable import Separable


class SeparableBlur(Separable):
    """y = rows x columns^T for every channel: a blur, a shrinking, any linear map of each axis.

    Attributes:
        rows: (measured, H), what it does along the first axis.
        columns: (measured, W), along the second; not given for signals (L, C).

    Raises:
        InputError: matrices that do not fit the shape.
    """

    rows: Any
    columns: Any = None

    def matrices(self) -> list[np.ndarray]:
        """The two, or the one."""
        given = [("rows", self.rows), ("columns", self.columns)]
        given = [(name, np.asarray(value, np.float64)) for name, value in given if value is not None]
        if len(given) != len(self.shape) - 1:
            expected = f"{len(given)} axes and one of channels, as there are matrices"
            raise InputError("SeparableBlur.shape", self.shape, expected, "give rows, and columns for images")
        for (name, matrix), size in zip(given, self.shape[:-1], strict=True):
            if matrix.ndim != 2 or matrix.shape[1] != size or not np.isfinite(matrix).all():
                found = f"an array of shape {matrix.shape}"
                expected = f"finite numbers of shape (measured, {size})"
                raise InputError(f"SeparableBlur.{name}", found, expected)
        return [matrix for _, matrix in given]
