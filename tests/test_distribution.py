"""What is built is the same wherever it is built, holds what it should, and works alone.

The long form (`pytest -m soak`) installs it with the oldest and with the newest dependencies that it allows, and looks
for known holes in them; both need a package index.
"""

import base64
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest

TREE = Path(__file__).parents[1]
PROJECT = tomllib.loads((TREE / "pyproject.toml").read_text())["project"]
TOP = {"README.md", "LICENSE", "pyproject.toml", ".gitignore", ".ci", "fastbp", "benchmarks", "tests"}
LEAVINGS = ("__pycache__", ".*_cache", "*.egg-info", ".hypothesis", ".benchmarks")


def copied(tree, folder):
    """Copy the sources of a tree, with what people have lying about beside them."""
    folder.mkdir()
    for name in TOP:
        if (tree / name).is_dir():
            shutil.copytree(tree / name, folder / name, ignore=shutil.ignore_patterns(*LEAVINGS))
        else:
            shutil.copy(tree / name, folder / name)
    for name in (
        "fastbp/kernels/__pycache__/a.nbc",
        "fastbp/a.pyc",
        ".venv/b.py",
        "mine.safetensors",
        "dist/c",
    ):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(b"left here")
    return folder


def build(tree, umask=0o022, **environment):
    """Build both distributions; return their paths by suffix."""
    out = tree.with_name(f"{tree.name}-built")
    command = [sys.executable, "-m", "hatchling", "build", "-d", str(out)]
    subprocess.run(command, cwd=tree, env={**os.environ, **environment}, check=True, capture_output=True, umask=umask)
    (wheel,), (sdist,) = out.glob("*.whl"), out.glob("*.tar.gz")
    return wheel, sdist


@pytest.fixture(scope="module")
def trees(tmp_path_factory):
    """Two copies of the sources, made by different people at different times."""
    folder = tmp_path_factory.mktemp("trees")
    first, second = copied(TREE, folder / "first"), copied(TREE, folder / "another, later")
    for path in second.rglob("*"):
        os.utime(path, (1e9, 1e9))
        if not path.stat().st_mode & 0o100:
            path.chmod(0o600)
    return first, second


@pytest.fixture(scope="module")
def built(trees):
    return build(trees[0])


def test_anyone_builds_the_same_bytes(trees, built):
    again = build(trees[1], umask=0o077, TZ="Asia/Tokyo", LC_ALL="C", PYTHONHASHSEED="7")
    for one, other in zip(built, again, strict=True):
        assert one.name == other.name
        assert one.read_bytes() == other.read_bytes()


def test_the_wheel_is_the_package_and_nothing_else(built):
    wheel = zipfile.ZipFile(built[0])
    content = {name: wheel.read(name) for name in wheel.namelist()}
    info = {name for name in content if ".dist-info/" in name}
    sources = {path for path in (TREE / "fastbp").rglob("*") if path.suffix in (".py", ".typed", ".md", ".npz")}
    assert content.keys() - info == {path.relative_to(TREE).as_posix() for path in sources}
    assert {Path(name).name for name in info} == {"METADATA", "WHEEL", "entry_points.txt", "LICENSE", "RECORD"}
    for path in sources:
        assert content[path.relative_to(TREE).as_posix()] == path.read_bytes()
    (record,) = (name for name in info if name.endswith("RECORD"))
    for line in content[record].decode().split():
        name, digest, _ = line.rsplit(",", 2)
        if name != record:
            found = base64.urlsafe_b64encode(hashlib.sha256(content[name]).digest()).rstrip(b"=").decode()
            assert digest == f"sha256={found}"


def test_the_wheel_asks_for_what_the_project_says(built):
    wheel = zipfile.ZipFile(built[0])
    (name,) = (name for name in wheel.namelist() if name.endswith("METADATA"))
    metadata = wheel.read(name).decode()
    asked = {line.split(": ")[1] for line in metadata.splitlines() if re.match("Requires-Dist: (?!.*extra ==)", line)}
    assert asked == set(PROJECT["dependencies"])
    assert f"Requires-Python: {PROJECT['requires-python']}" in metadata


def test_the_sdist_makes_the_same_wheel(built, tmp_path):
    with tarfile.open(built[1]) as file:
        names = {name.split("/", 1)[1] for name in file.getnames()}
        file.extractall(tmp_path, filter="data")
    assert {name.split("/")[0] for name in names} == TOP | {"PKG-INFO"}
    assert not [name for name in names if re.search("__pycache__|nbc$|pyc$|venv|safetensors$|^dist", name)]
    (unpacked,) = tmp_path.iterdir()
    assert build(unpacked)[0].read_bytes() == built[0].read_bytes()


def test_what_is_built_works_alone(built, tmp_path):
    zipfile.ZipFile(built[0]).extractall(tmp_path / "site")
    environment = {**os.environ, "PYTHONPATH": str(tmp_path / "site"), "MPLBACKEND": "agg"}
    program = "import fastbp, sys; from fastbp.cli import main; print(fastbp.__file__); sys.exit(main(sys.argv[1:]))"
    command = [sys.executable, "-P", "-c", program, "train", "--epochs", "2"]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(str(tmp_path / "site"))
    assert (tmp_path / "digits.safetensors").exists()


# The long form


def installed(folder, requirements, wheel):
    """Return the Python of a new environment that has these, and the wheel."""
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    python = folder / "bin" / "python"
    subprocess.run([python, "-m", "pip", "install", "-q", str(wheel), *requirements], check=True)
    return python


def requirements(sign):
    """Return all that the tests need, with `==` for the oldest that the project allows."""
    needed = [*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["test"]]
    return [one.replace(">=", sign) for one in needed if not one.startswith(("ruff", "mypy"))]


@pytest.mark.soak
@pytest.mark.parametrize("sign", ["==", ">="], ids=["oldest", "newest"])
def test_dependencies_old_and_new(sign, trees, built, tmp_path):
    python = installed(tmp_path / "environment", requirements(sign), built[0])
    folder = shutil.copytree(trees[0], tmp_path / "tree")
    shutil.rmtree(folder / "fastbp")  # the one that is installed is meant
    left = [f"--ignore=tests/test_{name}.py" for name in ("typing", "distribution", "mutants")]
    command = [python, "-m", "pytest", "-q", "-p", "no:cacheprovider", *left]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-3000:]


@pytest.mark.soak
@pytest.mark.parametrize("sign", ["==", ">="], ids=["oldest", "newest"])
def test_dependencies_have_no_known_holes(sign, built, tmp_path):
    extras = ("plot", "sklearn", "scipy", "table", "onnx")
    needed = [*PROJECT["dependencies"], *(one for name in extras for one in PROJECT["optional-dependencies"][name])]
    (tmp_path / "requirements.txt").write_text("\n".join(one.replace(">=", sign) for one in needed))
    python = installed(tmp_path / "environment", ["pip-audit"], built[0])
    command = [python, "-m", "pip_audit", "-r", "requirements.txt", "--progress-spinner=off"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    if "could not be audited" in done.stdout + done.stderr or "ConnectionError" in done.stderr:
        pytest.skip("the index here tells of no holes: PIP_AUDIT_VULNERABILITY_SERVICE, PIP_AUDIT_OSV_URL name others")
    assert done.returncode == 0, done.stdout + done.stderr
