"""The house: who may import whom, and how large a room may be."""

import ast
import functools
from pathlib import Path

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "score_sde"
FILES = sorted(PACKAGE.rglob("*.py"))

LEVELS = [
    {"typing", "pytree", "arrays", "products", "errors"},
    {"sdes", "integrators", "divergence", "dequantization"},
    {"denoisers", "networks"},
    {"samplers", "guidance", "objectives"},
    {"inverse", "likelihood"},
    {"training", "data", "evaluation", "interop", "verification"},
    {"anomaly", "denoise", "dynamics", "series"},
    {"config"},
    {"experiment", "modes"},
    {"main"},
]
LEVEL = {name: level for level, names in enumerate(LEVELS) for name in names}
PARTS = set().union(*LEVELS[1:5])  # folders of parts, which do not know one another


def module_of(path: Path) -> str:
    names = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(names[:-1] if names[-1] == "__init__" else names)


MODULES = {module_of(path): path for path in FILES}


@functools.cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


@functools.cache
def imports(path: Path) -> frozenset[str]:
    """Absolute names of the modules that a file imports, also inside functions."""
    found = set()
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path}: relative import"
            names = {f"{node.module}.{alias.name}" for alias in node.names}
            modules = names & set(MODULES)
            found |= modules or {str(node.module)}
    return frozenset(found)


def ours(path: Path) -> list[str]:
    return sorted(name for name in imports(path) if name.split(".")[0] == "score_sde")


def folder(module: str) -> str:
    """The part of the package: ``sdes`` of ``score_sde.sdes.vp``."""
    return [*module.split("."), ""][1]


def is_layer(module: str) -> bool:
    """Layers are a floor below the networks that are built from them, and blocks hold layers."""
    return module.startswith("score_sde.networks.layers")


def parts_beside(path: Path) -> set[str]:
    """Files that define classes, in its own part of the package and not base.py, that a file imports."""
    here = folder(module_of(path))
    found = {name for name in ours(path) if folder(name) == here and not name.endswith(".base")}
    return {name for name in found if any(isinstance(n, ast.ClassDef) for n in tree(MODULES[name]).body)}


def ids(path: Path) -> str:
    return str(path.relative_to(PACKAGE))


INNER = [path for path in FILES if path != PACKAGE / "__init__.py"]


def test_every_file_has_a_level():
    assert not [ids(path) for path in INNER if folder(module_of(path)) not in LEVEL]


def test_a_file_imports_from_lower_levels_or_its_own_folder():
    wrong = []
    for path in INNER:
        here = folder(module_of(path))
        for there, name in ((folder(name), name) for name in ours(path)):
            allowed = here == there or LEVEL[there] < LEVEL[here] or LEVEL[here] == LEVEL[there] == 0
            wrong += (
                [] if allowed else [f"{ids(path)} imports {name}: level {LEVEL[there]} into {LEVEL[here]}"]
            )
    assert not wrong


def test_the_configuration_knows_nothing_of_the_rest():
    for path in (PACKAGE / "config").glob("*.py"):
        assert {folder(name) for name in ours(path)} <= {"config", "errors"}


def test_parts_of_a_folder_do_not_build_on_one_another():
    """A part imports base.py, files of functions, or a file that in turn knows only those of the folder."""
    parts = [path for path in INNER if path.name != "__init__.py" and folder(module_of(path)) in PARTS]
    parts = [path for path in parts if not is_layer(module_of(path))]
    links = [(path, name, parts_beside(MODULES[name])) for path in parts for name in parts_beside(path)]
    links = [link for link in links if not is_layer(link[1])]
    assert not [f"{ids(path)} imports {name}, which imports {below}" for path, name, below in links if below]


def test_layers_know_no_network():
    layers = [path for path in INNER if is_layer(module_of(path))]
    networks = {name for path in layers for name in ours(path) if folder(name) == "networks"}
    assert {name for name in networks if not is_layer(name)} <= {"score_sde.networks.base"}


def test_imports_have_no_cycle():
    open_, closed = [], set()

    def visit(module):
        assert module not in open_, f"cycle: {' -> '.join([*open_, module])}"
        if module in closed or module not in MODULES:
            return
        open_.append(module)
        for name in ours(MODULES[module]):
            visit(name)
        closed.add(open_.pop())

    for module in MODULES:
        visit(module)


def test_only_networks_import_flax():
    importing = [path for path in INNER if any(name.split(".")[0] == "flax" for name in imports(path))]
    assert importing
    assert {folder(module_of(path)) for path in importing} == {"networks"}


def test_nothing_imports_configs_experiments_or_tests():
    outside = {"configs", "experiments", "tests"}
    assert not [ids(path) for path in FILES if {name.split(".")[0] for name in imports(path)} & outside]


def test_files_are_named_for_what_they_are():
    vague = {"util", "utils", "helper", "helpers", "misc", "common", "registry"}
    names = {path: {part.removesuffix(".py") for part in path.relative_to(PACKAGE).parts} for path in FILES}
    assert not [ids(path) for path in FILES if names[path] & vague]


def test_files_are_short():
    assert not [ids(path) for path in FILES if len(path.read_text().splitlines()) > 300]


def lengths(path: Path) -> dict[str, int]:
    """Lines of every function, from ``def`` to its end."""
    nodes = ast.walk(tree(path))
    functions = [node for node in nodes if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    return {f"{ids(path)}:{f.lineno} {f.name}": (f.end_lineno or f.lineno) - f.lineno + 1 for f in functions}


def test_functions_are_short():
    found = {name: length for path in FILES for name, length in lengths(path).items()}
    assert not {name: length for name, length in found.items() if length > 60}
    assert sum(length <= 25 for length in found.values()) >= 0.9 * len(found)


def test_the_laws_of_this_file_can_fail(tmp_path):
    """``ast`` sees an import inside a function, and one that names a module after ``import``."""
    bad = tmp_path / "bad.py"
    bad.write_text(
        "def f():\n    from score_sde import main\n    import flax.nnx\n    from configs.x import y\n"
    )
    assert imports(bad) == {"score_sde.main", "flax.nnx", "configs.x"}
