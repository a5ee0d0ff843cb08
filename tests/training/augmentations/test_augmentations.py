"""Augmentations: closed forms, the labels' meaning, and the recorded output of the original pipeline."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.stats

from score_sde.errors import InputError
from score_sde.training.augmentations import Bicubic, KarrasAugmentation, NoAugmentation, RandomFlip, Wavelet
from score_sde.training.augmentations.karras import Draws

WARPS = [Bicubic(), Wavelet()]


def still(count, **changes):
    zeros = {name: jnp.zeros(count) for name in Draws._fields} | {"translate": jnp.zeros((count, 2))}
    return Draws(**zeros | {name: jnp.asarray(value, jnp.float32) for name, value in changes.items()})


def images(count=3, height=16, width=16, channels=3):
    shape = (count, height, width, channels)
    return jnp.asarray(np.random.default_rng(0).normal(size=shape), jnp.float32)


@jax.jit
def apply(augmentation, draws, x):
    return augmentation.apply(draws, x)


def changed(augmentation, x, **changes):
    return np.asarray(apply(augmentation, still(len(x), **changes), x)[0])


@pytest.mark.parametrize("case", ["square", "oblong"])
def test_images_and_labels_are_those_of_the_original(case, reference_data):
    """NVlabs/edm, training/augment.py, with its random numbers; 5 % more rotation would be seen."""
    stored = np.load(reference_data / "edm_augmentation.npz")
    draws = Draws(**{name: jnp.asarray(stored[f"{case}_{name}"]) for name in Draws._fields})
    augmentation = KarrasAugmentation()
    y, labels = apply(augmentation, draws, jnp.asarray(stored[f"{case}_x"]))
    np.testing.assert_allclose(y, stored[f"{case}_y"], atol=2e-5)
    np.testing.assert_allclose(labels, stored[f"{case}_labels"], atol=1e-6)
    wrong, _ = apply(
        augmentation, draws._replace(rotate=1.05 * draws.rotate), jnp.asarray(stored[f"{case}_x"])
    )
    assert np.abs(wrong - stored[f"{case}_y"]).max() > 0.1


def test_flips_are_exact():
    x, augmentation = images(), KarrasAugmentation()
    np.testing.assert_array_equal(changed(augmentation, x, xflip=[1, 0, 1])[0], x[0, :, ::-1])
    np.testing.assert_array_equal(changed(augmentation, x, yflip=[1, 0, 1])[2], x[2, ::-1])
    np.testing.assert_array_equal(changed(augmentation, x, xflip=[1, 0, 1], yflip=[1, 0, 1])[1], x[1])


@pytest.mark.parametrize("warp", WARPS)
def test_nothing_drawn_changes_nothing(warp):
    x = images()
    augmentation = KarrasAugmentation(warp=warp)
    y, labels = apply(augmentation, still(3), x)
    np.testing.assert_array_equal(y, x)
    np.testing.assert_array_equal(labels, np.zeros((3, 9)))
    identity = jnp.broadcast_to(jnp.eye(2, 3), (3, 2, 3))
    np.testing.assert_allclose(warp(x, identity), x, atol=1e-5)  # and not only because it is left alone


@pytest.mark.parametrize("warp", WARPS)
@pytest.mark.parametrize("shift", [(3, 0), (0, -2), (-5, 4)])
def test_shifts_by_whole_pixels_are_exact(warp, shift):
    """To the right and down; what comes in is the mirror image, without repeating the border."""
    x = images(height=16, width=32)
    augmentation = KarrasAugmentation(warp=warp, translate_std=1.0)
    moved = changed(augmentation, x, translate=np.tile([shift[0] / 32, shift[1] / 16], (3, 1)))
    padded = np.pad(x, ((0, 0), (8, 8), (8, 8), (0, 0)), mode="reflect")
    right, down = shift
    np.testing.assert_allclose(moved, padded[:, 8 - down : 24 - down, 8 - right : 40 - right], atol=2e-5)


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_quarter_turns_are_exact(turns):
    """Positive angles turn the image as numpy's rot90 does in its (column, row) frame."""
    x = images()
    augmentation = KarrasAugmentation(warp=Bicubic())
    turned = changed(augmentation, x, rotate=np.full(3, turns * np.pi / 2))
    np.testing.assert_allclose(turned, np.rot90(x, turns, axes=(1, 2)), atol=2e-5)


def test_the_wavelet_is_within_a_few_percent_under_quarter_turns():
    """Its filter is not symmetric: for smooth images a quarter turn is close, not exact."""
    u = np.linspace(-1, 1, 32)
    x = jnp.asarray(np.cos(2 * u[:, None] + 3 * u[None, :])[None, :, :, None], jnp.float32)
    turned = changed(KarrasAugmentation(), x, rotate=[np.pi / 2])
    np.testing.assert_allclose(turned, np.rot90(x, 1, axes=(1, 2)), atol=0.03)


@pytest.mark.parametrize("warp", WARPS)
def test_a_smooth_function_is_moved_as_its_formula_says(warp):
    """f(A^-1 u) for scaling, rotation, stretching and shift together; 5 % more scale would be seen."""
    n = 64
    u = np.arange(n) - (n - 1) / 2
    columns, rows = np.meshgrid(u, u)

    def f(column, row):
        return np.exp(-((column - 4) ** 2) / 150 - (row + 3) ** 2 / 90)

    x = jnp.asarray(f(columns, rows)[None, :, :, None], jnp.float32)
    augmentation = KarrasAugmentation(warp=warp, scale_std=1.0, aniso_std=1.0, translate_std=1.0)
    s, w, r, theta, shift = 0.3, 0.25, 0.7, -0.4, np.array([2.3, -1.6])
    moved = changed(
        augmentation, x, scale=[s], rotate=[theta], aniso=[w], axis=[r], translate=shift[None] / n
    )[0, :, :, 0]

    def turn(a):
        return np.array([[np.cos(a), -np.sin(a)], [np.sin(a), np.cos(a)]])

    def expected(s):  # the shift is made last on the image, that is first on positions
        forward = turn(r).T @ np.diag([2**w, 2**-w]) @ turn(r) @ turn(-theta) * 2**s
        at = np.linalg.inv(forward) @ (np.stack([columns.ravel(), rows.ravel()]) - shift[:, None])
        return f(*at).reshape(n, n)

    inner = slice(8, -8)
    found = [np.abs(moved - expected(s * planted))[inner, inner].max() for planted in (1, 1.05)]
    assert found[0] < 5e-3 < found[1]


def test_labels_say_what_was_done():
    augmentation = KarrasAugmentation()
    _, labels = apply(
        augmentation,
        still(1, xflip=[1], scale=[-1.5], rotate=[0.5], aniso=[2.0], axis=[0.3], translate=[[0.1, -0.7]]),
        images(1),
    )
    expected = [1, 0, -1.5, np.cos(0.5) - 1, np.sin(0.5), 2 * np.cos(0.3), 2 * np.sin(0.3), 0.1, -0.7]
    np.testing.assert_allclose(labels[0], expected, rtol=1e-6)
    assert augmentation.n_labels == 9
    fewer = KarrasAugmentation(yflip=0.0, rotate=0.0)
    assert apply(fewer, still(2), images(2))[1].shape == (2, fewer.n_labels) == (2, 6)
    none = KarrasAugmentation(
        **dict.fromkeys(("xflip", "yflip", "scale", "rotate", "aniso", "translate"), 0.0)
    )
    assert none(jax.random.key(0), images())[1].shape == (3, none.n_labels) == (3, 0)


def test_frequencies_and_laws_of_what_is_drawn():
    """Binomial counts and Kolmogorov-Smirnov against scipy's laws, with a planted error that fails."""
    n, p = 20_000, 0.12
    draws = KarrasAugmentation(p=p).draw(jax.random.key(1), n)

    def counted(values, chance):
        return scipy.stats.binomtest(int(np.sum(np.asarray(values) != 0)), n, chance).pvalue

    assert counted(draws.xflip, 0.5) > 1e-3
    assert counted(draws.yflip, p / 2) > 1e-3
    for name in ("scale", "rotate", "aniso"):
        assert counted(getattr(draws, name), p) > 1e-3
    assert counted(draws.scale, 1.2 * p) < 1e-3
    both = np.asarray(draws.translate) != 0
    np.testing.assert_array_equal(both[:, 0], both[:, 1])
    normal = np.concatenate([draws.scale[draws.scale != 0], draws.translate[both[:, 0]].ravel()])
    assert scipy.stats.kstest(normal, "norm").pvalue > 1e-3
    assert scipy.stats.kstest(1.05 * normal, "norm").pvalue < 0.1
    angles = np.asarray(draws.rotate[draws.rotate != 0])
    assert scipy.stats.kstest(angles, "uniform", args=(-np.pi, 2 * np.pi)).pvalue > 1e-3
    made = [np.asarray(getattr(draws, name)) != 0 for name in ("scale", "rotate", "aniso", "yflip")]
    together = np.mean(made[0] & made[1])
    assert abs(together - p**2) < 5 * p / np.sqrt(n)  # one transformation does not bring another


def test_the_random_flip():
    x = jnp.broadcast_to(jnp.arange(5.0)[None, None, :, None], (2000, 2, 5, 1))
    y, labels = RandomFlip()(jax.random.key(0), x)
    flipped = np.asarray(y[:, 0, 0, 0] == 4)
    np.testing.assert_array_equal(y[flipped], np.asarray(x[flipped])[:, :, ::-1])
    np.testing.assert_array_equal(y[~flipped], x[~flipped])
    assert scipy.stats.binomtest(int(flipped.sum()), 2000, 0.5).pvalue > 1e-3
    assert labels.shape == (2000, 0)
    series = RandomFlip(p=1.0)(jax.random.key(0), jnp.arange(6.0).reshape(1, 3, 2))[0]
    np.testing.assert_array_equal(series[0], [[4, 5], [2, 3], [0, 1]])


def test_no_augmentation():
    x = images()
    y, labels = NoAugmentation()(jax.random.key(0), x)
    assert y is x
    assert labels.shape == (3, NoAugmentation().n_labels)


@pytest.mark.parametrize(
    ("build", "told"),
    [
        (lambda: RandomFlip(p=1.5), "RandomFlip.p = 1.5"),
        (lambda: KarrasAugmentation(p=-0.1), "KarrasAugmentation.p = -0.1"),
        (lambda: KarrasAugmentation(scale=-1.0), "KarrasAugmentation.scale = -1.0"),
        (lambda: KarrasAugmentation()(jax.random.key(0), jnp.zeros((2, 8))), "shape of augmented data"),
    ],
)
def test_mistakes_are_named(build, told):
    with pytest.raises(InputError, match=told):
        build()
