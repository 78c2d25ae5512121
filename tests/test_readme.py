"""README keeps its promises: its examples run, its commands exist, and CI runs them."""

import re
import shlex
import shutil
import subprocess
from inspect import signature
from pathlib import Path

import numpy as np
import pytest

import fastbp
from fastbp.border import defaults
from fastbp.cli import _parser
from fastbp.formulas.activations import ACTIVATIONS
from fastbp.formulas.costs import COSTS
from fastbp.formulas.initializers import INITIALIZERS

ROOT = Path(__file__).parent.parent
if not (ROOT / "README.md").exists():
    pytest.skip("README is not beside the tests", allow_module_level=True)
README = (ROOT / "README.md").read_text(encoding="utf-8")
CI = (ROOT / ".ci" / "run").read_text(encoding="utf-8")


def blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.S | re.M)


def command(name):
    """Return the one line that follows a marker."""
    (found,) = re.findall(rf"^<!-- {name}-command -->\n```sh\n([^\n]+)\n```$", README, re.M)
    return found


def test_every_python_example_runs(tmp_path, monkeypatch):
    """In order, in one session, as a reader would type them."""
    monkeypatch.chdir(tmp_path)
    names = {}
    for block in blocks("python"):
        exec(compile(block, "README.md", "exec"), names)
    assert len(blocks("python")) >= 8
    fish = fastbp.load("fish.safetensors")
    assert set(fish.classes) == {"carp", "salmon", "trout"}
    assert fish.evaluate(names["scaled"], names["kind"]).accuracy > 0.9
    assert names["error"] < 0.15 * names["deviation"]
    assert names["score"].accuracy > 0.95
    assert len(names["run"]) < 200
    assert names["fitted"].cost[-1] < 1e-3
    np.testing.assert_allclose(names["swing"](np.array([1.0, 0.0]), 0.001, 6_700), [1.0, 0.0], atol=0.1)
    assert names["same"].score(names["data"].x_test, names["data"].y_test) > 0.9
    assert names["free"].score(names["table"], names["kind"]) > 0.9
    assert names["nielsen"].accuracy(names["tests"]) > 300
    assert (tmp_path / "digits.c").is_file()
    assert names["book"].evaluate(names["data"].x_test, names["data"].y_test).accuracy > 0.9


@pytest.mark.parametrize("name", ["main", "test"])
@pytest.mark.skipif(shutil.which("bash") is None, reason="CI is a shell script")
def test_ci_runs_the_commands_of_readme(name):
    (function,) = re.findall(r"^readme\(\) .*$", CI, re.M)
    assert f"=$(readme {name}-command)" in CI
    script = f"{function}\nreadme {name}-command"
    found = subprocess.run(["bash", "-euc", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert found.stdout.strip() == command(name)


def test_commands_in_examples_are_accepted():
    lines = [line.partition("#")[0].strip() for block in blocks("sh") for line in block.splitlines()]
    examples = [line for line in lines if line.startswith("fastbp ")]
    assert len(examples) >= 6
    for line in examples:
        _parser().parse_args(shlex.split(line)[1:])


def test_the_table_of_defaults_says_what_the_code_does():
    cells = [[cell.strip() for cell in line.split("|")[1:-1]] for line in README.splitlines() if line.startswith("| `")]
    said = {row[0]: row[1] for row in cells}
    samples = f"{defaults.SAMPLES:,}".replace(",", " ")
    epochs = f"{defaults.EPOCHS}, or as many as show the network {samples} samples; {defaults.BATCH_SIZE}"
    assert said["`epochs`, `batch_size`"] == epochs
    assert f"`Adam({defaults.OPTIMIZER.learning_rate:.0e}" in said["`optimizer`"].replace("1e-3", "1e-03")
    usual = fastbp.Activation.initializer
    assert said["`initializer`"].endswith(f"{usual} for all others")
    for row in ACTIVATIONS.values():
        if row.initializer != usual:
            assert re.search(rf"{row.initializer}[^;,]* for [^;]*\b{row.name}\b", said["`initializer`"])
    for row in COSTS.values():
        if row.outputs:
            assert f"{row.outputs[0]} for {row.name}" in said["`output`"]
    assert said["`activation`"].startswith(signature(fastbp.Network).parameters["activation"].default)
    assert said["`cost`"].startswith(signature(fastbp.Network).parameters["cost"].default)


def test_recipes_stand_above_everything_about_speed():
    assert README.index("## Six recipes") < README.index("## How fast")
    assert README.index("## What is chosen") < README.index("## How fast")
    recipes = README[README.index("## Six recipes") : README.index("## Change one import")]
    found = re.findall(r"^```python\n(.*?)^```", recipes, re.S | re.M)
    assert len(found) == len(re.findall(r"^\*\*[^*]+\*\*.*$", recipes, re.M)) - 1 == 6  # and the command line
    assert all(len(block.splitlines()) <= 17 for block in found)


def test_pictures_and_links_exist():
    for name in ("README.md", "benchmarks/README.md"):
        for link in re.findall(r"\]\(([^)#:]+)\)", (ROOT / name).read_text(encoding="utf-8")):
            assert (ROOT / name).parent.joinpath(link).exists(), link


def test_each_drop_in_shows_the_line_that_changes():
    for block in blocks("diff"):
        before, after = block.splitlines()
        assert before.startswith("-")
        assert after.startswith("+from fastbp.")
        if "sklearn" in after:
            assert after[1:].replace("fastbp.sklearn", "sklearn.neural_network") == before[1:]
        exec(after[1:], {})
    assert len(blocks("diff")) == 2


def test_all_choices_are_listed():
    for name in [*ACTIVATIONS, *COSTS, *INITIALIZERS]:
        assert name in README
