"""Measurements that are not linear, against Pillow's JPEG, numpy's FFT and their definitions."""

import io

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.fft
from linear_operators import chance, numbers
from PIL import Image
from sklearn.datasets import load_sample_image
from walk import concrete_subclasses

from score_sde.errors import InputError
from score_sde.inverse import LinearOperator, Operator
from score_sde.inverse.operators import (
    AveragePooling,
    Clipping,
    Composed,
    Dense,
    Function,
    GaussianBlur,
    JPEGLike,
    Mask,
    PhaseRetrieval,
    Quantization,
    Stacked,
)
from score_sde.inverse.operators.jpeg_like import cosine_matrix, quantization_table

SHAPE = (12, 10, 2)
CASES = {
    "Clipping": lambda: Clipping(shape=SHAPE),
    "Composed": lambda: Composed(outer=Clipping(shape=SHAPE), inner=GaussianBlur(shape=SHAPE)),
    "Function": lambda: Function(shape=SHAPE, function=jnp.sin),
    "JPEGLike": lambda: JPEGLike(shape=SHAPE),
    "PhaseRetrieval": lambda: PhaseRetrieval(shape=SHAPE),
    "Quantization": lambda: Quantization(shape=SHAPE),
    "Stacked": lambda: Stacked(operators=[Clipping(shape=SHAPE), Mask(mask=chance(0.3, *SHAPE))]),
}
CLASSES = concrete_subclasses(Operator, "score_sde.inverse")
NONLINEAR = [cls for cls in CLASSES if not issubclass(cls, LinearOperator)]


@pytest.mark.parametrize("cls", NONLINEAR)
def test_they_treat_each_example_by_itself_with_finite_gradients(cls):
    operator = CASES.get(cls.__name__, lambda: cls(shape=SHAPE))()
    x = jnp.asarray(numbers(3, *SHAPE), jnp.float32).at[0].set(0)  # a black picture, where |F x| = 0

    traced = []

    @jax.jit
    def answers(operator, x):
        traced.append(None)
        gradient = jax.grad(lambda x: jnp.sum(jnp.square(operator(x))))(x)
        return operator(x), jax.vmap(lambda x: operator(x[None])[0])(x), gradient

    y, each, gradient = answers(operator, x)
    assert y.shape[1:] == operator.measured_shape
    np.testing.assert_allclose(y, each, atol=1e-4)
    assert np.isfinite(gradient).all()
    assert np.abs(gradient[1:]).max() > 0
    rebuilt = jax.tree.unflatten(jax.tree.structure(operator), jax.tree.leaves(operator))
    answers(rebuilt, x + 1)
    assert len(traced) == 1


def photograph():
    return load_sample_image("china.jpg")[100:196, 100:228].mean(-1).round()


def block_errors(found, expected):
    """The largest difference in each block of 8 x 8."""
    blocks = np.abs(found - expected).reshape(expected.shape[0] // 8, 8, -1, 8)
    return blocks.max(axis=(1, 3))


@pytest.mark.parametrize("quality", [5, 20, 50, 90])
def test_jpeg_like_is_a_grey_jpeg_of_pillow(quality):
    """But for grey levels that Pillow rounds, and a few blocks with coefficients between two steps."""
    levels, file = photograph(), io.BytesIO()
    Image.fromarray(levels.astype(np.uint8)).save(file, "JPEG", quality=quality)
    expected = np.asarray(Image.open(file)).astype(float)

    def errors(quality):
        operator = JPEGLike(shape=(*levels.shape, 1), quality=quality, low=0.0, high=255.0)
        found = np.asarray(operator(levels[None, ..., None].astype(np.float32)))
        return block_errors(found[0, ..., 0], expected)

    assert np.mean(errors(quality) <= 1.5) > 0.8
    assert np.mean(errors(quality + 1) <= 1.5) < 0.6


def test_the_cosine_transform_is_that_of_scipy():
    np.testing.assert_allclose(cosine_matrix(8), scipy.fft.dct(np.eye(8), norm="ortho", axis=0), atol=1e-12)


@pytest.mark.parametrize("quality", [1, 10, 49, 50, 75, 100])
def test_the_table_is_that_of_libjpeg(quality):
    file = io.BytesIO()
    Image.fromarray(np.zeros((8, 8), np.uint8)).save(file, "JPEG", quality=quality)
    expected = Image.open(file).quantization[0]
    np.testing.assert_array_equal(quantization_table(quality).ravel(), expected)


def test_sides_that_eight_does_not_divide_keep_their_shape():
    """A constant is continued by itself; 60 is a whole number of steps of the mean, 16 / 8 = 2, from 128."""
    operator = JPEGLike(shape=(5, 11, 3), quality=50, low=0.0, high=255.0)
    np.testing.assert_allclose(operator(jnp.full((1, 5, 11, 3), 60.0)), 60.0, atol=1e-3)


def test_magnitudes_are_those_of_numpy():
    x = numbers(2, *SHAPE)
    found = PhaseRetrieval(shape=SHAPE, oversampling=1.5)(x)
    framed = np.pad(x, [(0, 0), (0, 6), (0, 5), (0, 0)])
    expected = np.abs(np.fft.fft2(framed, axes=(1, 2), norm="ortho"))
    np.testing.assert_allclose(found, expected, atol=1e-5)
    assert np.abs(1.05 * np.asarray(found) - expected).max() > 1e-2


def test_magnitudes_do_not_tell_signs_mirrors_and_shifts():
    x = numbers(1, *SHAPE)
    operator = PhaseRetrieval(shape=SHAPE, oversampling=1.0)
    for same in (-x, x[:, ::-1, ::-1], np.roll(x, (2, 3), axis=(1, 2))):
        np.testing.assert_allclose(operator(same), operator(x), atol=1e-5)


def test_levels_are_equally_spaced_and_nearest():
    x = jnp.linspace(-1.3, 1.3, 54).reshape(1, 54, 1)
    operator = Quantization(shape=(54, 1), levels=5)
    levels = np.linspace(-1, 1, 5)
    nearest = levels[np.abs(np.asarray(x)[..., None] - levels).argmin(-1)]
    np.testing.assert_allclose(operator(x), nearest, atol=1e-6)
    slope = jax.grad(lambda x: jnp.sum(operator(x)))(x)
    inside = np.abs(x) < 1
    np.testing.assert_allclose(np.asarray(slope)[inside], 1, atol=1e-6)
    np.testing.assert_array_equal(np.asarray(slope)[np.abs(x) > 1.0001], 0)


def test_compositions_are_what_they_say():
    x = numbers(2, *SHAPE)
    blur, clip, pool = GaussianBlur(shape=SHAPE), Clipping(shape=SHAPE), AveragePooling(shape=SHAPE, factor=2)
    np.testing.assert_allclose(Composed(outer=pool, inner=clip)(x), pool(clip(x)))
    both = Stacked(operators=[clip, pool])
    alone = (clip(x), pool(x))
    np.testing.assert_allclose(both(x), np.concatenate([part.reshape(2, -1) for part in alone], axis=1))
    for part, expected in zip(both.parts(both(x)), alone, strict=True):
        np.testing.assert_array_equal(part, expected)
    assert isinstance(Composed(outer=pool, inner=blur), LinearOperator)
    assert isinstance(Stacked(operators=[pool, blur]), LinearOperator)
    assert not isinstance(Composed(outer=pool, inner=clip), LinearOperator)
    assert not isinstance(Stacked(operators=[pool, clip]), LinearOperator)
    assert isinstance(Composed(outer=pool, inner=clip).replace(inner=blur), LinearOperator)


LINEAR = Composed(outer=GaussianBlur(shape=SHAPE), inner=GaussianBlur(shape=SHAPE))


@pytest.mark.parametrize(
    ("build", "words"),
    [
        (lambda: Clipping(shape=SHAPE, low=1.0, high=1.0), "Clipping.high = 1.0: expected more than low"),
        (lambda: Quantization(shape=SHAPE, levels=1), "Quantization.levels = 1: expected a whole number, 2"),
        (lambda: JPEGLike(shape=SHAPE, quality=0), "JPEGLike.quality = 0: expected a whole number from 1"),
        (lambda: JPEGLike(shape=(8, 8)), "JPEGLike.shape"),
        (
            lambda: PhaseRetrieval(shape=SHAPE, oversampling=0.5),
            "oversampling = 0.5: expected a number not below 1",
        ),
        (lambda: Function(shape=SHAPE, function=lambda x: x @ jnp.ones((3, 3))), "Function.function"),
        (lambda: Function(shape=SHAPE, function=np.sin), "a function of JAX arrays"),
        (lambda: Function(shape=SHAPE, function=jnp.sum), "whose first axis is the batch"),
        (lambda: Composed(outer=Clipping(shape=(3,)), inner=Clipping(shape=SHAPE)), "what Clipping measures"),
        (
            lambda: Composed(outer=Clipping(shape=SHAPE), inner=Clipping(shape=SHAPE), shape=(3,)),
            "Composed.shape",
        ),
        (lambda: LINEAR.replace(inner=Clipping(shape=SHAPE)), "LinearComposed.inner for operator"),
        (lambda: Stacked(operators=[]), "one or more of the same shape"),
        (lambda: Stacked(operators=[Clipping(shape=SHAPE), Clipping(shape=(3,))]), "of the same shape"),
        (lambda: Dense.of(Clipping(shape=(3,))), "Dense.of for operator = 'Clipping': expected a linear"),
    ],
)
def test_mistakes_are_told(build, words):
    with pytest.raises(InputError, match=words) as told:
        build()
    assert "\n" not in str(told.value)
