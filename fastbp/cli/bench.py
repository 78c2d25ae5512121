"""Time fastbp against the peers that are installed: torch, jax, scikit-learn, NumPy.

Everyone trains the same network on the same mini-batches in the same dtype, in turn; who computes other weights than
the reference in the first steps is not timed. Peers read their thread count when they start, so one run has one.
"""

import argparse
from typing import Any

from .outcome import Outcome, UsageError


def add_options(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add = parser.add_argument
    add("--cases", nargs="+", metavar="NAME", help="tiny nielsen tab mid deep big expm (default: all)")
    add("--threads", type=int, default=1, help="of every contender (default: 1)")
    add("--dtype", choices=("float32", "float64"), default="float32", help="default: float32")
    add("--rounds", type=int, default=7, help="of which the median is taken (default: 7)")
    add("--plot", metavar="FILE.png", help="draw the table")


def run(options: argparse.Namespace) -> Outcome:
    """Run the cases, one after the other."""
    from tqdm import tqdm

    from ..bench.cases import CASES
    from ..bench.peers import installed
    from ..bench.run import compare, limit_threads

    known = {case.name: case for case in CASES}
    names = options.cases or list(known)
    for name in names:
        if name not in known:
            raise UsageError(f"unknown case {name!r}; choose from {', '.join(known)}")
    if options.threads < 1 or options.rounds < 1:
        raise UsageError("--threads and --rounds must be 1 or more")
    limit_threads(options.threads)
    bar = tqdm(names, desc="cases", disable=None, leave=False)
    results = [compare(known[name], options.dtype, options.threads, options.rounds) for name in bar]
    if options.plot:
        from ..plotting import plot_benchmark

        plot_benchmark(results).figure.savefig(options.plot)
    here, missing = installed()
    rows = [result._asdict() | {"ratio": result.ratio, "best_peer": result.best_peer} for result in results]
    text = table(results, ["fastbp", *here])
    if missing:
        text += f"\n\nnot installed, left out: {', '.join(missing)}"
    return Outcome({"results": rows, "not_installed": missing}, text)


def table(results: list[Any], names: list[str]) -> str:
    """Write a Markdown table: microseconds per step, median ± half the distance of the quartiles."""
    heads = ["case", "threads", "dtype", *names, "ratio to the best", "GFLOP/s", "of the peak"]
    lines = ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
    for result in results:
        times = [_time(result.times.get(name)) for name in names]
        ratio = f"{result.ratio:.2f} ({result.best_peer})" if result.ratio else "-"
        share = result.gflops / (result.peak * result.threads)
        cells = [result.case, str(result.threads), result.dtype, *times, ratio, f"{result.gflops:.0f}", f"{share:.0%}"]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _time(measured: tuple[float, float] | None) -> str:
    if measured is None:
        return "-"
    digits = 1 if measured[0] < 100 else 0
    return f"{measured[0]:.{digits}f} ± {measured[1]:.{digits}f}"
