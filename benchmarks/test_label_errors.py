"""The script runs, and its table says what it measured."""

from fastbp import Network

from . import label_errors


def test_precisions_are_shares(monkeypatch, capsys):
    make = label_errors.NETWORKS["64-100-10"]
    monkeypatch.setattr(label_errors, "NETWORKS", {"64-100-10": make})
    monkeypatch.setattr(Network, "fit", one_epoch(Network.fit))
    label_errors.main(seeds=1, planted=(72,), many=1)
    said = capsys.readouterr().out
    assert "| network | ranked by | 72 wrong |" in said
    assert "| 64-100-10 | chance | 0.05 ± 0.00 |" in said
    assert said.count("\n") == 2 + 6


def one_epoch(fit):
    return lambda net, x, y, epochs=None, **options: fit(net, x, y, 1, **options)
