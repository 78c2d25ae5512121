"""Imports go down only; numba stays in its house; nothing dangerous is called."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "fastbp"
FILES = sorted(PACKAGE.rglob("*.py"))
# The storeys of the house, lowest first; a module imports from its own storey or from below.
STOREYS = [
    {"errors"},
    {"formulas"},
    {"parameters", "workspace", "storage", "files", "arguments", "options", "spec", "streams", "history", "report"},
    {"kernels", "reporting", "training", "base"},
    {"reference", "network"},
    {"checking", "equations", "datasets", "plotting"},
    {"cli", "__init__", "__main__"},
]
LEVEL = {name: level for level, names in enumerate(STOREYS) for name in names}
OPTIONAL = {"matplotlib": {"plotting"}, "sklearn": {"sklearn"}, "torch": set(), "jax": set()}


def module(path):
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imports(path):
    """Yield (top module of fastbp or None, full outside name or None) for every import of a file."""
    depth = len(path.relative_to(PACKAGE).parts) - 1
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from ((None, alias.name) for alias in node.names if not alias.name.startswith("fastbp"))
        elif isinstance(node, ast.ImportFrom):
            if node.level == 0:
                yield None, node.module
            elif node.level == depth + 1:
                yield from (((node.module or alias.name).split(".")[0], None) for alias in node.names)


def test_every_module_has_a_storey():
    assert {module(path) for path in FILES} <= set(LEVEL)


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_imports_go_down(path):
    for inside, outside in imports(path):
        if inside is not None and inside in LEVEL:
            assert LEVEL[inside] <= LEVEL[module(path)], f"{path.name} imports {inside}"
        if outside is not None:
            top = outside.split(".")[0]
            if top in ("numba", "llvmlite"):
                assert module(path) in ("kernels", "network"), f"{path.name} imports {top}"
            if top in OPTIONAL:
                assert module(path) in OPTIONAL[top], f"{path.name} imports {top}"
            assert top not in ("pickle", "marshal", "shelve"), f"{path.name} imports {top}"


def test_the_engines_do_not_know_each_other():
    for name, forbidden in {"reference": {"network", "kernels", "parameters"}, "network": {"reference"}}.items():
        assert not {inside for inside, _ in imports(PACKAGE / f"{name}.py")} & forbidden


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_nothing_is_compiled_outside_the_jit_module_and_nothing_is_executed(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Name):
            assert node.id not in ("exec", "eval", "globals"), f"{path.name} uses {node.id}"
            if node.id in ("njit", "cfunc", "jit", "vectorize", "guvectorize"):
                assert path.name in ("jit.py", "gemm.py"), f"{path.name} uses {node.id}"


def test_import_compiles_nothing_and_loads_nothing_optional():
    code = (
        "import sys, fastbp; from fastbp.kernels.epoch import train, predict;"
        "assert not train.overloads and not predict.overloads;"
        "print({'sklearn','matplotlib','torch','jax','pandas'} & set(sys.modules))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "set()"
