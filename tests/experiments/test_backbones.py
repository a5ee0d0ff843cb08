"""Plans of runs of equal minutes: a length that training takes, and the same one again."""

import pytest

from experiments.backbones import measure
from score_sde.errors import InputError


@pytest.mark.parametrize(("name", "rate"), [("U-Net", 2.9285), ("DiT", 1.6694)])
def test_a_run_is_as_long_as_fits_and_can_be_trained(tmp_path, monkeypatch, name, rate):
    folders = {name: tmp_path}
    monkeypatch.setattr(measure, "paces", lambda runs, size: dict.fromkeys(runs, rate))
    plan = measure.plan(folders, measure.Size(), 20.0)[name]
    run = measure.experiment(
        name, measure.Size(), int(plan["updates"])
    )  # refused where it is no whole number of calls
    assert abs(run.training.steps - 60 * 20 * rate) <= run.training.steps_per_call / 2
    monkeypatch.setattr(measure, "paces", lambda runs, size: dict.fromkeys(runs, 2 * rate))
    assert measure.plan(folders, measure.Size(), 20.0)[name] == plan
    with pytest.raises(InputError, match="20"):
        measure.plan(folders, measure.Size(), 10.0)


def test_a_length_that_is_no_whole_number_of_calls_is_refused():
    with pytest.raises(InputError, match="multiple"):
        measure.experiment("U-Net", measure.Size(), 3514)
