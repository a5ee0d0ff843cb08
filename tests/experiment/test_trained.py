"""The model of a finished run as a part of another configuration."""

import jax.numpy as jnp
import numpy as np
import pytest

from score_sde.config import build, call
from score_sde.errors import InputError
from score_sde.experiment import restore, train
from score_sde.experiment.trained import trained
from score_sde.samplers import Ancestral

FILE = """
from score_sde.config import bind, call
from score_sde.data import GaussianRing
from score_sde.denoisers import NoisePrediction
from score_sde.experiment import Experiment
from score_sde.networks import MLP
from score_sde.objectives import DenoisingScoreMatching
from score_sde.samplers import Ancestral, Sampler
from score_sde.sdes import VP
from score_sde.training import ConstantEMA, Plan, adam


def get_config():
    return call(
        Experiment,
        data=call(GaussianRing, size=64),
        sde=call(VP),
        network=bind(MLP.for_shape, width=8, depth=1),
        model=bind("score_sde.denoisers:Preconditioned", precondition=call(NoisePrediction)),
        objective=call(DenoisingScoreMatching),
        optimizer=call(adam, learning_rate=1e-2),
        ema=call(ConstantEMA, decay=0.5),
        training=call(Plan, steps=3, batch_size=8, log_every=1, checkpoint_every=3, snapshot_every=3),
        sampler=call(Sampler, predictor=call(Ancestral), n_steps=2),
    )
"""


def test_a_run_becomes_a_part(tmp_path):
    file, workdir = tmp_path / "small.py", tmp_path / "run"
    file.write_text(FILE)
    node = call(trained, config=str(file), workdir=str(workdir))
    with pytest.raises(InputError, match=f"--mode=train --config={file} --workdir={workdir}$"):
        build(node)
    workdir.mkdir()
    with pytest.raises(InputError, match="checkpoint"):
        build(node)
    from score_sde.config import load_config

    experiment = build(load_config(str(file)))
    train(experiment, workdir)
    x = jnp.ones((2, 2))
    predictor = build(call(Ancestral, guide=node))
    expected = restore(experiment, workdir).model.score(x, 0.5)
    np.testing.assert_array_equal(predictor.guide.score(x, 0.5), expected)
