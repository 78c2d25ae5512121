"""Time fastbp against the peers that are installed: PyTorch, JAX, scikit-learn, NumPy, ONNX Runtime.

Everyone trains the same network on the same mini-batches in the same dtype, in turn; who computes other weights than
the reference in the first steps is not timed. Peers read their thread count when they start, so one run has one. With
every peer, all cases take about 5 minutes, some of it for torch.compile; a sweep takes about 2.
"""

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from .outcome import Outcome, UsageError, usage

if TYPE_CHECKING:
    from ..bench.result import Result


def add_options(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add = parser.add_argument
    add("--cases", nargs="+", metavar="NAME", help="some of tiny nielsen tab mid deep big expm predict1 sparse")
    add("--sweep", choices=("width", "depth", "batch", "samples"), help="instead: how the cost grows with it")
    add("--fits", action="store_true", help="instead: whole fits after a pause, and what threads='auto' makes of them")
    add("--threads", type=int, help="of every contender (default: 1; with --fits, all cores)")
    add("--dtype", choices=("float32", "float64"), default="float32", help="default: float32")
    add("--rounds", type=int, default=7, help="of which the median is taken (default: 7)")
    add("--plot", metavar="FILE.png", help="draw the table")


def run(options: argparse.Namespace) -> Outcome:
    """Measure, one case after the other, then write and draw."""
    from ..bench import sweeps, tables
    from ..bench.machine import describe_machine
    from ..bench.peers import present
    from ..bench.threads import limit_threads

    if options.fits:
        return _fits(options)
    options.threads = 1 if options.threads is None else options.threads
    cases = _cases(options)
    if options.plot:
        from ..plotting import check_format

        with usage():  # before minutes of measuring, not after
            check_format(options.plot)
    machine = describe_machine()
    notes = limit_threads(options.threads)
    here, missing = present()
    if options.sweep:
        here = [name for name in here if name in sweeps.PEERS]
        missing = {name: reason for name, reason in missing.items() if name in sweeps.PEERS}
    results = _measure(cases, options, here)
    table = tables.sweep(options.sweep, results) if options.sweep else tables.comparison(results)
    text = [tables.heading(machine, results, options.rounds), table, *notes]
    if missing:
        text.append(tables.left_out(missing))
    if options.plot:
        _plot(options, results)
    report: dict[str, Any] = {
        "machine": machine,
        "rounds": options.rounds,
        "results": [result.report() for result in results],
        "left_out": missing,
        "notes": notes,
    }
    if options.sweep:
        grown = [growth and growth._asdict() | {"cliff": growth.cliff} for growth in sweeps.growths(results)]
        report["sweep"] = {"of": options.sweep, "values": sweeps.SWEEPS[options.sweep].values, "growth": grown}
    return Outcome(report, "\n\n".join(text))


def _fits(options: argparse.Namespace) -> Outcome:
    from tqdm import tqdm

    from ..bench import fits, tables
    from ..bench.machine import describe_machine
    from ..bench.peers import present
    from ..bench.threads import limit_threads
    from ..processors import available_cores

    if options.cases or options.sweep or options.plot:
        raise UsageError("--fits has cases of its own, and no picture: give it without --cases, --sweep and --plot")
    threads = options.threads or max(2, available_cores())
    machine = describe_machine()
    notes = limit_threads(threads)
    peers = [name for name in present()[0] if name in fits.FITTING]
    bar = tqdm(fits.FITS, desc="fits", disable=None, leave=False)
    results = fits.measure_all(bar, options.dtype, threads, peers, options.rounds)
    where = f"{machine['processor']}; {machine['system']}; {machine['versions']}; {machine['date']}."
    how = (
        f"Milliseconds per fit, median ± half the distance of the quartiles; {options.dtype}, peers with {threads} "
        f"threads, {options.rounds} rounds, a pause of {fits.PAUSE:g} s before each."
    )
    report = {"machine": machine, "threads": threads, "rounds": options.rounds, "notes": notes}
    report["results"] = [result.report() for result in results]
    return Outcome(report, "\n\n".join([how, where, tables.fits(results), *notes]))


def _cases(options: argparse.Namespace) -> list[Any]:
    from ..bench.cases import CASES
    from ..bench.sweeps import SWEEPS

    if options.threads < 1 or options.rounds < 1:
        raise UsageError("--threads and --rounds must be 1 or more")
    if options.sweep:
        if options.cases:
            raise UsageError("--sweep has cases of its own: give it or --cases")
        sweep = SWEEPS[options.sweep]
        return [sweep.case(value) for value in sweep.values]
    known = {case.name: case for case in CASES}
    for name in options.cases or ():
        if name not in known:
            raise UsageError(f"unknown case {name!r}; choose from {', '.join(known)}")
    return [known[name] for name in options.cases or known]


def _measure(cases: Sequence[Any], options: argparse.Namespace, peers: Sequence[str]) -> "list[Result]":
    from tqdm import tqdm

    from ..bench.run import compare_all

    bar = tqdm(cases, desc="cases", disable=None, leave=False)
    return compare_all(bar, options.dtype, options.threads, peers, options.rounds)


def _plot(options: argparse.Namespace, results: "list[Result]") -> None:
    from ..bench.sweeps import SWEEPS, growths
    from ..plotting import plot_benchmark, plot_sweep

    if options.sweep:
        cliffs = [bool(growth and growth.cliff) for growth in growths(results)]
        ax = plot_sweep(options.sweep, SWEEPS[options.sweep].values, results, cliffs)
    else:
        ax = plot_benchmark(results)
    ax.figure.savefig(options.plot, dpi=150)
