"""The reversible experiment: what is measured is what it says, and verdicts can be bad."""

import jax.numpy as jnp
import numpy as np
import pytest

from experiments.reversible import measure, peak, report, run, training, ways
from experiments.reversible.measure import Amount, Kind
from experiments.reversible.ways import PLAIN, REVERSIBLE, Size
from score_sde.networks.layers import FloatStreams, Reversible

SIZE = Size(width=16, heads=2, side=8, batch=2)


def test_one_step_is_measured():
    """A loss of the same network by both ways that are the same function; nothing is counted below zero."""
    found = {way: peak.measure(way, 2, SIZE) for way in (PLAIN, "in a loop")}
    losses = [row["loss"] for row in found.values()]
    np.testing.assert_allclose(*losses, rtol=0.5)  # drawn by names that differ, of the same law
    for row in found.values():
        assert row["temporaries"] > SIZE.stream
        assert row["parameters"] > 4 * 2 * 12 * 16**2
        # so small a step may find all its memory there: then the process does not grow
        assert row["resident"] is None or row["resident"] >= -row["parameters"]


def test_errors_are_relative(monkeypatch):
    kind = Kind(jnp.float32, FloatStreams())
    monkeypatch.setattr(measure, "KINDS", {"float32": kind})
    (row,) = measure.errors(Amount(size=SIZE, error_depths=(2,)))
    assert (row["depth"], row["kind"]) == (2, "float32")
    assert 0 < row["rebuilt"] < 1e-5
    assert 0 <= row["exact"] < 1
    assert row["gradient"] < 1e-5


def test_every_run_is_a_configuration():
    """Pairs differ in how towers are held, and in nothing else."""
    amount = Amount(updates=40)
    built = {name: training.experiment(name, 1, amount) for name in training.RUNS}
    assert {each.training.steps for each in built.values()} == {40}
    assert {each.seed for each in built.values()} == {1}
    for plain, reversible in (("DiT", "DiT, reversible"), ("U-Net of towers", "U-Net, reversible")):
        told = [dict(built[name].network.keywords) for name in (plain, reversible)]
        held = [options.pop("layers", None) for options in told]
        assert told[0] == told[1]
        assert held[0] != held[1]
    assert ways.WAYS[REVERSIBLE] == Reversible()


def results(growth=1.0, saving=10.0, gradient=1e-7, slower=1.4):
    """Of a machine whose every figure is known."""
    sizes = {(REVERSIBLE, 8): 1e6, (REVERSIBLE, 64): 1e6 * growth, (REVERSIBLE, 32): 1e6}
    sizes |= {(PLAIN, n): 1e6 * saving * n / 32 for n in (8, 32, 64)}
    memory = [
        {"way": way, "depth": n, "temporaries": size, "resident": None, "parameters": 1e5 * n}
        for (way, n), size in sizes.items()
    ]
    run = {name: {"mean": 0.5, "half_width": 0.01} for name in training.MEASURED}
    return {
        "memory": memory,
        "speed": [
            {"way": PLAIN, "depth": 16, "seconds": 1.0, "ratio": 1.0},
            {"way": REVERSIBLE, "depth": 16, "seconds": slower, "ratio": slower},
        ],
        "errors": [
            {"kind": "float32", "depth": n, "rebuilt": 1e-6, "exact": 0.5, "gradient": gradient * n / 32}
            for n in (8, 32)
        ],
        "training": {"DiT": run | {"parameters": 1000}},
    }


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"growth": 1.06}, "memory from depth 8 to 64: times 1.060, MISSED"),
        ({"saving": 4.9}, "plain memory over reversible at depth 32: 4.9, MISSED"),
        ({"gradient": 2e-5}, "gradients from ordinary ones: 2.0e-05, MISSED"),
        ({"slower": 1.7}, "step over the plain one's: 1.70, MISSED"),
    ],
)
def test_each_target_can_be_missed(change, line):
    missed = [told for told in report.verdicts(results(**change)) if "MISSED" in told]
    assert len(missed) == 1
    assert missed[0].startswith(line)
    assert not any("MISSED" in told for told in report.verdicts(results()))


def test_tables_and_the_picture(tmp_path):
    told = report.text(results())
    assert "0.500 +- 0.010" in told
    assert report.save_picture(tmp_path / "reversible.png", results()).stat().st_size > 1000


def test_mistakes_are_one_line(capsys):
    assert run.main(["run", "--parts=memory,sped"]) == 2
    assert capsys.readouterr().err.startswith("error: --parts = 'sped': expected some of memory, speed")
