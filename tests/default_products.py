"""Which products a function leaves to the device's default precision: a GPU rounds these to TF32."""

import jax
from jax.extend.core import jaxprs_in_params

PRODUCTS = {
    *("dot_general", "conv_general_dilated"),
    *("convolution", "convolution_to_input", "convolution_to_kernel"),
}


def default_products(function, *args):
    """Operands' shapes of such products and convolutions of floating numbers, loops and calls included."""
    return [
        tuple(operand.aval.str_short() for operand in equation.invars)
        for equation in equations(jax.make_jaxpr(function)(*args).jaxpr)
        if equation.primitive.name in PRODUCTS and is_default(equation)
    ]


def is_default(equation):
    asked = equation.params["precision"]
    if isinstance(asked, str):
        asked = (jax.lax.Precision(asked),)
    floating = all(jax.numpy.issubdtype(operand.aval.dtype, jax.numpy.inexact) for operand in equation.invars)
    return floating and (asked is None or any(one != jax.lax.Precision.HIGHEST for one in asked))


def equations(jaxpr):
    for equation in jaxpr.eqns:
        yield equation
        for inner in jaxprs_in_params(equation.params):
            yield from equations(inner)
