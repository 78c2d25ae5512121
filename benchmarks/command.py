"""Time fastbp against the peers that are installed: PyTorch, JAX, scikit-learn, NumPy, ONNX Runtime.

Everyone trains the same network on the same mini-batches in the same dtype, in turn; who computes other weights than
the reference in the first steps is not timed. Peers read their thread count when they start, so one run has one. With
every peer, all cases take about 5 minutes, some of it for torch.compile; a sweep takes about 2.
"""

import argparse
import json
from collections.abc import Sequence
from typing import Any

from tqdm import tqdm

from fastbp.plotting import check_format
from fastbp.processors import available_cores

from . import busy, fits, looks, sweeps, tables
from .cases import CASES
from .machine import describe_machine
from .neighbours import all_neighbours
from .peers import present
from .plots import plot_benchmark, plot_sweep
from .result import Result
from .run import ROUNDS, compare_all
from .threads import limit_threads

BY_NAME = {case.name: case for case in CASES}


def main(argv: Sequence[str] | None = None) -> None:
    """Measure, then write and draw; a wrong command ends with exit code 2 before anything is measured."""
    parser = make_parser()
    options = parser.parse_args(argv)
    instead = next((name for name in MEASURES if getattr(options, name)), None)
    if options.plot and instead:
        parser.error(f"--{instead} has no picture: give it without --plot")
    if options.threads and options.busy:
        parser.error("--busy takes one thread, all cores and auto: give it without --threads")
    if options.plot:
        try:
            check_format(options.plot)
        except (ValueError, ImportError) as error:
            parser.error(str(error))
    report, text = MEASURES[instead](options) if instead else measure_steps(options)
    print(json.dumps(report, allow_nan=False) if options.json else text)


def make_parser() -> argparse.ArgumentParser:
    """Declare the options."""
    summary, _, rest = (__doc__ or "").partition("\n")
    parser = argparse.ArgumentParser("python -m benchmarks", description=summary, epilog=rest, allow_abbrev=False)
    kinds = parser.add_mutually_exclusive_group()
    kinds.add_argument("--cases", nargs="+", choices=BY_NAME, metavar="NAME", help=f"some of {' '.join(BY_NAME)}")
    kinds.add_argument("--sweep", choices=sweeps.SWEEPS, help="instead: how the cost grows with it")
    kinds.add_argument(
        "--fits", action="store_true", help="instead: whole fits after a pause, and what threads='auto' makes of them"
    )
    kinds.add_argument(
        "--busy", action="store_true", help="instead: fits while others keep cores busy, by all numbers of threads"
    )
    kinds.add_argument("--looks", action="store_true", help="instead: what fastbp.Diagnostics adds to a step")
    add = parser.add_argument
    add("--threads", type=_count, help="of every contender (default: 1; with --fits, all cores)")
    add("--dtype", choices=("float32", "float64"), default="float32", help="default: float32")
    add("--rounds", type=_count, default=ROUNDS, help=f"of which the median is taken (default: {ROUNDS})")
    add("--plot", metavar="FILE.png", help="draw the table")
    add("--json", action="store_true", help="print one JSON object instead of text")
    return parser


def measure_steps(options: argparse.Namespace) -> tuple[dict[str, Any], str]:
    """Time the steps of one case after the other, draw them if wanted; return the report and the table."""
    threads = options.threads or 1
    notes = limit_threads(threads)
    here, missing = present()
    cases = [BY_NAME[name] for name in options.cases or BY_NAME]
    if options.sweep:
        sweep = sweeps.SWEEPS[options.sweep]
        cases = [sweep.case(value) for value in sweep.values]
        here = [name for name in here if name in sweeps.PEERS]
        missing = {name: reason for name, reason in missing.items() if name in sweeps.PEERS}
    bar = tqdm(cases, desc="cases", disable=None, leave=False)
    results = compare_all(bar, options.dtype, threads, here, options.rounds)
    machine = describe_machine()
    table = tables.sweep(options.sweep, results) if options.sweep else tables.comparison(results)
    text = [tables.heading(machine, results, options.rounds), table, *notes]
    if missing:
        text.append(tables.left_out(missing))
    if options.plot:
        _draw(options, results)
    report: dict[str, Any] = {
        "machine": machine,
        "rounds": options.rounds,
        "results": [result.report() for result in results],
        "left_out": missing,
        "notes": notes,
    }
    if options.sweep:
        grown = [growth and growth._asdict() | {"cliff": growth.cliff} for growth in sweeps.growths(results)]
        report["sweep"] = {"of": options.sweep, "values": sweep.values, "growth": grown}
    return report, "\n\n".join(text)


def measure_fits(options: argparse.Namespace) -> tuple[dict[str, Any], str]:
    """Time one whole fit after the other; return the report and the table."""
    threads = options.threads or max(2, available_cores())
    notes = limit_threads(threads)
    peers = [name for name in present()[0] if name in fits.FITTING]
    bar = tqdm(fits.FITS, desc="fits", disable=None, leave=False)
    results = fits.measure_all(bar, options.dtype, threads, peers, options.rounds)
    machine = describe_machine()
    report = {"machine": machine, "threads": threads, "rounds": options.rounds, "notes": notes}
    report["results"] = [result.report() for result in results]
    heading = tables.fits_heading(machine, options.dtype, threads, options.rounds)
    return report, "\n\n".join([heading, tables.fits(results), *notes])


def measure_looks(options: argparse.Namespace) -> tuple[dict[str, Any], str]:
    """Time a step with and without a look; return the report and the table."""
    threads = options.threads or 1
    notes = limit_threads(threads)
    bar = tqdm(looks.LOOKED_AT, desc="cases", disable=None, leave=False)
    results = looks.measure_all(bar, options.dtype, threads, options.rounds)
    machine = describe_machine()
    report = {"machine": machine, "rounds": options.rounds, "results": [result.report() for result in results]}
    heading = tables.looks_heading(machine, options.dtype, threads, options.rounds)
    return report, "\n\n".join([heading, looks.table(results), *notes])


def measure_busy(options: argparse.Namespace) -> tuple[dict[str, Any], str]:
    """Time fits beside others; return the report and the table."""
    bar = tqdm(all_neighbours(), desc="neighbours", disable=None, leave=False)
    results = busy.measure_all(bar, options.dtype, options.rounds)
    machine = describe_machine()
    report = {"machine": machine, "rounds": options.rounds, "results": [result.report() for result in results]}
    heading = tables.busy_heading(machine, options.dtype, options.rounds)
    return report, "\n\n".join([heading, busy.table(results)])


MEASURES = {"fits": measure_fits, "looks": measure_looks, "busy": measure_busy}


def _draw(options: argparse.Namespace, results: list[Result]) -> None:
    if options.sweep:
        cliffs = [bool(growth and growth.cliff) for growth in sweeps.growths(results)]
        ax = plot_sweep(options.sweep, sweeps.SWEEPS[options.sweep].values, results, cliffs)
    else:
        ax = plot_benchmark(results)
    ax.figure.savefig(options.plot, dpi=150)


def _count(text: str) -> int:
    if not text.isdecimal() or not int(text):
        raise argparse.ArgumentTypeError(f"must be 1 or more, not {text}")
    return int(text)
