"""Limits of containers, as the kernel's files tell them."""

import os

import pytest

from fastbp import processors


@pytest.fixture
def groups(tmp_path, monkeypatch):
    """Lay out a folder of control groups; return a function that fills it."""
    monkeypatch.setattr(processors, "CGROUPS", tmp_path / "cgroup")
    monkeypatch.setattr(processors, "OWN_GROUPS", tmp_path / "self")
    processors.quota.cache_clear()

    def fill(own, **files):
        (tmp_path / "self").write_text(own)
        for name, content in files.items():
            path = tmp_path / "cgroup" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content)

    yield fill
    processors.quota.cache_clear()


@pytest.mark.parametrize(
    ("own", "files", "expected"),
    [
        ("0::/\n", {"cpu.max": "150000 100000\n"}, 1.5),
        ("0::/\n", {"cpu.max": "max 100000\n"}, None),
        ("0::/a/b\n", {"a/cpu.max": "100000 100000", "a/b/cpu.max": "max 100000"}, 1.0),
        ("0::/a/b\n", {"a/cpu.max": "100000 100000", "a/b/cpu.max": "50000 100000"}, 0.5),
        ("0::/a/b/c\n", {"cpu.max": "max 100000", "a/cpu.max": "25000 100000", "a/b/cpu.max": "90000 100000"}, 0.25),
        ("0::/a\n", {"a/cpu.max": "20000 50000", "b/cpu.max": "10000 50000"}, 0.4),  # b is another's
        ("0::/../../outside\n", {"cpu.max": "200000 100000"}, 2.0),  # seen from within a container
        ("4:cpu,cpuacct:/docker/1f\n", {  # the container sees its own group as the root
            "cpu,cpuacct/cpu.cfs_quota_us": "50000", "cpu,cpuacct/cpu.cfs_period_us": "100000",
        }, 0.5),
        ("4:cpu:/a\n", {
            "cpu/cpu.cfs_quota_us": "-1", "cpu/cpu.cfs_period_us": "100000",
            "cpu/a/cpu.cfs_quota_us": "150000", "cpu/a/cpu.cfs_period_us": "100000",
        }, 1.5),
        ("4:cpu:/\n0::/\n", {  # both versions at once
            "cpu/cpu.cfs_quota_us": "300000", "cpu/cpu.cfs_period_us": "100000", "cpu.max": "max 100000",
        }, 3.0),
        ("0::/a:b\n", {"a:b/cpu.max": "100000 200000"}, 0.5),
        ("nonsense\n0::/\n", {"cpu.max": "100000 100000"}, 1.0),
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


@pytest.mark.parametrize(
    ("allowed", "limit", "expected"),
    [(8, None, 8), (8, 2.0, 2), (8, 1.5, 2), (8, 0.25, 1), (2, 16.0, 2), (1, None, 1)],
)
def test_available_cores(monkeypatch, allowed, limit, expected):
    """Part of a core's time is one thread's worth."""
    monkeypatch.setattr(processors, "allowed_cores", lambda: allowed)
    monkeypatch.setattr(processors, "quota", lambda: limit)
    assert processors.available_cores() == expected


@pytest.mark.parametrize(
    ("wanted", "macs", "batch_size", "expected"),
    [
        ("auto", 10**7, 1000, [1, 2, 4, 6]),
        ("auto", 10**7, 5, [1, 2, 4, 5]),  # no more than there are rows
        ("auto", 10**12, 1000, [1, 2, 4, 6]),  # one thread too: it is where trying begins
        ("auto", 10**12, 1, [1]),
        ("auto", processors.WORTH_TRYING - 1, 1000, [1]),
        ("auto", processors.WORTH_TRYING, 1000, [1, 2, 4, 6]),
        (8, 1000, 1000, [8, 1]),  # what is asked for, more than the cores too
        (8, 10**12, 5, [5, 1]),
        (1, 10**12, 1000, [1]),
    ],
)
def test_team_sizes(monkeypatch, wanted, macs, batch_size, expected):
    monkeypatch.setattr(processors, "available_cores", lambda: 6)
    assert processors.team_sizes(wanted, macs, batch_size) == expected


def test_where_one_thread_is_enough_no_files_are_read(monkeypatch):
    def read():
        raise AssertionError("0.4 ms a fit")

    monkeypatch.setattr(processors, "quota", read)
    assert processors.team_sizes("auto", 1000, 1000) == [1]


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
