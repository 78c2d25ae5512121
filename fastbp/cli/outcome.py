"""What a command hands back, and how it says that it was called wrongly."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple


class Outcome(NamedTuple):
    """`report` is printed with --json, else `text`, and `asides` on stderr; `failure` is why the exit code is 1."""

    report: dict[str, Any]
    text: str
    failure: str = ""
    asides: tuple[str, ...] = ()  # stderr: a program that reads the text must not stumble over them


class UsageError(Exception):
    """The command line itself is wrong: exit code 2."""


@contextmanager
def usage() -> Iterator[None]:
    """Inside, what the library says of an argument is said of an option."""
    try:
        yield
    except (TypeError, ValueError) as error:
        raise UsageError(str(error)) from error
