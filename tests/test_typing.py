"""What a type checker finds in a user's program: misspelt names, and lists that hold no None."""

import re
import subprocess
import sys
from importlib.util import find_spec

import pytest

# A line that is wrong ends with the kind of error that mypy must report there; of the others it must say nothing.
PROGRAM = """
import numpy as np
from numpy.typing import NDArray
import fastbp

x: NDArray[np.float64] = np.zeros((3, 4))
net = fastbp.Network([4, 5, 3], activation="relu", output="softmax", cost="cross_entropy", initializer="he_normal")
fastbp.Network([4, 5, 3], activation=["relu"], threads=2, seed=0)
fastbp.Network([4, 5, 3], activation="rellu")  # arg-type
fastbp.Network([4, 5, 3], activation="softmax")  # arg-type
fastbp.Network([4, 5, 3], output="softmaks")  # arg-type
fastbp.Network([4, 5, 3], cost="mse")  # arg-type
fastbp.Network([4, 5, 3], initializer="xavier")  # arg-type
fastbp.Network([4, 5, 3], threads="all")  # arg-type
fastbp.Network(4, 5, 3)  # arg-type
plain = net.fit(x, [0, 1, 2], 2, 3, "adam", verbose=0)
net.fit(x, [0, 1, 2], optimizer="adamm")  # call-overload
net.fit(x, [0, 1, 2], verbose=3)  # call-overload
validated = net.fit(x, [0, 1, 2], 2, 3, fastbp.SGD(0.1), (x, [0, 1, 2]))
same = net.fit(x, [0, 1, 2], validation_data=(x, [0, 1, 2]))
best: float = min(validated.validation_cost) + min(same.validation_cost)
worst: float = min(plain.validation_cost)  # type-var,assignment
version: str = fastbp.__version__
"""


@pytest.mark.skipif(find_spec("mypy") is None, reason="mypy is not installed")
def test_a_type_checker_finds_what_is_wrong_and_nothing_else(tmp_path):
    (tmp_path / "program.py").write_text(PROGRAM)
    command = [sys.executable, "-m", "mypy", "--strict", "--no-incremental", "--follow-imports=silent", "program.py"]
    said = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True).stdout
    found = {}
    for line, kind in re.findall(r"^program\.py:(\d+): error: .*\[([a-z-]+)\]$", said, re.M):
        found.setdefault(int(line), set()).add(kind)
    lines = enumerate(PROGRAM.splitlines(), start=1)
    wrong = {number: set(line.partition("  # ")[2].split(",")) for number, line in lines if "  # " in line}
    assert found.keys() == wrong.keys(), said
    assert all(found[number] <= wrong[number] for number in wrong), said
