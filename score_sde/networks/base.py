"""Taking a model's trainable parameters out as plain nested dictionaries, and putting them back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import jax
from flax import nnx

Model = TypeVar("Model")
Params = dict[str, Any]


class Frozen(nnx.Param):
    """A parameter that is kept and averaged with the others but not trained; its gradient is zero."""


def partition(model: Model) -> tuple[Params, Callable[[Params], Model]]:
    """Split any pytree that holds flax modules into its parameters and a function that rebuilds it.

    The parameters (every ``nnx.Param``, wherever it sits) are a nested dictionary of arrays keyed by
    attribute names: what optimizers, checkpoints and averages want. All other leaves (an SDE's
    constants, Fourier frequencies) stay inside ``rebuild``, which is pure and may be traced.
    """
    leaves, structure = jax.tree_util.tree_flatten_with_path(model, is_leaf=_is_parameter)
    names = [tuple(_name(entry) for entry in path) for path, _ in leaves]
    values = [leaf for _, leaf in leaves]
    trainable = [i for i, leaf in enumerate(values) if _is_parameter(leaf)]

    def rebuild(params: Params) -> Model:
        filled = list(values)
        for i in trainable:
            filled[i] = values[i].replace(_get(params, names[i]))
        return jax.tree_util.tree_unflatten(structure, filled)

    params: Params = {}
    for i in trainable:
        _set(params, names[i], values[i].get_value())
    return params, rebuild


def initialise(factory: Callable[..., Any], *, seed: int, shape: tuple[int, ...]) -> Any:
    """The network that ``factory(shape=, rngs=)`` makes for examples of this shape, drawn from ``seed``."""
    with jax.ensure_compile_time_eval():
        rngs = nnx.Rngs(seed)
        setattr(rngs, "default", _Stream(seed, tag="default"))  # noqa: B010 - flax declares no attributes
    return factory(shape=shape, rngs=rngs)


class _Stream(nnx.RngStream):
    """The same keys, counted outside of what is traced.

    Under ``jax.eval_shape`` flax would ask each traced count where it lies, and JAX search all that was
    traced so far for an answer.
    """

    def __call__(self) -> jax.Array:
        with jax.ensure_compile_time_eval():
            return super().__call__()


def count(model: Any) -> tuple[int, int]:
    """Trainable numbers of a model (arrays or ``jax.eval_shape`` structs), and all with the frozen ones."""
    leaves = [leaf for leaf in jax.tree.leaves(model, is_leaf=_is_parameter) if _is_parameter(leaf)]
    frozen = sum(leaf.get_value().size for leaf in leaves if isinstance(leaf, Frozen))
    total = sum(leaf.get_value().size for leaf in leaves)
    return total - frozen, total


def _is_parameter(leaf: Any) -> bool:
    return isinstance(leaf, nnx.Param)


def _name(entry: Any) -> str:
    for attribute in ("name", "key", "idx"):
        if hasattr(entry, attribute):
            return str(getattr(entry, attribute))
    return str(entry)


def _get(tree: Params, path: tuple[str, ...]) -> Any:
    for name in path:
        tree = tree[name]
    return tree


def _set(tree: Params, path: tuple[str, ...], value: Any) -> None:
    for name in path[:-1]:
        tree = tree.setdefault(name, {})
    tree[path[-1]] = value
