"""The house: who may import whom, and how large a room may be."""

import ast
import functools
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "score_sde"
FILES = sorted(PACKAGE.rglob("*.py"))

LEVELS = [
    {"typing", "pytree", "arrays", "errors"},
    {"sdes", "integrators", "divergence", "dequantization"},
    {"denoisers", "networks"},
    {"samplers", "guidance", "inverse", "objectives", "likelihood"},
    {"training", "data", "evaluation", "interop"},
    {"config"},
    {"experiment"},
    {"main"},
]
LEVEL = {name: level for level, names in enumerate(LEVELS) for name in names}
PARTS = set().union(*LEVELS[1:4])  # folders of parts, which do not know one another


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


def parts_beside(path: Path) -> set[str]:
    """Files that define classes, in its own part of the package and not base.py, that a file imports."""
    here = folder(module_of(path))
    found = {name for name in ours(path) if folder(name) == here and not name.endswith(".base")}
    return {name for name in found if any(isinstance(n, ast.ClassDef) for n in tree(MODULES[name]).body)}


def ids(path: Path) -> str:
    return str(path.relative_to(PACKAGE))


inner = pytest.mark.parametrize("path", [p for p in FILES if p != PACKAGE / "__init__.py"], ids=ids)


@inner
def test_every_file_has_a_level(path):
    assert folder(module_of(path)) in LEVEL


@inner
def test_a_file_imports_from_lower_levels_or_its_own_folder(path):
    here = folder(module_of(path))
    for name in ours(path):
        there = folder(name)
        if here != there:
            lower = LEVEL[there] < LEVEL[here] or (LEVEL[here] == LEVEL[there] == 0)
            assert lower, f"{ids(path)} imports {name}: level {LEVEL[there]} into level {LEVEL[here]}"


@inner
def test_the_configuration_knows_nothing_of_the_rest(path):
    if folder(module_of(path)) == "config":
        assert {folder(name) for name in ours(path)} <= {"config", "errors"}


@inner
def test_parts_of_a_folder_do_not_build_on_one_another(path):
    """A part imports base.py, files of functions, or a file that in turn knows only those of the folder."""
    if path.name == "__init__.py" or folder(module_of(path)) not in PARTS:
        return
    for name in parts_beside(path):
        below = parts_beside(MODULES[name])
        assert not below, f"{ids(path)} imports {name}, which imports {', '.join(below)}"


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


@inner
def test_only_networks_import_flax(path):
    flax = {name for name in imports(path) if name.split(".")[0] == "flax"}
    assert not flax or folder(module_of(path)) == "networks"


@inner
def test_nothing_imports_configs_experiments_or_tests(path):
    assert not {name.split(".")[0] for name in imports(path)} & {"configs", "experiments", "tests"}


@pytest.mark.parametrize("path", FILES, ids=ids)
def test_files_are_named_for_what_they_are(path):
    vague = {"util", "utils", "helper", "helpers", "misc", "common", "registry"}
    assert not vague & {part.removesuffix(".py") for part in path.relative_to(PACKAGE).parts}


@pytest.mark.parametrize("path", FILES, ids=ids)
def test_files_are_short(path):
    assert len(path.read_text().splitlines()) <= 300


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
