"""Names for shapes. ``Batch`` carries the batch axis first, then the axes of one example."""

from __future__ import annotations

from typing import Any

from jaxtyping import Array, Float, PRNGKeyArray

Batch = Float[Array, "batch *event"]
PerExample = Float[Array, " batch"]
Time = Float[Array, "*batch"] | float  # a scalar for all examples, or one time per example
Key = PRNGKeyArray
Condition = Any  # class labels, an image, a pytree: whatever the network takes
