"""How good answers are, in words: the share that is right, or the error, and whether a guess would do as well."""

from typing import Any, NamedTuple

import numpy as np

from ..formulas import Array


class Verdict(NamedTuple):
    """Scores for a program, the same in words, and a warning where a guess would do as well, or ''."""

    scores: dict[str, float | None]
    words: str
    warning: str = ""


WAYS_OUT = "try more --epochs, another --task, or columns that tell more of the target"


def of_labels(answers: Array, truth: Array, training: Array | None = None, names: list[str] | None = None) -> Verdict:
    """Judge classes (m,); a guess is the most frequent one of the training samples, if these are given."""
    right = int(np.count_nonzero(answers == truth))
    share = right / len(truth)
    words = f"{share:.2%} right ({right:,} of {len(truth):,} samples"
    if training is None or names is None:
        return Verdict({"accuracy": share}, f"{words})")
    usual = int(np.argmax(np.bincount(training)))
    guess = float(np.mean(truth == usual))
    always = f"always answering {names[usual]!r}"
    warning = f"{always} is right as often ({guess:.2%}); {WAYS_OUT}" if share <= guess else ""
    return Verdict({"accuracy": share, "guess": guess}, f"{words} it never saw; {always}: {guess:.2%})", warning)


def of_numbers(answers: Array, truth: Array) -> Verdict:
    """Judge quantities (m, n); a guess is the mean."""
    squares = np.mean((answers - truth) ** 2, axis=0)
    variance = np.var(truth, axis=0)
    error = float(np.sqrt(squares.mean()))
    explained = float(1 - squares.sum() / variance.sum()) if variance.any() else None
    words = f"root mean square error {error:.4g}"
    warning = ""
    if explained is not None:
        words += f", {explained:.1%} of the variance explained"
        if explained <= 0:
            warning = f"always answering the mean is as good; {WAYS_OUT}"
    return Verdict({"rmse": error, "r2": explained}, words, warning)


def of_texts(answers: list[str], truth: Array, known: list[str]) -> tuple[Verdict | None, list[str]]:
    """Judge names of classes, those that the truth has; return notes too."""
    given = truth != ""
    strange = sorted(set(truth[given].tolist()) - set(known))
    notes: list[str] = []
    if not given.all():
        notes.append(f"{np.count_nonzero(~given):,} rows have no answer and are not scored")
    scored = bool(np.isin(truth[given], known).any())
    if strange:
        shown = ", ".join(map(repr, strange[:5])) + ", ..." * (len(strange) > 5)
        rule = "and count as wrong" if scored else "so nothing is scored; --target names the column of the answers"
        notes.append(f"the answers {shown} are none of the network's classes {', '.join(known):.200}, {rule}")
    if not scored:
        return None, notes
    return of_labels(np.array(answers)[given], truth[given]), notes


def report(verdict: Verdict | None, keys: tuple[str, ...]) -> dict[str, Any]:
    """Return the scores of these names, None where there are none."""
    return {key: verdict.scores.get(key) if verdict else None for key in keys}
