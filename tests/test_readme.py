"""README keeps its promises: its examples run, its commands exist, and CI runs them."""

import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from fastbp.cli import _parser
from fastbp.formulas.activations import ACTIVATIONS
from fastbp.formulas.costs import COSTS
from fastbp.formulas.initializers import INITIALIZERS

ROOT = Path(__file__).parent.parent
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
    assert len(blocks("python")) >= 7
    assert names["score"].accuracy > 0.9
    assert names["error"] < 0.1


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


def test_all_choices_are_listed():
    for name in [*ACTIVATIONS, *COSTS, *INITIALIZERS]:
        assert name in README
