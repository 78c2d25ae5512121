"""The house: imports go down only, numba and optional packages stay where they belong."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import fastbp

PACKAGE = Path(fastbp.__file__).parent  # the one that is installed
FILES = {path.relative_to(PACKAGE).as_posix(): path for path in sorted(PACKAGE.rglob("*.py"))}
TREES = {name: ast.parse(path.read_text()) for name, path in FILES.items()}

# The storeys, lowest first: a module imports from below, or from its own storey.
STOREYS = [
    {"version", "errors", "processors", "room", "files", "html", "notebook", "pages"},
    {"plotting"},
    {"formulas"},
    {"border"},
    {"compiler"},
    {"vectors"},
    {"kernels"},
    {"memory"},
    {"training"},
    {"networks"},
    {"checking", "datasets", "insight", "nielsen", "sklearn", "export"},
    {"lesson"},
    {"cli"},
    {"__init__", "__main__"},
]
LEVEL = {name: level for level, names in enumerate(STOREYS) for name in names}
NUMBA = {"compiler", "vectors", "kernels", "networks"}
OPTIONAL = {
    "matplotlib": {"plotting", "pages", "lesson"},
    "polars": {"cli"},
    "IPython": {"notebook"},
    "sklearn": {"training", "sklearn"},
    "scipy": {"networks"},
    "onnx": {"export"},
}
LEAVES = {"sklearn"}  # imported by nobody but users, who have what it needs
PEERS = {"torch", "jax", "onnxruntime", "threadpoolctl"}  # only in benchmarks/
LAZY = {*OPTIONAL, "tqdm"}  # not before they are needed: they slow `import fastbp`
UNSAFE = {"pickle", "cPickle", "marshal", "shelve", "dill", "joblib", "cloudpickle"}


def room(name):
    """Return the module or folder of fastbp/ that a file belongs to."""
    return name.split("/")[0].removesuffix(".py")


def imports(name, tree):
    """Yield the full name of every module that a file of the package imports."""
    package = ["fastbp", *Path(name).parts[:-1]]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            start = package[: len(package) + 1 - node.level] if node.level else []
            base = [*start, *(node.module or "").split(".")] if node.module else start
            # `from . import x` and `from fastbp import x` import x, if it is a module
            yield from (".".join([*base, alias.name]) for alias in node.names)


def neighbours(name, tree):
    """Return the rooms of the package that a file imports; "__init__" is the package as a whole."""
    inside = [found.split(".") for found in imports(name, tree) if found.split(".")[0] == "fastbp"]
    return {parts[1] if len(parts) > 1 and parts[1] in LEVEL else "__init__" for parts in inside}


def climbs(name, tree):
    """Return the rooms above its own that a file imports."""
    return {other for other in neighbours(name, tree) if LEVEL[other] > LEVEL[room(name)]}


def outside(name, tree):
    return {found.split(".")[0] for found in imports(name, tree)} - {"fastbp"}


def modules(name, tree):
    """Return the files of the package that a file imports."""
    found = set()
    for full in imports(name, tree):
        parts = full.split(".")[1:]
        for path in ("/".join(parts), "/".join(parts[:-1])):
            found |= {file for file in (f"{path}.py", f"{path}/__init__.py") if file in FILES}
    return found


def reachable(start):
    """Return all files that a file imports, directly or through others."""
    seen, waiting = set(), {start}
    while waiting:
        here = waiting.pop()
        seen.add(here)
        waiting |= modules(here, TREES[here]) - seen
    return seen


class WithoutFunctions(ast.NodeTransformer):
    """Leaves what runs when a module is imported."""

    def visit_FunctionDef(self, node):
        return ast.Pass()


every_file = pytest.mark.parametrize(("name", "tree"), TREES.items(), ids=TREES)


def test_every_room_has_a_storey():
    assert {room(name) for name in FILES} <= set(LEVEL)


@every_file
def test_imports_go_down(name, tree):
    assert climbs(name, tree) == set()


@every_file
def test_packages_stay_where_they_belong(name, tree):
    used = outside(name, tree)
    if room(name) not in NUMBA:
        assert not used & {"numba", "llvmlite"}
    assert not [package for package in used & set(OPTIONAL) if room(name) not in OPTIONAL[package]]
    assert not used & (UNSAFE | PEERS)


@every_file
def test_optional_packages_are_imported_when_they_are_used(name, tree):
    if room(name) not in LEAVES:
        assert not outside(name, WithoutFunctions().visit(ast.parse(ast.unparse(tree)))) & LAZY


@every_file
def test_nobody_imports_a_leaf_that_needs_an_optional_package(name, tree):
    assert not neighbours(name, tree) & LEAVES - {room(name)}


def test_the_engines_do_not_know_each_other():
    reference, fast = reachable("networks/reference.py"), reachable("networks/fast.py")
    assert "networks/fast.py" not in reference
    assert "networks/reference.py" not in fast
    assert {room(name) for name in fast} >= {"compiler", "vectors", "kernels", "memory"}
    assert not {room(name) for name in reference} & {"compiler", "vectors", "kernels", "memory"}


@every_file
def test_numba_has_one_home_for_its_options(name, tree):
    used = {found for found in imports(name, tree) if found.split(".")[0] == "numba"}
    used |= {ast.unparse(node) for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    compilers = ("njit", "jit", "cfunc", "vectorize", "guvectorize", "stencil")
    if name != "compiler/jit.py":
        assert not used & {f"{package}.{word}" for package in ("numba", "nb") for word in compilers}


@every_file
def test_nothing_is_executed_from_text(name, tree):
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    assert not names & {"exec", "eval", "globals", "compile", "__import__"}


def test_the_public_names_are_explicit():
    """`__init__` says `from .module import X as X`, and lists these names: any tool can read it."""
    docstring, *statements, listing = TREES["__init__.py"].body
    assert isinstance(docstring.value, ast.Constant)
    assert isinstance(listing, ast.FunctionDef)
    assert listing.name == "__dir__"
    imported = {alias.name for node in statements if isinstance(node, ast.ImportFrom) for alias in node.names}
    assert set(dir(fastbp)) == set(fastbp.__all__) == imported | {"load"}
    assert all(hasattr(fastbp, name) for name in fastbp.__all__)
    for node in statements:
        assert isinstance(node, (ast.ImportFrom, ast.Assign)), ast.unparse(node)
        if isinstance(node, ast.ImportFrom):
            assert all(alias.asname == alias.name for alias in node.names), ast.unparse(node)


@pytest.mark.parametrize(
    ("name", "source", "broken"),
    [
        ("networks/reference.py", "import fastbp", "__init__"),
        ("networks/reference.py", "from . import base", None),
        ("networks/base.py", "from ..checking import cross", "checking"),
        ("training/loop.py", "from fastbp.networks.fast import Network", "networks"),
        ("kernels/epoch.py", "from ..networks.base import BaseNetwork", "networks"),
        ("kernels/epoch.py", "from ..networks import base", "networks"),
        ("kernels/epoch.py", "def f():\n    from ..training.loop import train", "training"),
        ("kernels/epoch.py", "from ..compiler.jit import kernel", None),
        ("vectors/simd.py", "from ..kernels.blocking import LINE", "kernels"),
        ("formulas/costs.py", "from ..networks.storage import write", "networks"),
    ],
)
def test_this_test_sees_an_import_that_climbs(name, source, broken):
    assert climbs(name, ast.parse(source)) == ({broken} if broken else set())


def test_import_compiles_nothing_and_loads_nothing_optional():
    code = """
import sys, fastbp
from fastbp.kernels import epoch, predict
assert not epoch.train.overloads and not predict.predict.overloads
print(sorted({"sklearn", "matplotlib", "torch", "jax", "pandas", "polars", "tqdm"} & set(sys.modules)))
"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"
