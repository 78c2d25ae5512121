"""The jit wrapper and its disk cache: whatever is wrong with the disk, the result is right.

Each case runs a tiny package, with fastbp's own wrapper copied into it, in new processes.
"""

import ast
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

import fastbp
from fastbp.compiler import cache, folders, jit
from fastbp.compiler.folders import PACKAGE
from fastbp.compiler.target import choose_lanes

WRAPPER = ("jit.py", "parts.py", "cache.py", "folders.py", "insides.py", "interrupts.py", "target.py")
CALLEE = "from .jit import part\n\n@part\ndef double(x):\n    return 2.0 * x\n"
CALLER = """
from .callee import double
from .jit import kernel

@kernel
def total(x):
    s = 0.0
    for i in range(x.size):
        s += double(x[i])
    return s

@kernel
def ratio(a, b):
    return a / b
"""
BEGIN = """
import json, os, sys, warnings
import numpy as np
caught = warnings.catch_warnings(record=True)
messages = caught.__enter__()
warnings.simplefilter("always")
"""
CALL = """
from tiny.kernels import caller, folders
assert not caller.total.overloads
value = caller.total(np.ones(3))
"""
END = """
stats = caller.total.stats
print(json.dumps({
    "value": value,
    "hits": sum(stats.cache_hits.values()),
    "misses": sum(stats.cache_misses.values()),
    "warnings": [str(m.message) for m in messages],
    "info": folders.cache_info()._asdict(),
}))
"""


class Package:
    """A package on disk, and processes that use it."""

    def __init__(self, root):
        self.root = root
        self.kernels = root / "tiny" / "kernels"
        self.pycache = self.kernels / "__pycache__"
        self.home = root / "home"

    def create(self):
        self.kernels.mkdir(parents=True)
        self.home.mkdir()
        for name in WRAPPER:
            shutil.copy(PACKAGE / "compiler" / name, self.kernels)
        (self.root / "tiny" / "__init__.py").touch()
        (self.kernels / "__init__.py").touch()
        (self.kernels / "callee.py").write_text(CALLEE)
        (self.kernels / "caller.py").write_text(CALLER)
        return self

    def edit(self, name, old, new):
        path = self.kernels / name
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new))

    def files(self, pattern="*"):
        return sorted(file.name for file in self.pycache.glob(pattern))

    def start(self, before="", call=CALL, without=(), **environment):
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("NUMBA_", "FASTBP_", "PYTHON", "XDG_"))
        }
        # No .pyc: two edits within one second would look the same to Python.
        fixed = {"PYTHONPATH": str(self.root), "PYTHONDONTWRITEBYTECODE": "1"}
        fixed |= {"HOME": str(self.home), **environment}
        names = kept | fixed
        return subprocess.Popen(
            [sys.executable, "-c", BEGIN + before + call + END],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=self.root,
            env={name: value for name, value in names.items() if name not in without},
        )

    def run(self, *args, **kwargs):
        return finish(self.start(*args, **kwargs))


def finish(process):
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    return json.loads(out)


@pytest.fixture(scope="module")
def compiled(tmp_path_factory):
    """A package whose kernel is in its cache."""
    package = Package(tmp_path_factory.mktemp("compiled")).create()
    seen = package.run()
    assert (seen["value"], seen["hits"], seen["misses"], seen["warnings"]) == (6.0, 0, 1, [])
    assert len(package.files()) == 1
    return package


@pytest.fixture
def warm(compiled, tmp_path):
    shutil.copytree(compiled.root, tmp_path / "warm")
    return Package(tmp_path / "warm")


@pytest.fixture
def cold(tmp_path):
    return Package(tmp_path / "cold").create()


def block_all_folders(package):
    """Leave no place to write to, in a way that binds root too."""
    package.pycache.touch()
    package.home.rmdir()
    package.home.touch()


def test_second_process_compiles_nothing(warm):
    seen = warm.run()
    assert (seen["value"], seen["hits"], seen["misses"], seen["warnings"]) == (6.0, 1, 0, [])
    assert seen["info"] == {
        "folder": str(warm.pycache), "writable": True, "files": 1, "refused": {}
    }  # fmt: skip


# What the key must know


def test_edit_in_another_file_is_seen_and_old_code_removed(warm):
    before = warm.files()
    warm.edit("callee.py", "2.0", "5.0")
    assert warm.run()["value"] == 15.0
    assert len(warm.files()) == 1
    assert warm.files() != before


@pytest.mark.parametrize("place", ["formulas/rule.py", "vectors/rule.py", "compiler/rule.py"])
def test_edit_in_what_kernels_import_is_seen(place, warm):
    path = warm.root / "tiny" / place
    path.parent.mkdir(exist_ok=True)
    path.write_text("STEP = 1\n")
    assert warm.run()["misses"] == 1


def test_code_edited_after_its_import_is_not_kept(cold):
    edit = "from tiny.kernels import caller, callee; open(callee.__file__, 'a').write('# later')\n"
    assert cold.run(before=edit)["value"] == 6.0
    assert cold.files() == []


def test_vector_widths_live_side_by_side(warm):
    native = warm.run()["info"]["files"]
    seen = [warm.run(FASTBP_LANES=lanes) for lanes in ("4", "8", "4")]
    assert [one["value"] for one in seen] == [6.0] * 3
    assert seen[2]["hits"] == 1
    assert len(warm.files()) > native
    assert warm.run()["hits"] == 1


def test_bounds_check_of_numba_is_seen(warm):
    assert warm.run(NUMBA_BOUNDSCHECK="1")["misses"] == 1


def test_options_are_told_apart(cold):
    strict = "strict = jit.kernel(caller.ratio.py_func, error_model='python')"
    call = f"""
from tiny.kernels import caller, folders, jit
{strict}
infinite = caller.ratio(1.0, 0.0)
try:
    value = [infinite, strict(1.0, 0.0)]
except ZeroDivisionError:
    value = [infinite, "refused"]
value += [sum(f.stats.cache_hits.values()) for f in (caller.ratio, strict)]
"""
    assert cold.run(call=call)["value"] == [float("inf"), "refused", 0, 0]
    assert cold.run(call=call)["value"] == [float("inf"), "refused", 1, 1]


# Damaged files

DAMAGES = {
    "empty": lambda stored: b"",
    "truncated in the checksum": lambda stored: stored[:20],
    "truncated after the checksum": lambda stored: stored[:32],
    "truncated": lambda stored: stored[: len(stored) // 2],
    "last byte missing": lambda stored: stored[:-1],
    "longer": lambda stored: stored + b"\0",
    "garbage": lambda stored: b"\x80\x04garbage" * 100,
    "numba's index": lambda stored: b"\x80\x05\x8c\x060.68.1\x94.",
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES.keys())
def test_damaged_file_is_replaced(damage, warm):
    (file,) = warm.pycache.iterdir()
    intact = file.read_bytes()
    file.write_bytes(damage(intact))
    seen = warm.run()
    assert (seen["value"], seen["misses"]) == (6.0, 1)
    (warning,) = seen["warnings"]
    assert "damaged" in warning
    assert str(file) in warning
    assert len(file.read_bytes()) > 1000


def test_flipped_bytes_anywhere_are_found(warm):
    call = """
from pathlib import Path
from tiny.kernels import caller, folders, jit
(file,) = Path(folders.folders()[0]).glob("*total*.nbc")
intact = file.read_bytes()
positions = [*range(0, 40, 13), *range(40, len(intact), len(intact) // 12), len(intact) - 1]
value = []
for position in positions:
    damaged = bytearray(intact)
    damaged[position] ^= 0x10
    file.write_bytes(damaged)
    fresh = jit.kernel(caller.total.py_func)
    value.append([fresh(np.ones(3)), sum(fresh.stats.cache_misses.values())])
"""
    seen = warm.run(call=call)
    assert len(seen["value"]) > 12
    assert all(one == [6.0, 1] for one in seen["value"])
    assert len(seen["warnings"]) == 1
    assert warm.run()["hits"] == 1


def test_whatever_a_broken_pickle_raises(warm):
    """A right checksum over a wrong content, as after a change of numba's private classes."""
    call = """
import hashlib
from pathlib import Path
from tiny.kernels import caller, folders, jit
(file,) = Path(folders.folders()[0]).glob("*total*.nbc")
contents = [b"", b"N.", b"(lp0\\n.", b"\\x80\\x04K\\x01.", b"cmissing\\nname\\n.", b"\\xff" * 9,
            b"cos\\nmissing_name\\n.", b"I1\\n.", b"]."]
value = []
for content in contents:
    file.write_bytes(hashlib.sha256(content).digest() + content)
    value.append(jit.kernel(caller.total.py_func)(np.ones(3)))
"""
    seen = warm.run(call=call)
    assert seen["value"] == [6.0] * 9
    assert len(seen["warnings"]) == 1


# Folders


def test_without_any_folder_kernels_are_compiled_in_memory(cold):
    block_all_folders(cold)
    more = CALL + "caller.ratio(1.0, 2.0)\n"
    seen = cold.run(call=more)
    assert (seen["value"], len(seen["warnings"])) == (6.0, 1)
    assert seen["info"]["folder"] is None
    assert len(seen["info"]["refused"]) == 2


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write")
def test_read_only_folders(cold):
    cold.pycache.mkdir(mode=0o555)
    cold.home.chmod(0o555)
    seen = cold.run()
    assert (seen["value"], len(seen["warnings"])) == (6.0, 1)
    assert seen["info"]["writable"] is False


@pytest.mark.parametrize("error", ["ENOSPC", "EACCES", "EROFS"])
def test_failing_writes_do_not_fail_the_call(error, cold):
    fail = f"""
import errno
def fail(*args):
    raise OSError(errno.{error}, "simulated")
os.replace = fail
"""
    seen = cold.run(before=fail, call=CALL + "caller.ratio(1.0, 2.0)\n")
    assert (seen["value"], len(seen["warnings"])) == (6.0, 1)
    assert "simulated" in seen["warnings"][0]
    assert cold.files() == []


def test_user_cache_serves_a_read_only_installation_and_is_private(cold):
    cold.pycache.touch()
    assert cold.run()["warnings"] == []
    seen = cold.run()
    assert (seen["value"], seen["hits"]) == (6.0, 1)
    folder = Path(seen["info"]["folder"])
    assert cold.home in folder.parents
    if os.name == "posix":
        assert folder.stat().st_mode & 0o777 == 0o700


@pytest.mark.skipif(os.name != "posix", reason="permission bits")
def test_an_installations_own_folder_can_be_read_by_all(cold):
    cold.run()
    assert cold.pycache.stat().st_mode & 0o777 == 0o755


@pytest.mark.parametrize("usable", [True, False])
def test_no_home(usable, cold):
    nobody = """
try:
    import pwd
    def unknown(uid):
        raise KeyError(uid)
    pwd.getpwuid = unknown
except ImportError:
    pass
"""
    if not usable:
        cold.pycache.touch()
    seen = cold.run(before=nobody, without=("HOME", "USERPROFILE", "LOCALAPPDATA"))
    assert (seen["value"], len(seen["warnings"])) == (6.0, 0 if usable else 1)
    assert not (cold.root / "~").exists()


def test_numba_cache_dir_is_respected(cold, tmp_path):
    chosen = tmp_path / "chosen"
    first, second = (cold.run(NUMBA_CACHE_DIR=str(chosen)) for _ in range(2))
    assert (first["misses"], second["hits"], second["value"]) == (1, 1, 6.0)
    assert Path(second["info"]["folder"]).parent == chosen
    assert cold.files() == []


def test_unusable_numba_cache_dir(warm, tmp_path):
    """Who asks for another folder does not want the code of this one."""
    (tmp_path / "file").touch()
    seen = warm.run(NUMBA_CACHE_DIR=str(tmp_path / "file"))
    assert (seen["value"], seen["misses"], len(seen["warnings"])) == (6.0, 1, 1)


@pytest.mark.skipif(os.name != "posix", reason="permission bits")
def test_folder_that_others_can_write_to_is_not_used(warm):
    warm.pycache.chmod(0o777)
    warm.home.rmdir()
    warm.home.touch()
    before = warm.files()
    seen = warm.run()
    assert (seen["value"], seen["hits"], len(seen["warnings"])) == (6.0, 0, 1)
    assert "others can write" in seen["info"]["refused"][str(warm.pycache)]
    assert warm.files() == before


@pytest.mark.skipif(os.name != "posix", reason="permission bits")
@pytest.mark.parametrize("how", ["for all", "for a group", "parent", "linked", "hard link", "foreign"])
def test_code_that_others_could_have_written_is_not_run(how, warm, tmp_path):
    (file,) = warm.files()
    path = warm.pycache / file if not isinstance(file, Path) else file
    if how == "for all":
        path.chmod(0o666)
    elif how == "for a group":
        os.chown(path, -1, 12) if os.geteuid() == 0 else pytest.skip("a group of others is needed")
        path.chmod(0o664)
    elif how == "parent":
        warm.root.chmod(0o777)
        warm.home.rmdir()
        warm.home.touch()
    elif how == "linked":
        path.rename(tmp_path / "theirs")
        path.symlink_to(tmp_path / "theirs")
    elif how == "hard link":
        os.link(path, tmp_path / "theirs")
    elif os.geteuid() == 0:
        os.chown(path, 12345, -1)
    else:
        pytest.skip("only root can give files away")
    seen = warm.run()
    assert (seen["value"], seen["hits"], seen["misses"]) == (6.0, 0, 1)
    assert how in ("parent", "linked") or "others could have written" in seen["warnings"][0]


@pytest.mark.parametrize(
    ("platform", "environment", "folder"),
    [
        ("linux", {"HOME": "/home/me"}, "/home/me/.cache"),
        ("linux", {"HOME": "/home/me", "XDG_CACHE_HOME": "/elsewhere"}, "/elsewhere"),
        ("darwin", {"HOME": "/Users/me", "XDG_CACHE_HOME": "/elsewhere"}, "/Users/me/Library/Caches"),
        ("win32", {"LOCALAPPDATA": "C:/me/Local"}, "C:/me/Local"),
    ],
)
@pytest.mark.skipif(os.name != "posix", reason="paths")
def test_the_users_own_folder_is_where_a_system_keeps_caches(platform, environment, folder, monkeypatch):
    monkeypatch.setattr("sys.platform", platform)
    monkeypatch.setattr("os.environ", environment)
    assert folders._user_cache() == folder


@pytest.mark.skipif(os.name != "posix", reason="groups")
@pytest.mark.parametrize(
    ("name", "number", "members", "private"),
    [
        ("me", 7, [], True),
        ("me", 7, ["me"], True),
        ("me", 7, ["me", "you"], False),
        ("staff", 7, [], False),
        ("me", 8, [], False),
        (None, 7, [], False),
    ],
)
def test_a_group_is_private_that_has_its_user_alone(name, number, members, private, monkeypatch):
    def group(number_asked_for):
        if name is None:
            raise KeyError(number_asked_for)
        return SimpleNamespace(gr_gid=number, gr_name=name, gr_mem=members)

    monkeypatch.setattr("pwd.getpwuid", lambda user: SimpleNamespace(pw_gid=7, pw_name="me"))
    monkeypatch.setattr("grp.getgrgid", group)
    assert folders._is_private.__wrapped__(7) is private


@pytest.mark.skipif(os.name != "posix", reason="permission bits")
def test_a_sticky_folder_above_is_no_danger(warm, tmp_path):
    (tmp_path / "common").mkdir()
    shutil.move(warm.root, tmp_path / "common" / "warm")
    (tmp_path / "common").chmod(0o1777)
    if os.geteuid() == 0:
        assert Package(tmp_path / "common" / "warm").run()["hits"] == 1


@pytest.mark.skipif(os.name != "posix", reason="symbolic links")
def test_folder_behind_a_link_is_not_used(cold, tmp_path):
    (tmp_path / "theirs").mkdir()
    cold.pycache.symlink_to(tmp_path / "theirs")
    assert cold.run()["value"] == 6.0
    assert list((tmp_path / "theirs").iterdir()) == []


def test_processes_at_once(cold):
    seen = [finish(process) for process in [cold.start() for _ in range(3)]]
    assert [one["value"] for one in seen] == [6.0] * 3
    assert [one["warnings"] for one in seen] == [[]] * 3
    assert cold.run()["hits"] == 1
    assert len(cold.files("*.nbc")) == len(cold.files()) == 1


# Addresses


def test_address_of_a_kernel_from_the_cache(cold):
    call = """
import ctypes
from numba import types
from tiny.kernels import caller, folders, jit
signature = types.float64(types.float64, types.float64)
function = ctypes.CFUNCTYPE(ctypes.c_double, ctypes.c_double, ctypes.c_double)
first, again = (jit.address(caller.ratio, signature) for _ in range(2))
value = [function(first)(3.0, 4.0), first == again, sum(caller.ratio.stats.cache_hits.values())]
"""
    assert cold.run(call=call)["value"] == [0.75, True, 0]
    assert cold.run(call=call)["value"] == [0.75, True, 1]


# This process


def test_import_of_fastbp_compiles_nothing():
    code = """
from numba.core import event
with event.install_recorder("numba:compile") as compiled:
    import fastbp
assert len(compiled.buffer) == 0, compiled.buffer
"""
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True)


def test_run_time_functions_stay_off_the_disk():
    square = jit.kernel(lambda x: x * x, cache=False)
    assert square(3) == 9
    assert square.stats.cache_path is None


def test_flush_removes_a_kernels_files(warm):
    seen = warm.run(before="from tiny.kernels import caller; caller.total._cache.flush()\n")
    assert (seen["value"], seen["misses"]) == (6.0, 1)


def test_kernels_import_only_what_the_key_knows():
    """Else an edit in a file that the digest does not cover would go unseen."""
    package = Path(fastbp.__file__).parent
    covered = [package / name for name in cache.SOURCES]
    files = [file for path in covered for file in ([path] if path.is_file() else path.rglob("*.py"))]
    assert len(files) > 4
    for file in files:
        for target in _local_imports(file, package):
            assert any(target == path or path in target.parents for path in covered), (file, target)


def _local_imports(file, package):
    """Yield the files of this package that `file` imports."""
    for node in ast.walk(ast.parse(file.read_text())):
        modules = []
        if isinstance(node, ast.Import):
            modules = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            parts = file.relative_to(package.parent).parts[: -node.level] if node.level else ()
            base = ".".join([*parts, *([node.module] if node.module else [])])
            modules = [base, *(f"{base}.{alias.name}" for alias in node.names)]
        for module in [name for name in modules if name.split(".")[0] == package.name]:
            path = package.parent.joinpath(*module.split("."))
            if path.with_suffix(".py").is_file():
                yield path.with_suffix(".py")
            elif (path / "__init__.py").is_file() and path != package:
                yield path / "__init__.py"


@pytest.mark.parametrize(
    ("features", "forced", "lanes"),
    [
        ({"avx512f", "avx2", "fma"}, None, 16),
        ({"avx2", "fma"}, None, 8),
        ({"avx2"}, None, 4),
        ({"neon"}, "", 4),
        (set(), "16", 16),
        ({"avx512f"}, "4", 4),
    ],
)
def test_lanes(features, forced, lanes):
    assert choose_lanes(frozenset(features), forced) == lanes


@pytest.mark.parametrize("forced", ["32", "8 ", "eight", "-4", "0"])
def test_unknown_lanes_are_named(forced):
    with pytest.raises(ValueError, match=r"FASTBP_LANES=.*choose from 4, 8, 16"):
        choose_lanes(frozenset(), forced)
