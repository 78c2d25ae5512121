"""What is made of the times: tables that say where they were measured."""

import re

from . import tables
from .machine import describe_machine
from .small import RESULTS


def test_table():
    lines = tables.comparison(RESULTS).splitlines()
    assert lines[0].startswith("| case | threads | dtype | fastbp | jax | numpy | ratio")
    assert lines[2].startswith(
        "| sigmoid, 6-5-3, batch 3, SGD, 50% zeros | 1 | float32 | 2.0 ± 0.1 | 5.0 ± 0.2 | 400 ± 10 |"
    )
    assert "| 2.50 (jax) |" in lines[2]
    assert "| 20.0 ± 0.1 | - | 10.0 ± 0.2 | 0.50 (numpy) |" in lines[3]
    assert lines[-1] == tables.SPARSE
    assert tables.SPARSE not in tables.comparison(RESULTS[1:])


def test_heading_says_where_it_was_measured():
    machine = describe_machine()
    text = " ".join(tables.heading(machine, RESULTS, 7).split())
    assert "float32, 1 thread, 7 rounds" in text
    assert "peak of one core 200 GFLOP/s" in text
    assert all(value in text for value in machine.values())
    assert re.search(r"numba [\d.]+", machine["versions"])
