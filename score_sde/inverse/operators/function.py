"""A measurement of the user's own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from score_sde.errors import InputError
from score_sde.inverse.base import Operator
from score_sde.inverse.operators.checks import require_shape
from score_sde.pytree import static
from score_sde.typing import Batch


class Function(Operator):
    """y = function(x). Methods that follow gradients need it to be differentiable by JAX.

    Attributes:
        function: (batch, *shape) -> (batch, ...), each example by itself.

    Raises:
        InputError: a function that cannot be traced on such a batch, or does not keep its first axis.
    """

    function: Callable[[Batch], Batch] = static()

    def __post_init__(self) -> None:
        require_shape("Function", self.shape)
        where = f"Function.function for a batch of shape {(3, *self.shape)}"
        try:
            found: Any = jax.eval_shape(self.function, jax.ShapeDtypeStruct((3, *self.shape), jnp.float32))
        except (TypeError, ValueError, jax.errors.JAXTypeError) as error:
            raise InputError(where, str(error).splitlines()[0], "a function of JAX arrays") from error
        if not hasattr(found, "shape") or found.shape[:1] != (3,):
            raise InputError(where, found, "one array whose first axis is the batch")

    def __call__(self, x: Batch) -> Batch:
        """function(x)."""
        return self.function(x)
