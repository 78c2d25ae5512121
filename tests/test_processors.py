"""Limits of containers, as the kernel's files tell them."""

import os

import pytest

from fastbp import processors


@pytest.fixture
def groups(tmp_path, monkeypatch):
    """Lay out a folder of control groups; return a function that fills it."""
    monkeypatch.setattr(processors, "CGROUPS", tmp_path / "cgroup")
    monkeypatch.setattr(processors, "OWN_GROUPS", tmp_path / "self")

    def fill(own, **files):
        (tmp_path / "self").write_text(own)
        for name, content in files.items():
            path = tmp_path / "cgroup" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content)

    return fill


@pytest.mark.parametrize(
    ("own", "files", "expected"),
    [
        ("0::/\n", {"cpu.max": "150000 100000\n"}, 1.5),
        ("0::/\n", {"cpu.max": "max 100000\n"}, None),
        ("0::/a/b\n", {"a/cpu.max": "100000 100000", "a/b/cpu.max": "max 100000"}, 1.0),
        ("0::/a/b\n", {"a/cpu.max": "100000 100000", "a/b/cpu.max": "50000 100000"}, 0.5),
        ("4:cpu,cpuacct:/a\n", {
            "cpu,cpuacct/a/cpu.cfs_quota_us": "200000", "cpu,cpuacct/a/cpu.cfs_period_us": "100000",
        }, 2.0),
        ("4:cpu:/\n", {"cpu/cpu.cfs_quota_us": "-1", "cpu/cpu.cfs_period_us": "100000"}, None),
        ("5:cpuset:/\n", {"cpuset/cpu.max": "100000 100000"}, None),
        ("0::/\n", {"cpu.max": "nonsense"}, None),
        ("0::/\n", {}, None),
    ],
)  # fmt: skip
def test_quota(groups, own, files, expected):
    groups(own, **files)
    assert processors.quota() == expected


def test_no_groups_at_all(groups):
    assert processors.quota() is None


def test_allowed_cores():
    assert 1 <= processors.allowed_cores() <= os.cpu_count()


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="needs affinity")
def test_affinity_is_seen():
    before = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, {min(before)})
        assert processors.allowed_cores() == 1
    finally:
        os.sched_setaffinity(0, before)
