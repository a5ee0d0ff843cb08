"""How much of everything each part does."""

from __future__ import annotations

from typing import Any, NamedTuple

from experiments.dynamics.systems import PARTS
from score_sde.errors import InputError, did_you_mean


class Amount(NamedTuple):
    """Of one part; what its numbers depend on."""

    seeds: int  # each with data, networks and problems of its own
    trajectories: int  # that are learnt from
    steps: int  # of each
    burn_in: int
    updates: int  # of each network
    batch_size: int
    problems: int  # trajectories that are assimilated
    draws: int  # for each
    exact_draws: int  # from models in closed form
    method_steps: int  # of the sampler of assimilation
    particles: int  # of the bootstrap filter; 0: none
    moved: int  # particles that the model of the next state moves; 0: none
    members: int  # of the ensemble Kalman filter
    origins: int  # of forecasts
    ensemble: int  # members of a forecast
    sampler_steps: int  # of the sampler of forecasts
    runs: int  # free runs
    run_steps: int  # states of each


class Size(NamedTuple):
    """What a run does."""

    parts: tuple[str, ...]
    amounts: dict[str, Amount]


FULL = {
    "linear": Amount(
        2, 256, 64, 0, 2000, 256, 1, 1024, 16_384, 64, 100_000, 16_384, 1024, 64, 32, 16, 32, 200
    ),
    "lorenz63": Amount(2, 256, 128, 60, 3000, 256, 2, 256, 0, 64, 65_536, 16_384, 256, 16, 32, 16, 32, 200),
    "lorenz96": Amount(2, 128, 100, 60, 1000, 64, 2, 16, 0, 32, 16_384, 0, 128, 6, 16, 12, 16, 60),
    "kuramoto-sivashinsky": Amount(2, 128, 100, 40, 1000, 64, 2, 16, 0, 32, 8192, 0, 128, 6, 16, 12, 16, 60),
    "kolmogorov": Amount(1, 16, 32, 40, 500, 4, 2, 4, 0, 24, 0, 0, 24, 2, 6, 10, 2, 12),
}
FIRST = ("linear", "lorenz63")  # unless others are asked for
QUICK = Amount(1, 16, 20, 10, 20, 16, 1, 8, 64, 4, 256, 256, 16, 2, 4, 4, 2, 12)


def full(parts: tuple[str, ...] = FIRST) -> Size:
    """What the README reports, of ``FIRST``."""
    require(parts)
    return Size(parts, {name: FULL[name] for name in parts})


def fast(parts: tuple[str, ...] = FIRST[:1]) -> Size:
    """Seconds of it."""
    require(parts)
    return Size(parts, dict.fromkeys(parts, QUICK))


def require(parts: tuple[str, ...]) -> None:
    """InputError for a part that there is not."""
    for name in parts:
        if name not in PARTS:
            expected = f"some of {', '.join(PARTS)}"
            raise InputError("--parts", name, expected, did_you_mean(name, list(PARTS)))


def kept(amount: Amount) -> dict[str, Any]:
    """What results of another size differ in: all but how many seeds there are."""
    return {name: value for name, value in amount._asdict().items() if name != "seeds"}
