"""What ``--mode=eval`` measures."""

from configs.parts.variants import is_tiny, pick
from score_sde.config import call
from score_sde.experiment.inception import inception
from score_sde.experiment.measures import Frechet, Likelihood, Loss
from score_sde.integrators import Adaptive

INCEPTION = "data/pt_inception-2015-12-05-6726825d.pth"  # the weights of FID's network, from their authors


def loss(variant, data, *, split="test"):
    """The training objective on examples that are held out, or on the training ones where none are."""
    draws = pick(variant, 1 if split == "train" else 8, 1)
    return call(Loss, split=split, draws=draws, batch_size=pick(variant, batch_of(data), 16))


def batch_of(data):
    """As many examples at once as have about a million pixels together, which a device can evaluate."""
    return min(512, max(1, 2**20 // (data.get("size") or 32) ** 2))


def likelihood(variant, *, split="test"):
    """Bits/dim as Song et al. 2021: a Runge-Kutta pair at 1e-5 from t = 1e-5, Hutchinson's trace."""
    if is_tiny(variant):
        coarse = call(Adaptive, rtol=0.1, atol=0.1)
        return call(Likelihood, split=split, solver=coarse, refined=coarse, batch_size=8)
    fine, finer = (call(Adaptive, rtol=tolerance, atol=tolerance) for tolerance in (1e-5, 1e-6))
    return call(Likelihood, split=split, solver=fine, refined=finer)


def fid(variant, name):
    """For ``:fid``, the experiment's features, and the distance over 50,000 samples as a measure.

    ``--mode=inspect --config=FILE:fid --workdir=runs/data/NAME`` writes the statistics that it reads.
    """
    if not variant.endswith("fid"):
        return {}, ()
    features = call(inception, path=INCEPTION)
    statistics = f"runs/data/{name}/inspect/statistics.npz"
    measure = call(Frechet, statistics=statistics, features=features, n_samples=50_000)
    return {"features": features}, (measure,)
