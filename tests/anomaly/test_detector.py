"""The estimator: scikit-learn's own checks, its conventions, and that it finds what is strange."""

import pickle

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from sklearn.base import clone
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler
from sklearn.utils import estimator_checks

from score_sde import anomaly, denoisers, sdes
from score_sde.anomaly import DiffusionOutlierDetector
from score_sde.errors import InputError

TINY = {"width": 8, "depth": 1, "steps": 2, "batch_size": 8}
SCORES = {  # one of each way to train, to fit and to keep what was learnt; a ratio holds two likelihoods
    "ratio": anomaly.LikelihoodRatio(likelihood=anomaly.NegativeLogLikelihood(n_steps=1)),
    "norms": anomaly.MultiscaleScoreNorms(norms=anomaly.ScoreNorms(sigmas=(0.5, 1.0))),
    "nearest": anomaly.NearestTime(),
    "shapes": anomaly.NoiseShapes(),
    "categorical": anomaly.CategoricalTime(),
    "gamma": anomaly.InverseGammaTime(),
}
X = np.random.default_rng(0).normal(size=(40, 3))


def fails(detector, names=()):
    """Names and errors of scikit-learn's checks that fail, of all checks or of some."""
    found = []
    for estimator, check in estimator_checks.estimator_checks_generator(detector):
        name = getattr(check, "func", check).__name__
        if names and name not in names:
            continue
        try:
            check(estimator)
        except estimator_checks.SkipTest:
            continue
        except Exception as error:
            found.append((name, repr(error)))
    return found


@pytest.mark.filterwarnings("ignore")
def test_all_of_scikit_learn_s_checks_pass():
    """Without training, by the score that compiles fastest; ``check_estimator`` itself."""
    estimator_checks.check_estimator(DiffusionOutlierDetector(anomaly.NearestTime(k=3)), on_skip=None)


@pytest.mark.filterwarnings("ignore")
def test_its_checks_of_subsets_and_pickles_pass_with_training():
    names = ("check_methods_subset_invariance", "check_estimators_pickle", "check_n_features_in")
    assert not fails(DiffusionOutlierDetector(anomaly.CategoricalTime(), **TINY), names)
    assert not fails(DiffusionOutlierDetector(), ("check_outliers_train", "check_outliers_fit_predict"))


@pytest.mark.parametrize("name", SCORES)
def test_scores_train_repeat_and_are_pickled(name):
    detector = DiffusionOutlierDetector(SCORES[name], random_state=1, **TINY).fit(X)
    again = clone(detector).fit(X)
    kept = pickle.loads(pickle.dumps(detector))
    scores = detector.score_samples(X)
    np.testing.assert_array_equal(scores, again.score_samples(X))
    np.testing.assert_array_equal(scores, kept.score_samples(X))
    assert scores.shape == (40,)
    assert np.all(np.isfinite(scores))


def test_contamination_is_the_share_of_outliers():
    for share in (0.05, 0.3):
        detector = DiffusionOutlierDetector(anomaly.NearestTime(), contamination=share).fit(X)
        assert np.sum(detector.predict(X) == -1) == round(share * len(X))
        np.testing.assert_array_equal(detector.predict(X) == -1, detector.decision_function(X) < 0)
    for wrong in (0.0, 0.6):
        with pytest.raises(InputError, match="contamination"):
            DiffusionOutlierDetector(anomaly.NearestTime(), contamination=wrong).fit(X)


@pytest.mark.parametrize("score", [anomaly.NearestTime(), anomaly.NoiseShapes()], ids=["nearest", "shapes"])
def test_new_normal_rows_are_called_outliers_as_often_as_contamination_says(score):
    """Training rows are left out of what they are compared to; 5 neighbours would else call a third so."""
    rng = np.random.default_rng(0)
    detector = DiffusionOutlierDetector(score, contamination=0.1).fit(rng.normal(size=(800, 6)))
    share = np.mean(detector.predict(rng.normal(size=(2000, 6))) == -1)
    assert abs(share - 0.1) < 4 * np.sqrt(0.09 * (1 / 800 + 1 / 2000))


def test_columns_are_standardised_and_constant_ones_do_no_harm():
    wide = np.concatenate([X * [1e3, 1.0, 1e-3], np.full((40, 1), 7.0)], axis=1)
    plain = np.c_[X, np.zeros(40)]
    detector = DiffusionOutlierDetector(anomaly.NearestTime())
    found, expected = (clone(detector).fit(rows).score_samples(rows) for rows in (wide, plain))
    np.testing.assert_allclose(found, expected, rtol=1e-4)


def test_it_stands_in_a_pipeline():
    pipeline = make_pipeline(MinMaxScaler(), DiffusionOutlierDetector(anomaly.NearestTime()))
    assert set(pipeline.fit(X).predict(X)) == {-1, 1}


def test_a_given_model_is_not_trained_and_sees_the_rows_as_they_are():
    exact = denoisers.Gaussian(sde=sdes.VP(), mean=np.ones((3, 1)), covariance=np.eye(3))
    score = anomaly.ScoreNorms(sigmas=(0.5,))
    detector = DiffusionOutlierDetector(
        anomaly.MultiscaleScoreNorms(norms=score, density=anomaly.NearestRows(k=1)), model=exact, shape=(3, 1)
    ).fit(X)
    norms = np.linalg.norm(X - 1, axis=1) * 0.5 / 1.25
    new = np.linalg.norm(X[:5] * 2 - 1, axis=1) * 0.5 / 1.25
    expected = np.min(np.abs(new[:, None] - norms), axis=1) / norms.std()
    np.testing.assert_allclose(-detector.score_samples(X[:5] * 2), expected, atol=1e-4)
    with pytest.raises(InputError, match="shape"):
        DiffusionOutlierDetector(model=exact, shape=(2, 2)).fit(X)


@pytest.fixture(name="toy", scope="module")
def rows_in_a_plane():
    """Training and test rows, and a detector that trained a denoiser on the former.

    Anomalies have the right law in each column, but their columns do not belong together.
    """
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(600, 2)) @ rng.normal(size=(2, 6)) + 0.1 * rng.normal(size=(600, 6))
    train, normal, strange = rows[:300], rows[300:500], rng.permuted(rows[500:], axis=0)
    first = DiffusionOutlierDetector(
        anomaly.OneStepReconstruction(draws=4), random_state=0, width=32, depth=2, steps=300
    ).fit(train)
    return train, np.concatenate([normal, strange]), first


@pytest.mark.parametrize("name", ["likelihood", "norms", "reconstruction", "categorical", "shapes"])
def test_a_toy_s_anomalies_are_found(name, toy):
    train, test, first = toy
    scores = {
        "likelihood": anomaly.NegativeLogLikelihood(n_steps=4),
        "norms": anomaly.MultiscaleScoreNorms(),
        "reconstruction": first.anomaly_score,
        "categorical": anomaly.CategoricalTime(noise=anomaly.NoiseRange(sigma_max=1.0)),
        "shapes": anomaly.NoiseShapes(),
    }
    if name in ("likelihood", "norms"):  # by the denoiser that is there, whose rows are standardised
        rows, new = ((each - first.center_) / first.scale_ for each in (train, test))
        found = -DiffusionOutlierDetector(scores[name], model=first.model_).fit(rows).score_samples(new)
    elif name == "reconstruction":
        found = -first.score_samples(test)
    else:
        detector = DiffusionOutlierDetector(scores[name], random_state=0, width=32, depth=2, steps=300)
        found = -detector.fit(train).score_samples(test)
    # Of 200 against 100 chance alone stays below 0.5 + 4 * 0.036 (Mann-Whitney).
    assert roc_auc_score(np.repeat([0, 1], [200, 100]), found) > 0.8


def test_scores_do_not_depend_on_the_batch():
    exact = denoisers.Gaussian(sde=sdes.VP(), mean=np.zeros(3), covariance=np.eye(3))
    score, key, x = anomaly.DiffusionReconstruction(), jax.random.key(0), jnp.asarray(X, jnp.float32)
    all_at_once = anomaly.in_batches(score, exact, x, key, batch_size=40)
    told = []
    few = anomaly.in_batches(score, exact, x, key, batch_size=7, tell=lambda *done: told.append(done))
    np.testing.assert_allclose(all_at_once, few, rtol=1e-5)
    assert told[-1] == (40, 40)
