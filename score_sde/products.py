"""Products of matrices in full precision, on every device.

Unless it is asked for more, a GPU with tensor cores may round the float32 operands of a product to TF32,
which keeps 10 bits of their mantissas, and a TPU rounds them to bfloat16. Networks do well with that. Closed
forms, linear operators and changes of coordinates would be right to three digits only.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp

from score_sde.typing import Array


def full_matmul(a: Array, b: Array) -> Array:
    """a @ b, (..., n, k) and (..., k, m) -> (..., n, m), in the precision of the operands' type."""
    return jnp.matmul(a, b, precision=jax.lax.Precision.HIGHEST)


def full_einsum(subscripts: str, *operands: Array) -> Array:
    """``jnp.einsum`` in the precision of the operands' type."""
    return jnp.einsum(subscripts, *operands, precision=jax.lax.Precision.HIGHEST)
