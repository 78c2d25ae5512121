"""Compare the fused engine with the reference, and BP1..BP4 with numerical derivatives."""

import argparse
from typing import Any

from .data import load

ROWS = 50


def add_options(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("model", metavar="MODEL", nargs="?", help="a saved network (default: a fresh one)")
    parser.add_argument("--data", metavar="PATH", help="samples to check on (default: the digits)")
    parser.add_argument("--target", metavar="COLUMN", help="column of a .csv to be predicted (default: the last)")
    parser.add_argument("--verbose", action="store_true", help="print every comparison")


def run(options: argparse.Namespace) -> dict[str, Any]:
    """Run both checks."""
    import fastbp

    data, words = load(options.data, options.target)
    if options.model:
        net = fastbp.load(options.model)
    else:
        net = fastbp.Network([64, 30, 10], output="softmax", cost="cross_entropy", seed=0)
    x, y = data.x_test[:ROWS], data.y_test[:ROWS]
    reports = {
        "cross_check": fastbp.cross_check(net, x, y),
        "equations": fastbp.check_equations(net, x[:10], y[:10]),
    }
    passed = all(report.passed for report in reports.values())
    lines = [f"{net!r}\non {len(x)} samples of {words}"]
    for name, report in reports.items():
        if options.verbose or not report.passed:
            lines.append(repr(report))
        verdict = "passed" if report.passed else "FAILED"
        worst = f"worst {report.worst.name}, at {report.worst.share:.2g} of what is allowed"
        lines.append(f"{name:<12} {verdict}: {len(report.rows)} comparisons; {worst}")
    return {"passed": passed, **{k: r.to_dict() for k, r in reports.items()}, "text": "\n".join(lines)}
