"""The measured orders: found by being there, right where they are known, and a wrong claim is told."""

import json
from pathlib import Path

import jax.numpy as jnp
import numpy as np
import pytest
from scipy.stats import multivariate_normal
from walk import concrete_subclasses

from experiments.solver_orders import entrants, measure, report, strong
from score_sde import samplers, sdes
from score_sde.samplers import DDIM, ExponentialMultistep

pytestmark = pytest.mark.usefixtures("x64")
COUNTS = (64, 128)
ROOT = Path(__file__).parents[2]


class Boastful(DDIM):
    """A first-order step that claims the second."""

    @property
    def order(self):
        return 2


def test_every_predictor_is_entered():
    named = {type(predictor).__name__ for predictor in entrants.entrants()}
    known = concrete_subclasses(samplers.Predictor, under="score_sde.samplers.predictors")
    assert named == {cls.__name__ for cls in known} - {"NoPredictor"}


def test_the_flow_keeps_quantiles():
    """Of a normal law it is known: x moves with the mean and the standard deviation."""
    model, times = measure.normal(sdes.VP()), measure.grid(sdes.VP(), 4)
    found = measure.flow(model, np.array([[0.4], [-1.0]]), times)
    expected = measure._flowed(sdes.VP(), jnp.array([[0.4], [-1.0]]), times)
    np.testing.assert_allclose(found[1:], expected, rtol=1e-10)


def test_the_mixture_is_the_one_that_it_says():
    """Its density is that of three normal laws by scipy, which makes the flow that of its denoiser."""
    model, t, x = measure.mixture(sdes.VP()), jnp.array(0.3), np.array([[0.2, -0.5], [1.0, 1.0]])
    alpha, variance = float(sdes.VP().alpha(t)), float(sdes.VP().variance(t))
    laws = [
        multivariate_normal(alpha * mean, (alpha**2 * 0.36 + variance) * np.eye(2))
        for mean in np.asarray(model.means)
    ]
    density = sum(w * law.pdf(x) for w, law in zip((0.5, 0.3, 0.2), laws, strict=True))
    np.testing.assert_allclose(model.log_prob(x, t), np.log(density), rtol=1e-9)


def test_a_wrong_claim_is_told():
    errors = measure.FlowErrors(sdes.VP(), COUNTS)
    rows = []
    for predictor in (ExponentialMultistep(terms=2), Boastful()):
        found = errors(predictor)
        flow = {"VP": {"errors": found, "order": measure.order(COUNTS, found)}}
        rows.append({"predictor": type(predictor).__name__, "order": predictor.order, "flow": flow})
    (told,) = report.misses(rows)
    assert told.startswith("Boastful on VP: 0.9")


class Averaged(samplers.ExponentialEulerMaruyama):
    """Of the right law, but its noise has a sign of its own in every step: of no path."""

    def step(self, key, model, x, t, s, memory=(), cond=None):
        step = super().step(key, model, x, t, s, memory, cond)
        sign = jnp.where(jnp.floor(1e4 * t) % 2 == 0, 1.0, -1.0)
        return step._replace(x=step.mean + sign * (step.x - step.mean))


def test_the_strong_order_is_one_along_a_path_and_none_beside_it():
    """Of additive noise (Kloeden and Platen 1992, section 10.3), in the fast form of the experiment."""
    errors = strong.StrongErrors(sdes.VP(), COUNTS)
    for predictor in (samplers.Ancestral(), samplers.DPMSolverPP2M(churn=1.0)):
        assert measure.order(COUNTS, errors(predictor)) == pytest.approx(1, abs=0.15)
    assert abs(measure.order(COUNTS, errors(Averaged()))) < 0.3


def test_orders_are_those_above_rounding():
    assert measure.order((16, 32, 64), (1e-4, 1e-6, 1e-8)) == pytest.approx(np.log2(100))
    assert measure.order((16, 32, 64), (1e-4, 1e-6, 1e-14)) == pytest.approx(np.log2(100))
    assert np.isnan(measure.order((16, 32), (1e-13, 1e-14)))


@pytest.mark.parametrize("page", ["README.md", "experiments/solver_orders/README.md"])
def test_pages_show_the_orders_that_were_measured(page):
    """Each row of a page's table, as far as it goes, is a row of orders.json."""
    measured = json.loads((ROOT / "experiments/solver_orders/orders.json").read_text())["rows"]
    known = {row["predictor"]: row for row in measured}
    rows = [
        [cell.strip(" `") for cell in line.strip("|").split("|")]
        for line in (ROOT / page).read_text().splitlines()
        if line.startswith("| ") and line.strip("|").split("|")[0].strip(" `") in known
    ]
    assert len(rows) >= 15
    for name, evaluations, order, *cells in rows:
        row, figures = known[name], iter(cells)
        assert [int(evaluations), int(order)] == [row["evaluations"], row["order"]]
        for sde in ("VP", "VE", "RectifiedFlow"):
            of = row["flow"].get(sde)
            assert next(figures) == ("" if of is None else f"{of['order']:.2f}")
