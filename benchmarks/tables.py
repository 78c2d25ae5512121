"""Results as Markdown, ready to be pasted."""

from collections.abc import Sequence
from textwrap import fill

from .fits import PAUSE, FitResult
from .result import Result, Time
from .sweeps import SWEEPS, growths

WIDTH = 120
HEADS = ["case", "threads", "dtype"]
UNIT = "Microseconds per step (a mini-batch, or one call of predict), median ± half the distance of the quartiles"
SPARSE = "Where inputs are zeros, GFLOP/s count them as if they were multiplied."


def comparison(results: Sequence[Result]) -> str:
    """Write a row for each case, and a column for each contender that takes part in one of them."""
    names = list(dict.fromkeys(name for result in results for name in result.times))
    rows = []
    for result in results:
        times = [_time(result.times.get(name)) for name in names]
        ratio = f"{result.ratio:.2f} ({result.best_peer})" if result.ratio else "-"
        speed = [ratio, _digits(result.gflops), f"{result.share:.0%}"]
        rows.append([result.case.description, str(result.threads), result.dtype, *times, *speed])
    table = _markdown([*HEADS, *names, "ratio to the best", "GFLOP/s", "of the peak"], rows)
    return f"{table}\n\n{SPARSE}" if any(result.case.zeros for result in results) else table


def sweep(name: str, results: Sequence[Result]) -> str:
    """Write a row for each doubling: times, their ratio, and how work and times grew from the row above."""
    rows = []
    for value, result, grown in zip(SWEEPS[name].values, results, growths(list(results)), strict=False):
        best = result.best_peer
        peer = f"{_time(result.times[best])} ({best})" if best else "-"
        factors = [f"x{x:.1f}" if x else "-" for x in grown[:3]] if grown else ["-"] * 3
        ratio = f"{result.ratio:.2f}" if result.ratio else "-"
        cliff = "cliff" if grown and grown.cliff else ""
        rows.append([str(value), _time(result.times["fastbp"]), peer, ratio, *factors, cliff])
    heads = [name, "fastbp", "best peer", "ratio", "work", "time of fastbp", "time of the best peer", ""]
    return _markdown(heads, rows)


def fits(results: Sequence[FitResult]) -> str:
    """Write a row for each fit: fastbp by what `threads` was, the best peer, and how they compare."""
    rows = []
    for result in results:
        auto, one, best = result.ours["auto"].median, result.ours["1"].median, result.best_peer
        case = result.fit.case
        work = f"{case.samples:,} samples, {result.fit.epochs} epoch{'s' * (result.fit.epochs > 1)}"
        peer = f"{_time(result.peers[best])} ({best})" if best else "-"
        ratio = f"{result.peers[best].median / auto:.2f}" if best else "-"
        ours = [_time(time) for time in result.ours.values()]
        rows.append([case.description, work, *ours, peer, f"{auto / one:.2f}", f"{auto / result.better:.2f}", ratio])
    names = [f"threads={name}" for name in results[0].ours]
    heads = ["case", "fit", *names, "best peer", "auto / one thread", "auto / the better", "best peer / auto"]
    return _markdown(heads, rows)


def heading(machine: dict[str, str], results: Sequence[Result], rounds: int) -> str:
    """Say what is measured, how, where, and with what."""
    first = results[0]
    threads = f"{first.threads} thread{'s' * (first.threads > 1)}"
    how = f"{UNIT}; {first.dtype}, {threads}, {rounds} rounds, contenders in turn; fastbp and PyTorch flush denormals."
    return f"{fill(how, WIDTH)}\n\n{_where(machine, f', measured peak of one core {first.peak:.0f} GFLOP/s')}"


def fits_heading(machine: dict[str, str], dtype: str, threads: int, rounds: int) -> str:
    """Say the same of whole fits."""
    unit = "Milliseconds per fit, median ± half the distance of the quartiles"
    how = f"{unit}; {dtype}, peers with {threads} threads, {rounds} rounds, a pause of {PAUSE:g} s before each."
    return f"{fill(how, WIDTH)}\n\n{_where(machine)}"


def looks_heading(machine: dict[str, str], dtype: str, threads: int, rounds: int) -> str:
    """Say the same of looks."""
    counted = f"{threads} thread{'s' * (threads > 1)}, {rounds} rounds"
    how = f"Microseconds per step, median ± half the distance of the quartiles; {dtype}, {counted}, in turn."
    return f"{fill(how, WIDTH)}\n\n{_where(machine)}"


def busy_heading(machine: dict[str, str], dtype: str, rounds: int) -> str:
    """Say the same of fits beside others."""
    unit = "Microseconds per step of whole fits, mean ± standard error"
    how = f"{unit}; {dtype}, {rounds} rounds or more, in turn, beside others at work."
    return f"{fill(how, WIDTH)}\n\n{_where(machine)}"


def left_out(missing: dict[str, str]) -> str:
    """Name the peers that did not take part, and why."""
    return fill("Left out: " + "; ".join(f"{name} ({reason})" for name, reason in missing.items()), WIDTH)


def _where(machine: dict[str, str], peak: str = "") -> str:
    facts = [machine["processor"] + peak, machine["system"], machine["versions"], f"BLAS: {machine['blas']}"]
    return fill(f"{'; '.join([*facts, machine['date']])}.", WIDTH)


def _markdown(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = ["| " + " | ".join(cells) + " |" for cells in (heads, *rows)]
    return "\n".join([lines[0], "|" + "---|" * len(heads), *lines[1:]])


def _time(time: Time | None) -> str:
    if time is None:
        return "-"
    digits = 1 if time.median < 100 else 0
    return f"{time.median:.{digits}f} ± {time.spread:.{digits}f}"


def _digits(number: float) -> str:
    return f"{number:.1f}" if number < 10 else f"{number:.0f}"
