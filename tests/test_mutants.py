"""The tests are tested: faults that tests once overlooked, and others, are put in, and each is noticed.

The long form (`pytest -m soak`) draws 400, see mutants.py; survivors.md says which of those are left, and why.
"""

import re

import pytest
from mutants import TREE, Worker, all_mutants, drawn, judge

# What stands in a file, what is put there, and the tests that say no.
FAULTS = [
    ("formulas/activations/rows.py", "np.where(z <= 0, np.zeros_like(z), z)", "np.where(z > 0, z, np.zeros_like(z))",
     "test_formulas.py::test_activation_keeps_dtype_and_nan"),
    ("formulas/optimizers/adaptive.py", "np.sqrt(", "np.abs(", "test_optimizers.py"),
    ("kernels/predict.py", "if not all_finite(work_at(run, bottom.input), bottom.ld_input)", "if False",
     "test_predicting.py::test_one_sample_that_is_not_finite_is_refused"),
    ("kernels/predict.py", " or len(out) != top.n_out", "",
     "test_predicting.py::test_one_sample_and_its_place_have_the_networks_sizes"),
    ("border/arrays.py", "np.count_nonzero(counts) * np.maximum(counts, 1)",
     "np.count_nonzero(counts) * np.maximum(counts, 2)", "test_training.py::test_balanced_classes_count_alike"),
    ("compiler/folders.py", "if status.st_mode & stat.S_IWOTH or", "if",
     "test_jit.py::test_code_that_others_could_have_written_is_not_run"),
    ("networks/storage.py", "allow_nan=False", "allow_nan=True",
     "test_storage.py::test_only_what_can_be_read_is_written"),
    ("files.py", "            os.fsync(descriptor)\n            if fcntl", "            if fcntl",
     "test_storage.py::test_data_is_on_disk_before_its_name_and_then_the_name_is"),
]  # fmt: skip


@pytest.fixture(scope="module")
def worker(tmp_path_factory):
    return Worker(tmp_path_factory.mktemp("copy"))


@pytest.mark.parametrize(("file", "before", "after", "tests"), FAULTS, ids=[f"{row[0]} {row[2]}" for row in FAULTS])
def test_tests_notice(worker, file, before, after, tests):
    path = worker.folder / "fastbp" / file
    content = path.read_text()
    assert content.count(before) >= 1, "the fault is to be put where it was"
    path.write_text(content.replace(before, after))
    try:
        done = worker.run("-m", "pytest", "-q", "-x", "--tb=no", f"tests/{tests}", cache="changed", timeout=300)
    finally:
        path.write_text(content)
    assert done.returncode == 1, done.stdout[-1000:]
    assert re.search("1 (failed|error)", done.stdout)


def test_every_mutant_is_python():
    some = [mutant for area in all_mutants().values() for mutant in area]
    assert len(some) > 4000
    for mutant in some:
        content = (TREE / mutant.file).read_bytes()
        compile(content[: mutant.start] + mutant.instead.encode() + content[mutant.stop :], mutant.file, "exec")


@pytest.mark.soak
def test_at_least_nine_in_ten_mutants_are_noticed():
    assert len(judge(drawn(400))) <= 40
