"""What of a batch the network is told, and what samples are drawn under."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from score_sde.data import Digits, GaussianRing
from score_sde.errors import InputError
from score_sde.training import ClassLabels, GuidedLabels, LowResolution, Unconditional

KEY = jax.random.key(0)
BATCH = {"x": np.zeros((2, 1)), "label": np.array([3, 1])}


def test_labels_reach_only_a_conditional_model():
    assert Unconditional()(BATCH, n_classes=10) is None
    np.testing.assert_array_equal(ClassLabels()(BATCH, n_classes=10, key=KEY), [3, 1])


def test_data_without_labels_are_refused():
    with pytest.raises(InputError, match="Unconditional"):
        ClassLabels()({"x": np.zeros((2, 1))}, n_classes=None)
    with pytest.raises(InputError, match="Unconditional"):
        ClassLabels().sample(KEY, jnp.arange(2), GaussianRing())


def test_labels_are_left_out_in_training_with_the_given_probability():
    """A binomial count: 2000 of 20,000 expected, with standard deviation 42."""
    labels = jnp.arange(20_000) % 10
    told = ClassLabels(drop=0.1)({"label": labels}, n_classes=10, key=KEY)
    dropped = told == 10
    deviation = np.sqrt(20_000 * 0.1 * 0.9)
    assert abs(int(dropped.sum()) - 2000) < 2.3 * deviation
    assert 2.3 * deviation < 0.05 * 2000  # a rate that is 5 % off would be seen
    np.testing.assert_array_equal(jnp.where(dropped, labels, told), labels)
    counts = np.bincount(labels[dropped], minlength=10)
    assert np.all(abs(counts - 200) < 4 * np.sqrt(200))  # of all classes alike
    np.testing.assert_array_equal(ClassLabels(drop=0.1)({"label": labels}, n_classes=10), labels)


def test_samples_are_of_all_classes_with_equal_chances():
    labels = ClassLabels(drop=0.1).sample(KEY, jnp.arange(50_000), Digits())
    counts = np.bincount(labels, minlength=10)
    assert len(counts) == 10  # "no class" is never drawn
    assert np.all(abs(counts - 5000) < 3.5 * np.sqrt(5000 * 0.9))
    assert 3.5 * np.sqrt(5000 * 0.9) < 0.05 * 5000


def test_the_label_of_a_sample_depends_on_its_index_alone():
    condition, data = ClassLabels(), Digits()
    some, more = (condition.sample(KEY, jnp.arange(n), data) for n in (5, 40))
    np.testing.assert_array_equal(some, more[:5])
    assert len(np.unique(more)) > 5


def test_labels_for_a_classifier_are_of_samples_alone():
    condition, indices = GuidedLabels(), jnp.arange(20)
    assert condition(BATCH, n_classes=10, key=KEY) is None
    expected = ClassLabels().sample(KEY, indices, Digits())
    np.testing.assert_array_equal(condition.sample(KEY, indices, Digits()), expected)
    assert list(condition.record(expected)) == ["labels"]
    with pytest.raises(InputError, match="sampled"):
        GuidedLabels(sampled=())


def test_chosen_labels_come_by_turns():
    condition = ClassLabels(sampled=(3, 10, 7))
    np.testing.assert_array_equal(condition.sample(KEY, jnp.arange(2, 7), Digits()), [7, 3, 10, 7, 3])
    assert list(condition.record(jnp.arange(2))) == ["labels"]
    assert Unconditional().record(None) == {}


def test_an_upsampler_is_told_the_small_image():
    x = jnp.arange(2 * 4 * 6 * 1.0).reshape(2, 4, 6, 1)
    told = LowResolution(factor=2)({"x": x}, n_classes=None)
    assert list(told) == ["low_res"]
    np.testing.assert_allclose(told["low_res"][0, 0, :, 0], [3.5, 5.5, 7.5])  # 0 1 6 7, 2 3 8 9, 4 5 10 11
    assert told["low_res"].shape == (2, 2, 3, 1)
    both = LowResolution(factor=2, labels=ClassLabels())
    assert list(both({"x": x, "label": jnp.array([1, 2])}, n_classes=3)["label"]) == [1, 2]


def test_an_upsampler_draws_for_test_images():
    condition, data = LowResolution(factor=4, labels=ClassLabels()), Digits()
    indices = jnp.array([3, 297 + 3])
    told, test = condition.sample(KEY, indices, data), data.split("test").arrays()
    np.testing.assert_array_equal(told["label"], test["label"][[3, 3]])
    expected = data.units.encode(KEY, test["x"][[3, 3]]).reshape(2, 2, 4, 2, 4, 1).mean((2, 4))
    np.testing.assert_allclose(told["low_res"], expected, atol=1e-6)
    assert sorted(condition.record(told)) == ["labels", "low_res"]


def test_an_upsampler_draws_for_samples_of_a_smaller_model(tmp_path):
    data, file = Digits(), tmp_path / "samples.npz"
    small = np.random.default_rng(0).integers(0, 17, size=(5, 2, 2, 1)).astype(np.uint8)
    np.savez(file, samples=small, labels=np.arange(5), step=7)
    condition = LowResolution(factor=4, labels=ClassLabels(), sampled=str(file))
    told = condition.sample(KEY, jnp.array([1, 6]), data)
    np.testing.assert_array_equal(told["label"], [1, 1])
    np.testing.assert_array_equal(data.units.decode(told["low_res"]), small[[1, 1]])
    assert list(condition.replace(labels=Unconditional()).sample(KEY, jnp.array([0]), data)) == ["low_res"]
    with pytest.raises(InputError, match="sample the smaller model first"):
        condition.replace(sampled=str(tmp_path / "none.npz")).sample(KEY, jnp.array([0]), data)


@pytest.mark.parametrize(
    ("make", "named"),
    [
        (lambda: ClassLabels(drop=1.0), "drop"),
        (lambda: ClassLabels(drop=-0.1), "drop"),
        (lambda: LowResolution(factor=3)({"x": jnp.ones((2, 4, 6, 1))}, n_classes=None), "factor = 3"),
        (lambda: ClassLabels(sampled=()), "sampled"),
        (lambda: ClassLabels(sampled=(3, 11)).sample(KEY, jnp.arange(2), Digits()), "sampled = 11"),
    ],
)
def test_mistakes(make, named):
    with pytest.raises(InputError, match=named):
        make()
