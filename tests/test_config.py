"""Configurations: checked where they are written, overridden by text, built, kept as JSON."""

import dataclasses
import functools
from abc import ABC
from collections.abc import Callable
from typing import Any, Literal

import jax
import jax.numpy as jnp
import pytest
from flax import nnx

from score_sde import config, sdes
from score_sde.config import bind, build, call, override
from score_sde.errors import InputError
from score_sde.pytree import Pytree, static


class Grid(Pytree, ABC):
    """An abstract part."""


class Uniform(Grid):
    rho: float = 1.0


class Karras(Grid):
    rho: float = 7.0


class Sampler(Pytree):
    grid: Grid = Uniform()
    n_steps: int = static(10)
    eta: float | None = static(None)
    sizes: tuple[int, ...] = static((1, 2))
    kind: Literal["a", "b"] = static("a")
    transform: Callable[[Any], Any] | None = static(None)
    verbose: bool = static(False)
    name: str = static("plain")

    def __post_init__(self) -> None:
        if self.n_steps < 0:
            raise InputError("Sampler.n_steps", self.n_steps, "at least 0", "raise it")


class Run(Pytree):
    sde: sdes.SDE
    samplers: tuple[Sampler, ...] = ()
    network: Callable[..., Any] | None = static(None)


@dataclasses.dataclass
class Network:
    dim: int
    width: int = 8

    @classmethod
    def for_shape(cls, shape: tuple[int, ...], width: int = 8) -> "Network":
        if width < 1:
            raise InputError("Network.width", width, "at least 1")
        return cls(dim=shape[0], width=width)


class Deep(Network):
    pass


class Layer(nnx.Module):
    def __init__(self, dim: int, width: int = 3, *, rngs: nnx.Rngs) -> None:
        self.linear = nnx.Linear(dim, width, rngs=rngs)


def double(x: float, factor: float = 2.0) -> float:
    return factor * x


def broken() -> None:
    raise TypeError("a defect")


def told_by_field() -> None:
    raise InputError("data.size", -1, "at least 0")


def opens() -> None:
    raise InputError("digits.npz", 0, "a file")


def widened(**options: Any) -> Network:
    return Network(dim=1, **options)


def refuses(seed: int = 0) -> None:
    raise InputError("seed", seed, "another seed")


def open_ended(x: int = 1, **others: Any) -> dict[str, Any]:
    return {"x": x, **others}


@pytest.fixture
def run_config():
    return call(Run, sde=call(sdes.VP), samplers=(call(Sampler), call(Sampler, n_steps=3)))


def message(function: Callable[..., Any], *args: Any, **kwargs: Any) -> str:
    with pytest.raises(InputError) as caught:
        function(*args, **kwargs)
    assert "\n" not in str(caught.value)
    return str(caught.value)


# Writing


def test_a_call_is_data_with_every_simple_default():
    assert call(sdes.VP, beta_max=25).to_dict() == {
        "target": "score_sde.sdes.vp:VP", "T": 1.0, "beta_min": 0.1, "beta_max": 25.0
    }  # fmt: skip


def test_an_object_among_the_defaults_becomes_the_call_that_builds_it():
    made = call(Sampler)
    assert made.grid.to_dict() == {"target": f"{__name__}:Uniform", "rho": 1.0}
    override(made, "grid.rho", "5")
    assert build(made).grid.rho == 5.0


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"beta_mx": 20}, "VP.beta_mx = 20: expected one of T, beta_min, beta_max; did you mean beta_max?"),
        ({"beta_max": "20"}, "VP.beta_max = '20': expected a number"),
        ({"beta_max": True}, "VP.beta_max = True: expected a number"),
        ({"beta_max": None}, "VP.beta_max = None: expected a number"),
    ],
)
def test_a_mistake_is_told_where_it_is_written(arguments, told):
    assert message(call, sdes.VP, **arguments) == told


@pytest.mark.parametrize(
    ("field", "value", "wanted"),
    [
        ("n_steps", 2.5, "an integer"),
        ("n_steps", 2.0, "an integer"),
        ("n_steps", "many", "an integer"),
        ("eta", "x", "a number or None"),
        ("sizes", (1, 2.5), "a tuple whose members are an integer"),
        ("sizes", 3, "a tuple"),
        ("kind", "c", "'a' or 'b'"),
        ("verbose", 1, "true or false"),
        ("name", 3, "text"),
        ("grid", "Uniform", "a Grid, as call(...)"),
        ("grid", 3.0, "a Grid"),
        ("transform", "double", "a function, as bind(function, ...)"),
    ],
)
def test_wrong_types_are_refused(field, value, wanted):
    told = message(call, Sampler, **{field: value})
    assert told.startswith(f"Sampler.{field} = {value!r}: expected {wanted}")


def test_a_part_must_be_a_subclass_of_the_abstract_class_that_is_asked_for():
    assert build(call(Sampler, grid=call(Karras))).grid.rho == 7.0
    assert "expected a Grid" in message(call, Sampler, grid=call(sdes.VP))


def test_what_cannot_be_data_is_refused():
    assert "write call(Class, ...)" in message(call, Sampler, grid=Uniform())
    assert "imported by name" in message(call, lambda: 1)
    assert "Sampler.transform" in message(call, Sampler, transform=lambda x: x)
    assert "it is abstract" in message(call, sdes.GaussianSDE)


def test_a_required_argument_that_is_absent_is_named():
    assert message(call, Run) == "Run.sde = nothing: expected a value: it has no default; set it"


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("score_sde.sdes:VPP", "did you mean VP?"),
        ("score_sde.sde:VP", "No module named 'score_sde.sde'"),
        ("no_such_paper.sdes:Mine", "No module named 'no_such_paper'"),
        ("score_sde.sdes.VP", "module:Name"),
        ("score_sde.sdes:__all__", "a class or function"),
    ],
)
def test_a_target_that_does_not_exist(name, told, run_config):
    assert told in message(call, name)
    override(run_config, "sde.target", name)
    assert message(build, run_config).startswith(f"config.sde.target = {name!r}: expected ")


def test_a_module_whose_own_import_fails_is_told_apart(tmp_path, monkeypatch):
    (tmp_path / "my_broken_paper.py").write_text("import no_such_dependency\n")
    monkeypatch.syspath_prepend(tmp_path)
    assert "No module named 'no_such_dependency'" in message(call, "my_broken_paper:Mine")


def test_a_researchers_own_class_needs_no_registration(tmp_path, monkeypatch):
    (tmp_path / "my_paper.py").write_text(
        "from score_sde.sdes import GaussianSDE\n"
        "class Mine(GaussianSDE):\n"
        "    rate: float = 3.0\n"
        "    def alpha(self, t): return 1 - 0 * t\n"
        "    def sigma(self, t): return self.rate * t\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    made = call("my_paper:Mine")
    override(made, "rate", "4")
    assert build(made).sigma(0.5) == 2.0
    assert "did you mean rate?" in message(call, "my_paper:Mine", rat=1.0)
    assert build(call(Run, sde=made)).sde.rate == 4.0


# Targets of every kind


def test_functions_class_methods_modules_and_open_keywords():
    assert build(call(double, x=3)) == 6.0
    assert build(call(Network.for_shape, shape=[4, 2])) == Network(dim=4)
    made = build(call(Deep.for_shape, shape=(4,)))
    assert type(made) is Deep
    assert "expected one of shape, width" in message(call, Network.for_shape, shap=(1,))
    assert build(call(open_ended, y=2)) == {"x": 1, "y": 2}
    assert call(Layer, dim=2, rngs=call(nnx.Rngs, default=0)).width == 3
    assert "did you mean width?" in message(bind, Layer, widht=2)


def test_bind_leaves_arguments_open_and_keeps_defaults_overridable():
    described = call(Run, sde=call(sdes.VP), network=bind(Layer))
    override(described, "network.width", "5")
    network = build(described).network(dim=2, rngs=nnx.Rngs(0))
    assert network.linear.kernel.shape == (2, 5)


def test_functions_and_types_stand_for_themselves():
    described = call(Sampler, transform=jax.nn.silu)
    assert described.transform.to_dict() == {"bind": "jax.nn:silu"}
    assert build(described).transform is jax.nn.silu
    assert build(call(open_ended, dtype=jnp.bfloat16))["dtype"] is jnp.bfloat16
    scaled = build(call(Sampler, transform=bind(double, factor=3.0))).transform
    assert isinstance(scaled, functools.partial)
    assert scaled(2.0) == 6.0


def test_parts_are_copied_so_that_a_config_is_a_tree():
    shared = call(sdes.VP)
    made = call(Run, sde=shared)
    override(made, "sde.beta_max", "30")
    assert shared.beta_max == 20.0


def test_configs_are_locked():
    made = call(sdes.VP)
    with pytest.raises(AttributeError, match="beta_mx"):
        made.beta_mx = 3.0


# Building


def test_nested_parts_are_built(run_config):
    built = build(run_config)
    assert isinstance(built.sde, sdes.VP)
    assert [sampler.n_steps for sampler in built.samplers] == [10, 3]


def test_what_a_constructor_refuses_is_named_by_its_place(run_config):
    override(run_config, "samplers[1].n_steps", "-1")
    assert message(build, run_config) == "config.samplers[1].n_steps = -1: expected at least 0; raise it"
    bound = call(Run, sde=call(sdes.VP), network=bind(Network.for_shape, width=0))
    told = message(build(bound).network, shape=(3,))
    assert told == "config.network.width = 0: expected at least 1"


def test_a_bare_name_is_placed_too_and_another_place_is_kept():
    assert message(build, call(refuses, seed=3)) == "config.seed = 3: expected another seed"
    nested = call(open_ended, data=call(told_by_field))
    assert message(build, nested) == "config.data.size = -1: expected at least 0"
    assert message(build, call(opens)) == "config: digits.npz = 0: expected a file"


def test_a_name_that_goes_through_options_is_told_when_it_is_refused():
    described = call(widened)
    override(described, "width", "5")
    assert build(described).width == 5
    override(described, "widht", "5")
    assert message(build, described) == "config.widht = 5: expected an argument that widened takes"


def test_everything_is_checked_before_anything_is_built(run_config):
    override(run_config, "samplers[1].n_steps", "-1")
    with run_config.unlocked(), run_config.ignore_type():
        run_config.sde.beta_max = "high"
    assert message(build, run_config) == "config.sde.beta_max = 'high': expected a number"


def test_every_field_is_used_or_refused(run_config):
    with run_config.unlocked():
        run_config.sde.beta_mx = 3
    assert "config.sde.beta_mx = 3: expected one of T, beta_min, beta_max" in message(build, run_config)
    assert "call(...)" in message(build, {"sde": 3})


def test_errors_of_the_targets_own_say_where_they_arose():
    with pytest.raises(TypeError) as caught:
        build(call(broken))
    assert caught.value.__notes__ == [f"while building config ({__name__}:broken)"]


# Overriding


@pytest.mark.parametrize(
    ("path", "text", "value"),
    [
        ("samplers[0].n_steps", "7", 7),
        ("samplers[0].eta", "0.5", 0.5),
        ("samplers[0].eta", "1", 1.0),
        ("samplers[0].eta", "1e-3", 1e-3),
        ("samplers[0].eta", "None", None),
        ("samplers[0].eta", "inf", float("inf")),
        ("samplers[0].sizes", "(3, 4, 5)", (3, 4, 5)),
        ("samplers[0].sizes", "[3]", (3,)),
        ("samplers[0].sizes", "3,4", (3, 4)),
        ("samplers[0].verbose", "true", True),
        ("samplers[0].verbose", "False", False),
        ("samplers[0].kind", "b", "b"),
        ("samplers[0].name", "25", "25"),
        ("samplers[0].name", "jax.nn:relu", "jax.nn:relu"),
        ("samplers[0].name", "true", "true"),
        ("sde.T", "2", 2.0),
    ],
)
def test_texts_are_read_as_the_annotation_wants_them(run_config, path, text, value):
    override(run_config, path, text)
    root = run_config.to_dict()
    node = root["samplers"][0] if path.startswith("samplers") else root["sde"]
    assert node[path.rpartition(".")[2]] == value
    build(run_config)


@pytest.mark.parametrize(
    ("path", "text", "told"),
    [
        ("sde.beta_mx", "20", "sde.beta_mx = '20': expected one of T, beta_min, beta_max; did you mean"),
        ("sdee.beta_max", "20", "sdee = '20': expected one of sde, samplers, network"),
        ("sde.beta_max", "high", "sde.beta_max = 'high': expected a number"),
        ("sde.beta_max.more", "1", "sde.beta_max.more = '1': expected a field that exists"),
        ("network.width", "1", "network.width = '1': expected a field that exists; config"),
        ("samplers[0].n_steps", "abc", "samplers[0].n_steps = 'abc': expected an integer"),
        ("samplers[0].n_steps", "2.5", "samplers[0].n_steps = '2.5': expected an integer"),
        ("samplers[0].verbose", "maybe", "samplers[0].verbose = 'maybe': expected true or false"),
        ("samplers[4].n_steps", "2", "samplers[4] = '2': expected an index below 2"),
        ("sde", "score_sde.sdes:VPP", "sde = 'score_sde.sdes:VPP': expected a name in score_sde.sdes"),
        ("samplers[0].grid", "score_sde.sdes:VP", "samplers[0].grid = 'score_sde.sdes:VP': expected"),
        ("", "1", " = '1': expected the path of a field"),
    ],
)  # fmt: skip
def test_a_wrong_override_is_told_by_its_path(run_config, path, text, told):
    before = run_config.to_dict()
    assert message(override, run_config, path, text).startswith(f"config.{told}")
    assert run_config.to_dict() == before


def test_a_whole_part_is_replaced_by_name(run_config):
    override(run_config, "sde", "score_sde.sdes:VE")
    override(run_config, "sde.sigma_max", "90")
    override(run_config, "samplers[0].transform", "jax.nn:relu")
    built = build(run_config)
    assert isinstance(built.sde, sdes.VE)
    assert built.sde.sigma_max == 90.0
    assert built.samplers[0].transform(-1.0) == 0.0
    assert run_config.is_locked


# Keeping


def test_json_round_trip(run_config):
    override(run_config, "samplers[0].eta", "inf")
    text = config.to_json(run_config)
    again = config.from_json(text)
    assert again == run_config
    assert config.to_json(again) == text
    assert build(again).samplers[1].n_steps == 3
    with pytest.raises(AttributeError):
        again.new_field = 1


@pytest.mark.parametrize("text", ["", "{", "[1, 2]"])
def test_a_broken_json_file_is_named(text):
    assert message(config.from_json, text, "config.json").startswith("config.json = ")


def test_differences_name_the_fields(run_config):
    changed = config.from_json(config.to_json(run_config))
    override(changed, "sde.beta_max", "25")
    assert config.differences(run_config, changed) == {"config.sde.beta_max": (20.0, 25.0)}
    assert config.differences(run_config, run_config) == {}
