"""The command line: `fastbp train | predict | export | check | ...`, a file for each.

Exit codes: 0 done, 1 failed (a check, a divergence, a bad file), 2 a wrong command, 130 interrupted.
"""

import argparse
import json
import math
import os
import sys
import warnings
from collections.abc import Sequence
from typing import NoReturn

from ..version import __version__
from . import check, diagnose, doctor, export, lesson, predict, train, warmup
from .outcome import Outcome, UsageError

COMMANDS = {
    "train": train,
    "predict": predict,
    "export": export,
    "check": check,
    "diagnose": diagnose,
    "lesson": lesson,
    "doctor": doctor,
    "warmup": warmup,
}
LONGEST = 1000  # characters of a message
MOVED = {"bench": "the benchmarks live in the repository: python -m benchmarks"}


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; return its exit code."""
    argv = sys.argv[1:] if argv is None else argv
    with warnings.catch_warnings():
        warnings.showwarning = lambda message, *_: _complain(argv[0], f"warning: {message}")
        return _main(argv, "--json" in argv)


def _main(argv: Sequence[str], as_json: bool) -> int:
    try:
        if argv and argv[0] in MOVED:
            raise UsageError(MOVED[argv[0]])
        options = _parser().parse_args(argv)
        outcome: Outcome = COMMANDS[options.command].run(options)
        text = _json(outcome.report) if as_json else outcome.text
        print(_visible(text) if sys.stdout.isatty() else text, flush=True)
        for aside in () if as_json else outcome.asides:
            _complain(options.command, aside)
        if outcome.failure:
            _complain(options.command, outcome.failure)
        return 1 if outcome.failure else 0
    except SystemExit as stop:  # --help, --version
        return int(stop.code or 0)
    except BrokenPipeError:  # the reader of our output has seen enough, as in `| head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except UsageError as error:
        return _fail(argv, as_json, str(error), 2)
    except KeyboardInterrupt:
        return _fail(argv, as_json, "interrupted; nothing was saved", 130)
    except Exception as error:
        if "--traceback" in argv:
            raise
        return _fail(argv, as_json, _sentence(error), 1)


class Parser(argparse.ArgumentParser):
    """A parser whose errors are sentences."""

    def error(self, message: str) -> NoReturn:
        """Leave exit codes to `main`."""
        raise UsageError(f"{message}; see {self.prog} --help")


def _parser() -> Parser:
    parser = Parser(
        prog="fastbp",
        description="Train fully connected networks on a CPU, fast, and check every number.",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="print the version and exit")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, module in COMMANDS.items():
        summary = (module.__doc__ or "").partition("\n")[0]
        command = commands.add_parser(
            name, help=summary, description=summary, epilog=_rest(module.__doc__), allow_abbrev=False
        )
        module.add_options(command)
        add = command.add_argument_group("output and errors").add_argument
        add("--json", action="store_true", help="print one JSON object instead of text")
        add("--traceback", action="store_true", help="show where in the code an error came from")
    return parser


class _Version(argparse.Action):
    def __call__(self, parser: argparse.ArgumentParser, *rest: object) -> NoReturn:
        print(f"fastbp {__version__}")
        parser.exit()


def _rest(docstring: str | None) -> str:
    return " ".join((docstring or "").partition("\n")[2].split())


def _json(report: object) -> str:
    return json.dumps(_plain(report), allow_nan=False)


def _plain(value: object) -> object:
    """Replace what JSON has no word for: NaN and inf become null."""
    if isinstance(value, dict):
        return {key: _plain(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(entry) for entry in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _complain(command: str, message: str) -> None:
    sys.stderr.write(f"{f'fastbp {command}'.rstrip()}: {_visible(message)}\n")


def _visible(text: str) -> str:
    """Return text that a terminal shows and does not obey, whatever the names and cells of a file have in them."""
    return "".join(c if c.isprintable() or c in "\n\t" else ascii(c)[1:-1] for c in text)


def _fail(argv: Sequence[str], as_json: bool, message: str, code: int) -> int:
    command = argv[0] if argv and argv[0] in COMMANDS else ""
    message = _short(" ".join(message.split()))
    if as_json:
        print(_json({"error": message}))
    _complain(command, message)
    return code


def _short(message: str) -> str:
    """Return a message whose end can be read, whatever a file's cells and names have in them."""
    return message if len(message) <= LONGEST else f"{message[: LONGEST // 2]} ... {message[-LONGEST // 2 :]}"


def _sentence(error: Exception) -> str:
    """Say what went wrong; what is no known kind of error is a fault of ours, and said to be."""
    if isinstance(error, OSError) and error.strerror:
        place = f"{error.filename}: " if error.filename else ""
        return f"{place}{error.strerror[0].lower()}{error.strerror[1:]}"
    if isinstance(error, MemoryError):
        return f"not enough memory: {error}" if str(error) else "not enough memory"
    if isinstance(error, (OSError, ValueError, TypeError, ArithmeticError, ImportError)):
        return str(error)
    name = type(error).__name__
    return f"unexpected {name}: {error}; this is a fault in fastbp, --traceback shows where"
