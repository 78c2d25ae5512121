"""The command line: `fastbp train | predict | check | doctor | warmup`.

Exit codes: 0 done, 1 failed (a check, a divergence, a bad file), 2 a wrong command, 130 interrupted.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from typing import Any

from . import check, doctor, predict, train, warmup

COMMANDS = {"train": train, "predict": predict, "check": check, "doctor": doctor, "warmup": warmup}


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; return its exit code."""
    arguments = _parser().parse_args(argv)
    try:
        result: dict[str, Any] = COMMANDS[arguments.command].run(arguments)
    except (OSError, ValueError, TypeError, ArithmeticError, ImportError) as error:
        sys.stderr.write(f"fastbp {arguments.command}: {error}\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write(f"\nfastbp {arguments.command}: interrupted; nothing was saved\n")
        return 130
    text = result.pop("text")
    sys.stdout.write((json.dumps(result) if arguments.json else text) + "\n")
    return 0 if result.get("passed", True) else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="fastbp", description="Train fully connected networks on a CPU, fast, and check every number."
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, module in COMMANDS.items():
        summary = (module.__doc__ or "").partition("\n")[0]
        command = commands.add_parser(name, help=summary, description=summary)
        module.add_options(command)
        command.add_argument("--json", action="store_true", help="print one JSON object instead of text")
    return parser
