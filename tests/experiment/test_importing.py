"""Weights in a file as the first checkpoint of a work directory: sampled and trained on as if made there."""

import json

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from flax import nnx, serialization

from score_sde import main
from score_sde.config import build, load_config
from score_sde.data import GaussianRing
from score_sde.denoisers import NoisePrediction, Preconditioned
from score_sde.errors import InputError
from score_sde.experiment import Experiment, import_weights, pretrained, restore, sample, train
from score_sde.experiment.importing import imported
from score_sde.interop import Layout, Source, save_network
from score_sde.interop.base import flatten
from score_sde.interop.moments import Moments
from score_sde.interop.transforms import identity, linear
from score_sde.interop.weights import Weights
from score_sde.networks import MLP
from score_sde.networks.base import partition
from score_sde.objectives import DenoisingScoreMatching
from score_sde.samplers import Ancestral, Sampler
from score_sde.sdes import VP
from score_sde.training import ConstantEMA, NoEMA, Plan, adam, sgd
from score_sde.training.checkpoint import Checkpoints

CONFIG = """
from score_sde.config import bind, call
from score_sde.data import GaussianRing
from score_sde.denoisers import NoisePrediction, Preconditioned
from score_sde.experiment import Experiment
from score_sde.networks import MLP
from score_sde.objectives import DenoisingScoreMatching
from score_sde.samplers import Ancestral, Sampler
from score_sde.sdes import VP
from score_sde.training import ConstantEMA, Plan, adam

def get_config():
    return call(
        Experiment,
        data=call(GaussianRing),
        sde=call(VP),
        network=bind(MLP.for_shape, width=16, depth=1),
        model=bind(Preconditioned, precondition=call(NoisePrediction)),
        objective=call(DenoisingScoreMatching),
        optimizer=call(adam, learning_rate=1e-3),
        ema=call(ConstantEMA, decay=0.9),
        training=call(Plan, steps=20, steps_per_call=10, log_every=10, checkpoint_every=20, batch_size=16),
        sampler=call(Sampler, predictor=call(Ancestral), n_steps=5),
        n_samples=8,
        sampling_batch=8,
    )
"""


def experiment(**changes):
    parts = {
        "data": GaussianRing(),
        "sde": VP(),
        "network": lambda *, shape, rngs: MLP.for_shape(shape, width=16, depth=1, rngs=rngs),
        "model": lambda network, sde: Preconditioned(
            network=network, sde=sde, precondition=NoisePrediction()
        ),
        "objective": DenoisingScoreMatching(),
        "optimizer": adam(learning_rate=1e-3, clip_norm=None),
        "ema": ConstantEMA(decay=0.9),
        "training": Plan(steps=20, steps_per_call=10, log_every=10, checkpoint_every=20, batch_size=16),
        "sampler": Sampler(predictor=Ancestral(), n_steps=5),
        "n_samples": 8,
        "sampling_batch": 8,
    }
    return Experiment(**(parts | changes))


def samples(run, workdir):
    with np.load(sample(run, workdir) / "samples.npz") as arrays:
        return arrays["samples"]


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A work directory that was trained, and its averages as a file."""
    folder = tmp_path_factory.mktemp("trained")
    train(experiment(), folder)
    return folder, save_network(folder / "net.safetensors", restore(experiment(), folder).model.network)


def command(workdir, config, mode, *more):
    try:
        return main.run(["score_sde", f"--mode={mode}", f"--config={config}", f"--workdir={workdir}", *more])
    finally:
        main.FLAGS.unparse_flags()
        main.FLAGS(["tests"])


def test_an_imported_model_samples_as_the_trained_one_and_is_trained_on(trained, tmp_path, capsys):
    folder, file = trained
    config, workdir = tmp_path / "config.py", tmp_path / "run"
    config.write_text(CONFIG)
    assert command(workdir, config, "import", f"--from={file}") == 0
    assert "a network of this package, 12 tensors, step 0" in capsys.readouterr().out
    expected = samples(experiment(), folder)
    assert command(workdir, config, "sample") == 0
    with np.load(workdir / "sample" / "samples.npz") as arrays:
        np.testing.assert_array_equal(arrays["samples"], expected)
    assert command(workdir, config, "train") == 0
    assert Checkpoints(workdir / "checkpoints").steps() == [0, 20]
    assert not np.array_equal(samples(build(load_config(str(config))), workdir), expected)


def test_a_model_without_a_work_directory(trained):
    folder, file = trained
    x, t = jnp.ones((3, 2)), jnp.full(3, 0.3)
    expected = restore(experiment(), folder).model(x, t)
    np.testing.assert_array_equal(pretrained(experiment(), file)(x, t), expected)


def test_mistakes_are_one_line(trained, tmp_path, capsys):
    folder, file = trained
    config, workdir = tmp_path / "config.py", tmp_path / "run"
    config.write_text(CONFIG)
    assert command(workdir, config, "import") == 2
    assert "--from" in capsys.readouterr().err
    assert command(workdir, config, "import", f"--from={tmp_path / 'absent.pth'}") == 2
    assert "absent.pth" in capsys.readouterr().err
    assert command(workdir, config, "import", f"--from={file}", "--config.network.depth=2") == 2
    told = capsys.readouterr().err
    assert "missing tensor embeds.1.bias" in told
    assert told.count("\n") == 1
    assert command(folder, config, "import", f"--from={file}") == 2
    assert "one without checkpoints" in capsys.readouterr().err


def names_of_flax(network):
    """MLP under names as a flax module's: a layer for each module of ours."""
    paths = [path for path, _ in flatten(partition(network)[0])]
    return {path: Source((path.replace(".", "_", path.count(".") - 1),)) for path in paths}


FLAX = Layout(title="an MLP in flax", recognises=lambda names: "first.kernel" in names, sources=names_of_flax)


def torch_sources(network):
    paths = [path for path, _ in flatten(partition(network)[0])]
    return {
        path: Source((path.replace("kernel", "weight"),), linear if path.endswith("kernel") else identity)
        for path in paths
    }


TORCH = Layout(
    title="an MLP in PyTorch", recognises=lambda names: "first.weight" in names, sources=torch_sources
)


def tree(shift, network):
    found = {}
    for path, value in flatten(partition(network)[0]):
        *above, last = path.split(".")
        found.setdefault("_".join(above), {})[last] = np.asarray(value) + np.float32(shift)
    return found


def network():
    return MLP(dim=2, width=16, depth=1, rngs=nnx.Rngs(5))


def test_score_sdes_flax_state_gives_parameters_and_averages(tmp_path):
    """The averages are sampled with, the parameters are trained on."""
    state = {
        "step": 30,
        "optimizer": {"target": tree(1, network()), "state": {}},
        "params_ema": tree(2, network()),
    }
    (tmp_path / "checkpoint_3").write_bytes(serialization.msgpack_serialize(state))
    import_weights(experiment(), tmp_path / "run", tmp_path / "checkpoint_3", (FLAX,))
    restored, own = restore(experiment(), tmp_path / "run"), network().first.kernel[...]
    assert restored.step == 30
    np.testing.assert_allclose(restored.model.network.first.kernel[...], own + 2, rtol=1e-6)
    state, _ = Checkpoints(tmp_path / "run" / "checkpoints").restore(experiment().make_state()[0])
    np.testing.assert_allclose(state.params["network"]["first"]["kernel"], own + 1, rtol=1e-6)


def weights(moments=None):
    own = {path.replace("kernel", "weight"): np.asarray(a).T for path, a in flatten(partition(network())[0])}
    return Weights(own, own, step=9, moments=moments)


def test_adam_goes_on_with_the_moments_of_the_file():
    """The next update is Adam's (Kingma and Ba 2015, algorithm 1) from the file's moments and count."""
    random, b1, b2, rate, eps, count = np.random.default_rng(0), 0.9, 0.999, 1e-3, 1e-8, 9
    first = {name: random.normal(size=a.shape).astype(np.float32) for name, a in weights().tensors.items()}
    second = {name: random.random(a.shape).astype(np.float32) for name, a in weights().tensors.items()}
    run = experiment(optimizer=adam(learning_rate=rate, b1=b1, b2=b2, eps=eps, clip_norm=None))
    state = imported(run, weights(Moments(first, second, count)), network(), TORCH)
    gradient = jax.tree.map(jnp.ones_like, state.params)
    updates, _ = run.optimizer.update(gradient, state.opt_state, state.params)
    m = b1 * first["first.weight"].T + (1 - b1)
    v = b2 * second["first.weight"].T + (1 - b2)
    expected = -rate * (m / (1 - b1 ** (count + 1))) / (np.sqrt(v / (1 - b2 ** (count + 1))) + eps)
    found = updates["network"]["first"]["kernel"]
    np.testing.assert_allclose(found, expected, rtol=1e-5)
    assert int(state.step) == 9


@pytest.mark.parametrize("optimizer", [sgd(momentum=0.9), optax.lion(1e-3)])
def test_another_optimizer_starts_afresh(optimizer):
    moments = Moments(weights().tensors, weights().tensors, 9)
    state = imported(experiment(optimizer=optimizer), weights(moments), network(), TORCH)
    kept = [np.asarray(leaf) for leaf in jax.tree.leaves(state.opt_state)]
    assert not any(leaf.any() for leaf in kept)


def test_without_averages_the_parameters_are_sampled_with():
    state = imported(experiment(ema=NoEMA()), weights(), network(), TORCH)
    assert jax.tree.leaves(state.ema) == []
    np.testing.assert_array_equal(state.params["network"]["first"]["kernel"], network().first.kernel[...])


def test_the_checkpoint_records_where_it_comes_from(trained, tmp_path):
    import_weights(experiment(), tmp_path, trained[1])
    _, record = Checkpoints(tmp_path / "checkpoints").restore(experiment().make_state()[0])
    assert record["imported"] == {"file": "net.safetensors", "layout": "a network of this package"}
    assert json.dumps(record)
    with pytest.raises(InputError, match="one without checkpoints"):
        import_weights(experiment(), tmp_path, trained[1])
