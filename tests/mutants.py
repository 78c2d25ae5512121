"""Mutants: the package with one small fault in one place, and whether the tests notice.

    python tests/mutants.py 400            # as many, drawn by a seed; names those that survive
    python tests/mutants.py --only NAME    # those whose names have this in them

Of each area as many are drawn; what only says or annotates is left alone. A mutant is met by the tests that pass
through its line, found with coverage.py; of compiled code, through which it does not see, by the tests of its area.
"""

import argparse
import ast
import concurrent.futures
import os
import queue
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import NamedTuple

TREE = Path(__file__).parents[1]
SECONDS = 900  # of the tests of one mutant: a hang is noticed, too
ENOUGH = 60  # seconds of tests, as long as they take without a mutant

COMPARED = {ast.Lt: "<=", ast.LtE: "<", ast.Gt: ">=", ast.GtE: ">", ast.Eq: "!=", ast.NotEq: "==",
            ast.Is: "is not", ast.IsNot: "is", ast.In: "not in", ast.NotIn: "in"}  # fmt: skip
COMPUTED = {ast.Add: "-", ast.Sub: "+", ast.Mult: "/", ast.Div: "*", ast.FloorDiv: "*", ast.Mod: "*", ast.Pow: "*",
            ast.BitAnd: "|", ast.BitOr: "&", ast.LShift: ">>", ast.RShift: "<<"}  # fmt: skip
NAMED = {"min": "max", "max": "min", "minimum": "maximum", "maximum": "minimum", "any": "all", "all": "any",
         "sin": "cos", "floor": "ceil"}  # fmt: skip
SAYS = (ast.Raise, ast.JoinedStr, ast.Assert, ast.AnnAssign, ast.Import, ast.ImportFrom)
SAYING = {"warn", "warn_once", "_complain", "field", "TypeVar", "NamedTuple", "lookup"}
SAYING |= {"ask", "emit_prefetch"}  # for memory, ahead of time


class Area(NamedTuple):
    """What is mutated, and the tests that are to notice, the quickest first."""

    sources: tuple[str, ...]
    tests: tuple[str, ...]
    compiled: bool  # so that every mutant has all kernels compiled anew
    leave: tuple[str, ...] = ()  # files in which numbers decide how fast something is, and no more


AREAS = {
    "formulas": Area(
        ("formulas/*.py", "formulas/*/*.py"),
        ("test_formulas test_reference test_equations test_optimizers test_arguments",
         "test_golden test_own_formulas test_insight test_checking test_defaults",
         "test_network test_looks test_updates test_whole_batch test_training test_online test_export test_vmath"),
        compiled=True,
    ),
    "kernels": Area(
        ("kernels/*.py", "kernels/*/*.py"),
        ("test_network kernels test_kernels", "test_sparse test_looks test_predicting test_online test_updates",
         "test_kinds_of_data test_training test_whole_batch test_team test_export test_numbers test_samples"),
        compiled=True,
        leave=("blocking.py", "clock.py"),
    ),
    "border": Area(
        ("border/*.py",),
        ("test_arguments test_labels test_columns test_frames test_defaults test_doubts test_kinds_of_data",
         "test_sparse test_training test_hostile_arrays test_storage test_streaming test_trainer test_hostile_files",
         "test_cli test_cli_tables test_predicting test_updates test_resume test_sklearn"),
        compiled=False,
    ),
    "storage": Area(
        ("networks/storage.py", "networks/model_file.py", "networks/checkpoint.py", "networks/resume.py", "files.py",
         "room.py", "nielsen/stored.py", "nielsen/pickled.py", "datasets/idx.py", "export/network2.py",
         "compiler/folders.py"),
        ("test_storage test_resume test_datasets", "test_jit test_nielsen test_export test_hostile_files test_crash",
         "test_cli"),
        compiled=False,
    ),
}  # fmt: skip
# Tests that are near a file, which coverage does not see: of compiled code, or in processes of their own.
NEAR = {
    "looks": "test_looks", "sparse.py": "test_sparse", "nonzeros.py": "test_nonzeros", "online.py": "test_online",
    "predict.py": "test_predicting test_arguments", "embedded.py": "test_predicting", "gram.py": "test_whole_batch",
    "inputs.py": "test_samples", "convert.py": "test_kinds_of_data", "barrier.py": "test_team",
    "pieces.py": "test_team", "chains.py": "test_team", "epoch.py": "test_team", "passes.py": "test_team",
    "rules.py": "test_updates", "update.py": "test_updates test_sparse", "halves.py": "test_updates",
    "shuffle.py": "test_nielsen", "constrain.py": "test_updates", "drop.py": "test_network",
    "folders.py": "test_jit", "files.py": "test_storage",
}  # fmt: skip


class Mutant(NamedTuple):
    """A file of the package with text put in a place of it."""

    area: str
    file: str
    lines: range  # of the statement
    start: int  # in bytes of the file
    stop: int
    instead: str
    name: str


def mutants(area, file, source):
    """Return all mutants of a file."""
    content = source.encode()
    starts = [0]
    for line in content.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    found = []
    lines = range(0)

    def place(node, end=False):
        return starts[(node.end_lineno if end else node.lineno) - 1] + (node.end_col_offset if end else node.col_offset)

    def add(node, start, stop, instead):
        before = " ".join(content[start:stop].decode().split())
        column = start - starts[node.lineno - 1]
        name = f"{file}:{node.lineno}:{column}: {before} -> {instead}"
        found.append(Mutant(area, file, lines, start, stop, instead, name))

    def between(left, right, token, node):
        """Replace the operator between two operands, which may stand in brackets."""
        start, stop = place(left, end=True), place(right)
        gap = content[start:stop].decode()
        core = gap.strip(" ()\n\\")
        if core and "#" not in gap:
            at = start + gap.index(core)
            add(node, at, at + len(core.encode()), token)

    def visit(node, parent):
        nonlocal lines
        if isinstance(node, SAYS) or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)):
            return
        if isinstance(node, ast.Call) and _called(node) in SAYING:
            return
        if isinstance(node, ast.stmt):
            lines = range(node.lineno, (node.lineno if hasattr(node, "body") else node.end_lineno) + 1)
        match node:
            case ast.Compare(ops=[op]) if type(op) in COMPARED:
                between(node.left, node.comparators[0], COMPARED[type(op)], node)
            case ast.BinOp() if type(node.op) in COMPUTED and not _is_text(node.left):
                between(node.left, node.right, COMPUTED[type(node.op)], node)
            case ast.AugAssign() if type(node.op) in COMPUTED:
                between(node.target, node.value, COMPUTED[type(node.op)] + "=", node)
            case ast.BoolOp():
                between(*node.values[:2], "or" if isinstance(node.op, ast.And) else "and", node)
            case ast.UnaryOp(op=ast.Not()) | ast.UnaryOp(op=ast.USub()):
                add(node, place(node), place(node) + (3 if isinstance(node.op, ast.Not) else 1), "")
            case ast.Constant(value=bool()):
                add(node, place(node), place(node, end=True), str(not node.value))
            case ast.Constant(value=int()):
                add(node, place(node), place(node, end=True), str(node.value + 1))
            case ast.Constant(value=float()):
                add(node, place(node), place(node, end=True), repr(2 * node.value or 1.0))
            case ast.Name() if node.id in NAMED and isinstance(parent, ast.Call):
                add(node, place(node), place(node, end=True), NAMED[node.id])
            case ast.Attribute() if node.attr in NAMED and isinstance(parent, ast.Call):
                end = place(node, end=True)
                add(node, end - len(node.attr), end, NAMED[node.attr])
            case ast.If(test=ast.Name() | ast.Attribute() | ast.Call()):
                add(node.test, place(node.test), place(node.test, end=True), f"not {ast.unparse(node.test)}")
            case ast.Expr(value=ast.Call()) if _called(node.value) not in SAYING:
                add(node, place(node), place(node, end=True), "pass")
        for name, value in ast.iter_fields(node):
            if name not in ("annotation", "returns", "decorator_list", "type_params"):
                for child in value if isinstance(value, list) else [value]:
                    if isinstance(child, ast.AST):
                        visit(child, node)

    visit(ast.parse(source), None)
    return found


def _called(call):
    function = call.func
    return function.id if isinstance(function, ast.Name) else getattr(function, "attr", "")


def _is_text(node):
    return isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str))


def all_mutants():
    """Return every mutant there is, by area."""
    found = {}
    for name, area in AREAS.items():
        files = [path for pattern in area.sources for path in sorted((TREE / "fastbp").glob(pattern))]
        found[name] = [
            mutant
            for path in files
            if path.name not in area.leave
            for mutant in mutants(name, str(path.relative_to(TREE)), path.read_text())
        ]
    return found


def drawn(number, seed=0):
    """Draw as many of each area."""
    draw = random.Random(seed)
    shares = [draw.sample(some, number // len(AREAS)) for some in all_mutants().values()]
    return [mutant for share in zip(*shares, strict=True) for mutant in share]


def files_of(tests):
    """Return the paths of tests that are named in a row."""
    return [f"tests/{name}" if name == "kernels" else f"tests/{name}.py" for name in tests.split()]


class Worker:
    """A copy of the sources, in which one mutant lives after the other."""

    def __init__(self, folder):
        self.folder = Path(folder)
        for name in ("fastbp", "tests", "benchmarks"):
            shutil.copytree(TREE / name, self.folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        for name in ("pyproject.toml", "README.md", "LICENSE"):
            shutil.copy(TREE / name, self.folder)

    def notices(self, mutant, tests, seconds=SECONDS):
        """Return the first test that fails, None if all pass."""
        path = self.folder / mutant.file
        content = path.read_bytes()
        path.write_bytes(content[: mutant.start] + mutant.instead.encode() + content[mutant.stop :])
        try:
            return self._first_to_fail(tests, seconds, "changed" if AREAS[mutant.area].compiled else "kept")
        finally:
            path.write_bytes(content)
            shutil.rmtree(self.folder / "changed", ignore_errors=True)

    def _first_to_fail(self, tests, seconds, cache):
        try:
            done = self.run("-m", "pytest", "-q", "-x", "--tb=no", *tests, cache=cache, timeout=seconds)
        except subprocess.TimeoutExpired:
            return "hangs"
        if not done.returncode:
            return None
        if "ERROR: not found" in done.stderr + done.stdout:
            raise RuntimeError(f"no such tests: {' '.join(tests)}")
        lines = [line for line in done.stdout.splitlines() if line.startswith(("FAILED", "ERROR"))]
        return lines[0][:160] if lines else f"exit code {done.returncode}"

    def run(self, *command, cache="kept", timeout=None):
        """Run Python here, with compiled code from a folder of this copy."""
        environment = {**os.environ, "PYTHONPATH": str(self.folder), "NUMBA_CACHE_DIR": str(self.folder / cache),
                       "PYTHONDONTWRITEBYTECODE": "1", "MPLBACKEND": "agg"}  # fmt: skip
        return subprocess.run(
            [sys.executable, *command],
            cwd=self.folder,
            env=environment,
            capture_output=True,
            text=True,
            timeout=timeout,
        )


class Passing:
    """Which tests pass through which lines, and how long they take."""

    def __init__(self, worker, areas):
        import coverage  # only who judges mutants needs it

        files = sorted({file for name in areas for tests in AREAS[name].tests for file in files_of(tests)})
        (worker.folder / ".coveragerc").write_text("[run]\ndynamic_context = test_function\nsource = fastbp\n")
        run = worker.run("-m", "coverage", "run", "-m", "pytest", "-q", "--junitxml=times.xml", *files)
        if run.returncode:
            raise RuntimeError(f"tests fail without a mutant:\n{run.stdout[-2000:]}")
        self.seconds = {}
        for case in ElementTree.parse(worker.folder / "times.xml").iter("testcase"):
            name = f"{case.get('classname').rpartition('.')[2]}.{case.get('name').partition('[')[0]}"
            self.seconds[name] = self.seconds.get(name, 0) + float(case.get("time"))
        self.data = coverage.CoverageData(str(worker.folder / ".coverage"))
        self.data.read()
        self.folder = worker.folder

    def tests(self, mutant):
        """Return the tests to meet a mutant, the likeliest first."""
        area = AREAS[mutant.area]
        groups = [name for tests in area.tests for name in tests.split()]
        contexts = self.data.contexts_by_lineno(str(self.folder / mutant.file))
        through = {re.sub(r"^tests\.", "", name) for line in mutant.lines for name in contexts.get(line, [])} - {""}
        known = [name for name in through if name in self.seconds and name.partition(".")[0] in groups]
        if mutant.area == "kernels" or not known:
            return near(mutant, area.tests)
        order = [tests.split() for tests in area.tests]
        group = {name: place for place, names in enumerate(order) for name in names}
        known.sort(key=lambda name: (group[name.partition(".")[0]], self.seconds[name]))
        chosen, spent = near(mutant, ()), 0.0
        for name in known:
            spent += self.seconds[name]
            if spent > ENOUGH and len(chosen) > 1:
                break
            file, _, function = name.partition(".")
            chosen.append(f"tests/{file}.py::{function}")
        return chosen


def near(mutant, tests):
    """Return these tests, those that are near the mutant's file first."""
    first = [tests for part, tests in NEAR.items() if part in mutant.file.split("/")]
    return list(dict.fromkeys(file for some in (*first, *tests) for file in files_of(some)))


def judge(some, workers=2, report=print):
    """Return the mutants that survive."""
    survivors = []
    with tempfile.TemporaryDirectory() as folder, concurrent.futures.ThreadPoolExecutor(workers) as pool:
        free = queue.Queue()
        copies = [Worker(Path(folder) / str(place)) for place in range(workers)]
        passing = Passing(copies[0], {mutant.area for mutant in some} - {"kernels"})
        for copy in copies:
            free.put(copy)

        def one(mutant):
            worker, start = free.get(), time.monotonic()
            try:
                noticed = worker.notices(mutant, passing.tests(mutant))
            finally:
                free.put(worker)
            outcome = "killed  " if noticed else "SURVIVED"
            report(f"{outcome} {time.monotonic() - start:5.0f} s  {mutant.name}  {noticed or ''}")
            if not noticed:
                survivors.append(mutant)

        list(pool.map(one, some))
    return survivors


def main():
    """Judge some mutants."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("number", type=int, nargs="?", default=400)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", help="part of a name")
    parser.add_argument("--area", choices=AREAS)
    options = parser.parse_args()
    some = drawn(options.number, options.seed)
    if options.only:
        some = [mutant for group in all_mutants().values() for mutant in group if options.only in mutant.name]
    some = [mutant for mutant in some if options.area in (None, mutant.area)]
    survivors = judge(some, report=lambda line: print(line, flush=True))
    print(f"{len(some) - len(survivors)} of {len(some)} killed")


if __name__ == "__main__":
    main()
