"""Floating-point operations of a function, counted on its jaxpr."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import jax
from jax.extend.core import ClosedJaxpr, Jaxpr, JaxprEqn

# Nothing is computed: elements are moved, named or converted.
MOVES = {
    *("bitcast_convert_type", "convert_element_type", "reduce_precision", "copy", "copy_p", "device_put"),
    *(
        "broadcast",
        "broadcast_in_dim",
        "reshape",
        "squeeze",
        "transpose",
        "rev",
        "pad",
        "concatenate",
        "split",
    ),
    *("slice", "dynamic_slice", "dynamic_update_slice", "gather", "scatter", "iota", "empty"),
    *("name", "optimization_barrier", "sharding_constraint", "stop_gradient"),
    *("random_clone", "random_fold_in", "random_seed", "random_split", "random_unwrap", "random_wrap"),
}
REDUCTIONS = ("reduce_", "cum", "arg", "sort", "top_k")  # one operation for each element that goes in
SCALAR_RULES = ("scatter", "reduce", "select_and_scatter")  # their jaxprs say how to join two scalars
CONVOLUTIONS = {  # of networks: where y and the kernel stand among operands and result
    "convolution": (2, 1),
    "convolution_to_input": (0, 1),
    "convolution_to_kernel": (1, 2),
}


class Flops(NamedTuple):
    """``matmul``: two a multiply-add of matrix products and convolutions; ``elementwise``: the rest."""

    matmul: float = 0.0
    elementwise: float = 0.0

    @property
    def total(self) -> float:
        """Both."""
        return self.matmul + self.elementwise

    def plus(self, other: Flops, times: float = 1.0) -> Flops:
        """The sum, with ``other`` taken ``times`` times."""
        return Flops(self.matmul + times * other.matmul, self.elementwise + times * other.elementwise)


def count_flops(function: Callable[..., Any], *args: Any) -> Flops:
    """Operations of one call of ``function`` on arguments of these shapes.

    A matrix product of (n, k) and (k, m) has 2 n k m, a convolution 2 Ho Wo kh kw Cin Cout an example
    (positions in the padding count, zeros between dilated inputs do not), a reduction one an input, any
    other arithmetic one an output; data movement has none. A scan counts its body ``length`` times, a
    branch as its dearest, recomputation (``jax.checkpoint``) as often as it happens. The body of a while
    loop counts once: how often it runs is not known before it runs.

    ``args``: pytrees of arrays or ``jax.ShapeDtypeStruct``.
    """
    return jaxpr_flops(jax.make_jaxpr(function)(*args).jaxpr)


def jaxpr_flops(jaxpr: Jaxpr) -> Flops:
    """Operations of one evaluation of a jaxpr."""
    total = Flops()
    for equation in jaxpr.eqns:
        total = total.plus(_equation(equation))
    return total


def _equation(equation: JaxprEqn) -> Flops:
    name = equation.primitive.name
    if name == "dot_general":
        return Flops(matmul=_dot(equation))
    if name == "conv_general_dilated":
        return Flops(matmul=_convolution(equation))
    if name in CONVOLUTIONS:
        return Flops(matmul=_transposable(equation))
    inner = [] if name.startswith(SCALAR_RULES) else list(_jaxprs(equation.params))
    if inner:
        return _nested(name, equation.params, [jaxpr_flops(jaxpr) for jaxpr in inner])
    if name in MOVES:
        return Flops()
    if name.startswith("reduce_window") or name.startswith("select_and_scatter"):
        return Flops(elementwise=_outputs(equation) * math.prod(equation.params["window_dimensions"]))
    if name.startswith(REDUCTIONS):
        return Flops(elementwise=_size(equation.invars[0]))
    if name.startswith("scatter"):
        return Flops(elementwise=_size(equation.invars[2]))
    return Flops(elementwise=_outputs(equation))


def _nested(name: str, params: dict[str, Any], inner: list[Flops]) -> Flops:
    if name == "cond":
        return max(inner, key=lambda flops: flops.total)
    together = Flops()
    for flops in inner:
        together = together.plus(flops)
    return Flops().plus(together, params.get("length", 1) if name == "scan" else 1)


def _jaxprs(params: dict[str, Any]) -> Iterator[Jaxpr]:
    """The jaxprs among the parameters of an equation: bodies of loops, branches, inlined functions."""
    for value in params.values():
        for item in value if isinstance(value, tuple | list) else (value,):
            if isinstance(item, ClosedJaxpr):
                yield item.jaxpr
            elif isinstance(item, Jaxpr):
                yield item


def _dot(equation: JaxprEqn) -> float:
    (contracting, _), _ = equation.params["dimension_numbers"]
    shape = _shape(equation.invars[0])
    return 2.0 * _outputs(equation) * math.prod(shape[axis] for axis in contracting)


def _convolution(equation: JaxprEqn) -> float:
    """2 outputs (kernel positions) (inputs of an output), less the zeros that a dilated input consists of."""
    numbers = equation.params["dimension_numbers"]
    kernel = _shape(equation.invars[1])
    taps = math.prod(kernel[axis] for axis in numbers.rhs_spec[1:])  # input features of a group, and space
    return 2.0 * _outputs(equation) * taps / math.prod(equation.params["lhs_dilation"])


def _transposable(equation: JaxprEqn) -> float:
    """2 (elements of y) (elements of the kernel) / n_out, for y = C(x, k) and both transposes."""
    variables = (*equation.invars, *equation.outvars)
    y, kernel = (_shape(variables[index]) for index in CONVOLUTIONS[equation.primitive.name])
    return 2.0 * math.prod(y) * math.prod(kernel[:-1])


def _outputs(equation: JaxprEqn) -> float:
    return sum(_size(variable) for variable in equation.outvars)


def _size(variable: Any) -> float:
    return float(math.prod(_shape(variable)))


def _shape(variable: Any) -> tuple[int, ...]:
    return variable.aval.shape
