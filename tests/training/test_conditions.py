"""What of a batch the network is told."""

import numpy as np
import pytest

from score_sde.errors import InputError
from score_sde.training import ClassLabels, Unconditional


def test_labels_reach_only_a_conditional_model():
    batch = {"x": np.zeros((2, 1)), "label": np.array([3, 1])}
    assert Unconditional()(batch) is None
    np.testing.assert_array_equal(ClassLabels()(batch), [3, 1])


def test_data_without_labels_are_refused():
    with pytest.raises(InputError, match="Unconditional"):
        ClassLabels()({"x": np.zeros((2, 1))})
