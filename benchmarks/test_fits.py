"""How whole fits are timed, and their table. No test looks at a time."""

import json

import pytest

from fastbp import Network

from . import command, fits, peers
from .small import LABELS, REGRESSION


@pytest.fixture
def small_fits(quick, monkeypatch):
    monkeypatch.setattr(fits, "PAUSE", 0.0)
    monkeypatch.setattr(fits, "FITS", [fits.Fit(REGRESSION, 2), fits.Fit(LABELS, 1)])


def test_whole_fits_are_measured(small_fits, monkeypatch):
    done = []
    train = Network.fit

    def watched(net, *args, **options):
        done.append(net.threads)
        return train(net, *args, **options)

    monkeypatch.setattr(Network, "fit", watched)
    first, second = fits.measure_all(fits.FITS, "float32", 2, ["numpy"], rounds=3)
    assert list(first.ours) == ["auto", "1", "2"]
    assert done == 2 * 4 * ["auto", 1, 2]  # in turn; the first round is for compiling
    assert (list(first.peers), second.best_peer) == (["numpy"], "numpy")
    assert first.better == min(first.ours["1"].median, first.ours["2"].median)
    assert all(time.median > 0 for time in (*first.ours.values(), *second.peers.values()))


def test_peers_fit_the_same_number_of_samples(small_fits, monkeypatch):
    seen = []
    made = peers.Contender(lambda order: seen.append(sorted(order)), lambda: None)
    monkeypatch.setitem(peers.PEERS, "numpy", peers.Peer(lambda job: made, ()))
    fits.measure(fits.FITS[0], "float32", 2, ["numpy"], rounds=1)
    assert len(seen) == 2 * 2  # rounds, epochs
    assert {len(set(order)) for order in seen} == {20}  # of 23: whole mini-batches


def test_fits_are_a_table(small_fits, only_numpy, capsys):
    command.main(["--fits", "--threads", "2", "--rounds", "2"])
    said = capsys.readouterr().out
    assert "| case | fit | threads=auto | threads=1 | threads=2 | best peer | auto / one thread |" in said
    assert "| regression, 3-5-4-2, batch 4, Adam | 23 samples, 2 epochs |" in said
    command.main(["--fits", "--json", "--rounds", "1"])
    report = json.loads(capsys.readouterr().out)
    assert [row["epochs"] for row in report["results"]] == [2, 1]
