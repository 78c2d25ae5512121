"""The script runs, and its table says what it measured."""

from . import label_errors


def test_precisions_are_shares(monkeypatch, capsys):
    monkeypatch.setattr(label_errors.measure, "__defaults__", (2, 4))
    label_errors.main(seeds=1, planted=(72,))
    said = capsys.readouterr().out
    assert "| ranked by | 72 wrong |" in said
    assert "| chance | 0.05 ± 0.00 |" in said
    assert said.count("\n") == 7
